"""`python -m bench.asking`: `status` and `verify` over one host and over sixty-four.

Prints the median wall seconds of each, and how many times as long as for one host it takes for all of them, expected to
be at most 3. All hosts of the lab share the cores of this machine, and `status` has each run some hundred processes; so
it is measured a second time with hosts that play back what they answered, after the time that it took the first of them
when it was asked alone, as if each had a core of its own.
"""

from __future__ import annotations

import os
import pprint
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import click

from bench import commands
from bench.beginning import begin
from bench.errors import BenchError
from bench.hosts import BenchHost, borrowed, copied
from bench.progress import say
from bench.schools import Fleet, School
from bench.tools import copied_checkout, pyinfra_data
from lab import LabError, pki, topology

_HOSTS = 64
_RUNS = 3
_EXPECTED = 3
_INVENTORY = "inventory/bench.py"


@click.command()
def cli() -> None:
    """Measure `status` and `verify` over one host and over sixty-four, each with a site of its own at edge tls."""
    begin()
    try:
        with tempfile.TemporaryDirectory(prefix="wecom-bench-") as temporary, borrowed(1) as (first,):
            folder = Path(temporary) / "checkout"
            copied_checkout(folder)
            _deploy(folder, {first: Fleet.of(1, "tls").schools[0]})
            with copied(first, _HOSTS - 1) as others:
                hosts = [first, *others]
                sites = dict(zip(hosts, Fleet.of(_HOSTS, "tls").schools, strict=True))
                _deploy(folder, sites)
                rows = [
                    _measured("verify", [*_VERIFY, *_resolving(sites)], folder, first),
                    _measured("status, all hosts on these cores", _STATUS, folder, first),
                ]
                _play_back(hosts, folder)
                rows.append(_measured("status, a core for each host", _STATUS, folder, first))
    except (BenchError, LabError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"| {os.cpu_count()} cores, hosts: | 1 | {_HOSTS} | times | at most {_EXPECTED} |")
    click.echo("| --- | --- | --- | --- | --- |")
    for name, one, all_of_them in rows:
        ratio = all_of_them / one
        verdict = "met" if ratio <= _EXPECTED else "NOT MET"
        click.echo(f"| {name} | {one:.2f} s | {all_of_them:.2f} s | {ratio:.1f} | {verdict} |")


_GATEWAY = [sys.executable, "-m", "gateway"]
_STATUS = [*_GATEWAY, "status", _INVENTORY]
_VERIFY = [*_GATEWAY, "verify", _INVENTORY, "--ca", str(topology.CA)]


def _resolving(sites: dict[BenchHost, School]) -> list[str]:
    return [word for host, school in sites.items() for word in ("--resolve", f"{school.domain}:{host.address}")]


def _deploy(folder: Path, sites: dict[BenchHost, School]) -> None:
    for school in sites.values():
        verify = folder / "files" / "verify" / school.domain
        verify.mkdir(parents=True, exist_ok=True)
        (verify / school.verify_name).write_text(school.verify_body)
        pki.issue(school.domain, [school.domain], folder / "files" / "certs" / school.domain)
    entries = [(host.name, {**pyinfra_data(host), "sites": [school.entry()]}) for host, school in sites.items()]
    (folder / _INVENTORY).write_text(f"wanxiao_prod = {pprint.pformat(entries)}\n")
    command: list[str | Path] = [commands.beside_python("pyinfra"), "-y", "--data", "allow_site_removal=1"]
    say(f"deploy of {len(sites)}: {commands.run([*command, _INVENTORY, 'deploy.py'], folder):.2f} s")


def _measured(name: str, command: list[str], folder: Path, first: BenchHost) -> tuple[str, float, float]:
    """The name, the command's median seconds over the first host, and over all of them."""
    one, every = [], []
    for _ in range(_RUNS):
        one.append(commands.run([*_without_others(command), "--limit", first.name], folder))
        every.append(commands.run(command, folder))
    return name, median(one), median(every)


# In the place of sudo, by which every question is asked.
_PLAYER = """
mkdir -p -m 1777 /var/lib/bench
cat >/usr/local/bin/sudo <<'END'
#!/bin/sh
key=$(printf %s "$*" | md5sum)
key=/var/lib/bench/${key%% *}
if [ -e "$key" ]; then
    sleep "$(cat "$key.seconds")"
    exec cat "$key"
fi
started=$(date +%s%N)
/usr/bin/sudo "$@" >"$key.new" || exit
[ -e "$key.seconds" ] || echo "$started $(date +%s%N)" | awk '{ printf "%.3f", ($2 - $1) / 1e9 }' >"$key.seconds"
mv "$key.new" "$key"
exec cat "$key"
END
chmod 755 /usr/local/bin/sudo
"""


def _play_back(hosts: list[BenchHost], folder: Path) -> None:
    """Has every host play back its answers to `status`, in the time that the first one takes for them alone."""
    first, *others = hosts
    first.run(_PLAYER)
    commands.run([*_STATUS, "--limit", first.name], folder)
    seconds = first.run("cd /var/lib/bench && grep -H . *.seconds")
    say(f"played back: {seconds}")
    pairs = [line.split(":") for line in seconds.split()]
    prepared = _PLAYER + "".join(f"echo {value} >/var/lib/bench/{name}\n" for name, value in pairs)
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(lambda host: host.run(prepared), others))
        commands.run(_STATUS, folder)
        # their timers take this machine's cores as well
        list(pool.map(lambda host: host.run("systemctl stop 'wecom-gateway-*.timer'"), hosts))


def _without_others(command: list[str]) -> list[str]:
    """The command with the first --resolve alone: others are for sites that --limit leaves out."""
    place = command.index("--resolve") if "--resolve" in command else len(command)
    return command[: place + 2]


if __name__ == "__main__":
    cli()
