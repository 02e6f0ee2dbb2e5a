"""`python -m bench.metrics`: what it costs a host with a thousand schools to be measured.

Prints the share of one core and the memory of mtail at a thousand requests a second with one visit of Prometheus a
minute, and of the script that runs every minute; and what a line of the requests' log costs mtail beside the long line
of the access log, from which it could count as well.
"""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path
from statistics import median

import click

from bench.errors import BenchError
from bench.hosts import BenchHost, borrowed
from bench.progress import say
from bench.schools import HOME, Fleet
from bench.tools import Gateway
from gateway.onhost import constants
from lab import LabError, client, topology

_SITES = 1000
_RATE = 1000
_SECONDS = 60
_LINES = 200_000
_RUNS = 5

# A second's lines at once, as nginx writes them; every site in turn, on one port and then on the other.
_WRITE = f"""
awk -v lines=$1 'BEGIN {{
    for (line = 0; line < lines; line++)
        printf "wx-%04d.bench.example %d %d %.4f %d %d %d\\n", line % {_SITES} + 1, \\
            int(line / {_SITES}) % 2 ? 443 : 9001, line % 50 ? 200 : 502, line % 90 / 100 + 0.0001, \\
            500 + line % 9000, !(line % 50), !(line % 9)
}}' >/root/lines
[ "$2" = 0 ] || split -l {_RATE} -a 3 /root/lines /root/second.
"""
_FEED = f'for second in /root/second.*; do cat "$second" >>{constants.REQUESTS_LOG}; sleep 1; done'
_TICKS = "awk '{ print $14 + $15 }' /proc/$(pgrep -x mtail)/stat; getconf CLK_TCK"
_PEAK = "awk '/VmHWM/ { print $2 }' /proc/$(pgrep -x mtail)/status"

# The processor's seconds of what a shell started, and the kilobytes of the largest process of it.
_COST = """python3 -c '
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)' "$@" """

_LONG = r"""
sed -E 's/^(\S+) (\S+) (\S+) (\S+) (\S+) (\S+) \S+$/{"time":"2026-11-28T09:48:12+00:00","request_id":"4f1c7d2e9b0a4c5d8e6f7a8b9c0d1e2f","site":"\1","port":\2,"client":"203.0.113.7","method":"GET","path":"\/bserver\/bsacs\/qyweixin.action","status":\3,"bytes":\5,"seconds":\4,"upstream":"10.30.1.2:443","upstream_status":"\3","upstream_seconds":"\4","tls":"TLSv1.3","user_agent":"Mozilla\/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit\/605.1.15 (KHTML, like Gecko) Mobile\/15E148 wxwork\/4.1.10 MicroMessenger\/7.0.1"}/' \
    /root/lines >/root/long
sed -e '/upstream_[a-z]*_total/d' \
    -e 's#^/^.*#/^\\{"time":"[^"]*","request_id":"[^"]*","site":"(?P<site>[^"]*)","port":(?P<port>\\d+),.*"status":(?P<class>\\d)\\d\\d,"bytes":(?P<bytes>\\d+),"seconds":(?P<seconds>\\d+\\.\\d+),/ {#' \
    "$1" >/root/long.mtail
"""  # noqa: E501 - lines of a log are long


@click.command()
def cli() -> None:
    """Measure what being measured costs."""
    try:
        with tempfile.TemporaryDirectory(prefix="wecom-bench-") as folder, borrowed(1) as (host,):
            _measure(host, Path(folder))
    except (BenchError, LabError) as error:
        raise click.ClickException(str(error)) from None


def _measure(host: BenchHost, folder: Path) -> None:
    listen, timer = f"{host.address}:9145", constants.METRICS_UNIT.replace(".service", ".timer")
    say(f"deploying {_SITES:,} sites to {host.name}")
    host.reset()
    Gateway("metrics", host, folder, "tls", metrics={"listen": listen, "allow": [str(topology.subnet())]}).deploy(
        Fleet.of(_SITES, "tls")
    )
    # systemd removes the folder in memory with the service, a moment after it has ended.
    work = constants.METRICS_WORK
    host.run(f"systemctl stop {timer}; systemctl start {constants.METRICS_UNIT}")
    host.run(f"while [ -d {work} ]; do :; done; mkdir {work}")
    script = [_cost(host, "bash", f"{HOME}/current/metrics.sh") for _ in range(_RUNS)]
    seconds = median(one for one, _ in script)

    say(f"{_RATE:,} requests a second for {_SECONDS} seconds")
    host.run(_WRITE, str(_RATE * _SECONDS), "1")
    before, hertz = map(int, host.run(_TICKS).split())
    host.run(_FEED, timeout=_SECONDS * 3)
    size = _visit(listen, host)
    share = (int(host.run(_TICKS).split()[0]) - before) / hertz / _SECONDS
    peak = float(host.run(_PEAK)) / 1024

    say("a short line beside a long one")
    host.run(_WRITE, str(_LINES), "0")
    program = f"{HOME}/current/metrics/requests.mtail"
    host.run(_LONG, program)
    short, long = (
        median(_cost(host, constants.MTAIL, "--one_shot", "--progs", progs, "--logs", log)[0] for _ in range(3))
        for progs, log in ((program, "/root/lines"), ("/root/long.mtail", "/root/long"))
    )

    nginx = host.versions()["nginx"]
    click.echo(
        f"{_SITES:,} sites at edge tls, nginx {nginx}, {_RATE:,} requests a second, a visit of Prometheus a minute\n"
    )
    click.echo("| | share of a core | memory |")
    click.echo("| --- | --- | --- |")
    click.echo(f"| mtail | {share:.2%} | {peak:.0f} MB at most |")
    click.echo(
        f"| the script, once a minute | {seconds / 60:.2%} | {max(kb for _, kb in script) / 1024:.0f} MB at most |"
    )
    click.echo(f"\nThe page has {size / 1e6:.1f} MB. For a long line mtail takes {long / short:.1f} times as long.\n")
    total = share + seconds / 60
    click.echo(f"- under 2 % of a core: {total:.2%}, {'met' if total < 0.02 else 'NOT MET'}")
    click.echo(f"- under 64 MB: {peak:.0f} MB, {'met' if peak < 64 else 'NOT MET'}")


def _visit(listen: str, host: BenchHost) -> int:
    """Reads the page as Prometheus does, once mtail has counted every line; its size in bytes."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        body = client.request(f"http://{listen}/metrics", connect=host.address).body
        counted = re.search(rb"^mtail_lines_total (\S+)$", body, re.MULTILINE)
        if counted and float(counted[1]) >= _RATE * _SECONDS:
            return len(body)
        time.sleep(5)
    raise BenchError(f"mtail on {host.name} has not counted every line after 30 seconds")


def _cost(host: BenchHost, *command: str) -> tuple[float, int]:
    """The processor's seconds that a command takes on the host, and the kilobytes of its largest process."""
    seconds, kilobytes = host.run(_COST, *command).split()
    return float(seconds), int(kilobytes)


if __name__ == "__main__":
    cli()
