"""`python -m bench.asking`: `status` and `verify` over one host and over sixty-four.

Prints the median wall seconds of each, and how many times as long as for one host it takes for all of them, expected to
be at most 3.
"""

from __future__ import annotations

import pprint
import sys
import tempfile
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
_RUNS = 5
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
                rows = [_measured(words, folder, first) for words in (_STATUS, [*_VERIFY, *_resolving(sites)])]
    except (BenchError, LabError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"| hosts | 1 | {_HOSTS} | times |\n| --- | --- | --- | --- |")
    for name, one, all_of_them in rows:
        click.echo(f"| `{name}` | {one:.2f} s | {all_of_them:.2f} s | {all_of_them / one:.1f} |")
    worst = max(all_of_them / one for _, one, all_of_them in rows)
    verdict = "met" if worst <= _EXPECTED else "NOT MET"
    click.echo(f"\n{_HOSTS} hosts against one: expected at most {_EXPECTED} times: {verdict}")


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


def _measured(command: list[str], folder: Path, first: BenchHost) -> tuple[str, float, float]:
    """The command's name, its median seconds over the first host, and over all of them."""
    one, every = [], []
    for _ in range(_RUNS):
        one.append(commands.run([*_without_others(command), "--limit", first.name], folder))
        every.append(commands.run(command, folder))
    return command[3], median(one), median(every)


def _without_others(command: list[str]) -> list[str]:
    """The command with the first --resolve alone: others are for sites that --limit leaves out."""
    place = command.index("--resolve") if "--resolve" in command else len(command)
    return command[: place + 2]


if __name__ == "__main__":
    cli()
