"""`python -m bench.scale`: a thousand certificates on one host, in shared servers and in servers of their own.

Both once more with a route whose upstream has an authority of its own beside routes that have none. Prints what
`nginx -t` takes, what nginx holds in memory, and what a reload costs the visitors of another site.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from threading import Thread

import click

from bench.errors import BenchError
from bench.hosts import BenchHost, borrowed
from bench.progress import say
from bench.schools import Fleet
from bench.tools import Gateway
from lab import LabError, client, pki

_SITES = 1000
_RUNS = 5
_SECONDS = 10

_TEST = "TIMEFORMAT=%R; time nginx -t -q"
# PSS: pages that processes share are counted once over all of them.
_MEMORY = (
    "cat $(pgrep -x nginx | sed 's#.*#/proc/&/smaps_rollup#') | awk '$1 == \"Pss:\" { sum += $2 } END { print sum }'"
)
_NEIGHBOUR = """
cat >/etc/nginx/conf.d/neighbour.conf <<'END'
server { listen 81; location / { return 200 "ok"; } }
END
"""


# nginx then reads authorities for each such location and for its server.
_ROUTE_WITH_AUTHORITY = """
platforms["wanxiao_prod"]["routes"].append(
    {
        "port": "entry",
        "path": "/inner/",
        "upstream": "https://inner.bench.example/",
        "nodes": ["192.0.2.8"],
        "ca": "files/ca/inner.pem",
    }
)
"""


@dataclass(frozen=True)
class Way:
    """How the sites' certificates are held, from how many sites on they share servers, and whether one of their routes
    has an authority of its own."""

    name: str
    together: int
    authority: bool = False


@dataclass(frozen=True)
class Figures:
    """Seconds of `nginx -t`, megabytes of master and workers, and a neighbour's p99 in milliseconds."""

    test: float
    memory: float
    idle: float
    reloading: float


_WAYS = (
    Way("shared servers", 100),
    Way("a server for each", _SITES + 1),
    Way("shared servers, a route's own authority", 100, authority=True),
    Way("a server for each, a route's own authority", _SITES + 1, authority=True),
)


@click.command()
def cli() -> None:
    """Measure a host with a thousand certificates."""
    try:
        with tempfile.TemporaryDirectory(prefix="wecom-bench-") as folder, borrowed(len(_WAYS)) as hosts:
            found = [
                (way, _measure(way, host, Path(folder) / str(number)))
                for number, (way, host) in enumerate(zip(_WAYS, hosts, strict=True))
            ]
            version = hosts[0].versions()["nginx"]
    except (BenchError, LabError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{_SITES:,} sites at edge tls, nginx {version}\n")
    click.echo("| certificates | nginx -t | memory | neighbour's p99, idle | while reloading |")
    click.echo("| --- | --- | --- | --- | --- |")
    for way, one in found:
        click.echo(
            f"| {way.name} | {one.test:.2f} s | {one.memory:.0f} MB | {one.idle:.1f} ms | {one.reloading:.1f} ms |"
        )
    for way, chosen in found:
        if way.together > _SITES:
            continue
        click.echo(f"\n{way.name}:\n")
        _verdict("nginx -t under 3 s", f"{chosen.test:.2f} s", chosen.test < 3)
        _verdict("memory under 300 MB", f"{chosen.memory:.0f} MB", chosen.memory < 300)
        ratio = chosen.reloading / chosen.idle
        _verdict("a neighbour's p99 during reloads at most twice the idle one", f"{ratio:.1f} times", ratio <= 2)


def _verdict(expected: str, measured: str, met: bool) -> None:
    click.echo(f"- {expected}: {measured}, {'met' if met else 'NOT MET'}")


def _measure(way: Way, host: BenchHost, folder: Path) -> Figures:
    say(f"{way.name}: deploying {_SITES:,} sites to {host.name}")
    folder.mkdir()
    host.reset()
    gateway = Gateway(way.name, host, folder, "tls")
    plan = folder / "checkout-tls" / "gateway" / "nginx" / "plan.py"
    text = plan.read_text()
    if "\nTOGETHER = 100\n" not in text:
        raise BenchError("gateway/nginx/plan.py no longer says from how many sites on servers are shared")
    plan.write_text(text.replace("\nTOGETHER = 100\n", f"\nTOGETHER = {way.together}\n"))
    if way.authority:
        _give_authority(folder / "checkout-tls")
    host.run(_NEIGHBOUR)
    gateway.deploy(Fleet.of(_SITES, "tls"))
    host.run("systemctl restart nginx", timeout=60)
    test = median(float(host.run(f"bash -c '{_TEST}' 2>&1")) for _ in range(_RUNS))
    memory = float(host.run(_MEMORY)) / 1024
    # Coming to the host costs its own share of the two cores, so it is done in both.
    idle = _p99(host, lambda: host.run("sleep 1"))
    reloading = _p99(host, lambda: host.run("systemctl kill -s HUP --kill-who=main nginx; sleep 1"))
    return Figures(test, memory, idle, reloading)


def _give_authority(checkout: Path) -> None:
    platforms = checkout / "group_data" / "all.py"
    platforms.write_text(platforms.read_text() + _ROUTE_WITH_AUTHORITY)
    authorities = checkout / "files" / "ca"
    authorities.mkdir(parents=True)
    shutil.copy(pki.ensure_ca(), authorities / "inner.pem")


def _p99(host: BenchHost, meanwhile: Callable[[], object]) -> float:
    """Milliseconds below which 99 of 100 new connections to the neighbour stay, while something is done."""
    until = time.monotonic() + _SECONDS
    taken: list[float] = []

    def ask() -> None:
        while time.monotonic() < until:
            started = time.perf_counter()
            if client.request("http://neighbour.example:81/", connect=host.address).status != 200:
                raise BenchError("the neighbour's site does not answer")
            taken.append(1000 * (time.perf_counter() - started))
            time.sleep(0.005)

    asking = Thread(target=ask)
    asking.start()
    while time.monotonic() < until:
        meanwhile()
    asking.join()
    return quantiles(taken, n=100)[-1]


if __name__ == "__main__":
    cli()
