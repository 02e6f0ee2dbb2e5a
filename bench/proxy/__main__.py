"""`python -m bench.proxy`: see bench/proxy/README.md."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import click

from bench.beginning import begin
from bench.errors import BenchError
from bench.hosts import BenchHost, borrowed
from bench.progress import say
from bench.proxy import cases, chart, cores
from bench.proxy.client import CONNECTIONS, Client
from bench.proxy.measure import Bench
from bench.proxy.proxies import Caddy, Certificate, Engine, Gateway, Haproxy, Proxy, Sample
from bench.proxy.report import FEATURES, REPORT, Report, section_of, with_section
from bench.proxy.upstream import Upstream
from lab import LabError

# The client, the platform, and the proxies in the order in which they are set up.
_HOSTS, _CLOSE_HOSTS = 7, 5
# Where an expectation is about few percent there are more rounds.
_ROUNDS, _CLOSE_ROUNDS, _SECONDS = 3, 9, 3
_PEERS: tuple[Callable[[BenchHost, Certificate], Proxy], ...] = (Engine, Haproxy, Sample, Caddy)
_CHART = REPORT.parent.parent / "docs" / "images" / "requests.svg"


@click.command()
@click.option("--quick", is_flag=True, help="One round of one second each: for a look, not for quoting.")
@click.option("--close", is_flag=True, help="Only what hangs on few percent: beside nginx alone and HAProxy.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Raw numbers.")
@click.option("--write", is_flag=True, help="Keep the report, or with --close its section, in bench/PROXY.md.")
def cli(quick: bool, close: bool, json_file: Path | None, write: bool) -> None:
    """Measure requests through this project's nginx and through other proxies, on hosts of the lab."""
    load = begin()
    rounds, close_rounds, seconds = (1, 1, 1) if quick else (_ROUNDS, _CLOSE_ROUNDS, _SECONDS)
    try:
        cores.must_be_two()
        with (
            tempfile.TemporaryDirectory(prefix="wecom-bench-") as folder,
            borrowed(_CLOSE_HOSTS if close else _HOSTS) as hosts,
        ):
            bench = _set_up(hosts, Path(folder), direct=not close)
            every = [case for edge in cases.EDGES for case in cases.at_edge(edge)]
            wanted = [case for case in every if not close or case.close or case.plain]
            cells = bench.measure(wanted, rounds, close_rounds, seconds)
            report = Report(
                command=" ".join(["python -m bench.proxy", *sys.argv[1:]]),
                machine={**_machine(load, rounds, close_rounds, seconds), **_versions(bench.proxies)},
                cells=cells,
            )
    except (BenchError, LabError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(report.as_markdown())
    if json_file:
        json_file.write_text(report.as_json())
    if write:
        kept = REPORT.read_text()
        if close:
            REPORT.write_text(with_section(kept, report.as_section()))
        else:
            # The other table is counted by bench.proxy.features.
            REPORT.write_text(with_section(report.as_file(), section_of(kept, FEATURES)))
            _CHART.write_text(chart.draw(cells))
        say(f"written to {REPORT}")


def _set_up(hosts: Sequence[BenchHost], folder: Path, direct: bool) -> Bench:
    """Every host gets its part. Certificates lie in `folder`, which must be private."""
    say("installing the client, the platform and the proxies")
    certificate = Certificate(folder)
    with ThreadPoolExecutor() as pool:
        client = pool.submit(Client, hosts[0])
        upstream = pool.submit(Upstream, hosts[1], folder)
        proxies: list[Future[Proxy]] = [pool.submit(Gateway, hosts[2], certificate, folder)]
        proxies += (pool.submit(kind, host, certificate) for kind, host in zip(_PEERS, hosts[3:], strict=False))
        return Bench(client.result(), upstream.result(), [proxy.result() for proxy in proxies], direct)


def _machine(load: float, rounds: int, close_rounds: int, seconds: int) -> dict[str, str]:
    return {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}; load {load:.1f} when it began, "
        f"{os.getloadavg()[0]:.1f} when it ended (its own is 2)",
        "placement": "the proxy alone on one core, with one worker; client and platform, one worker each, on another",
        "load": f"{CONNECTIONS} connections that ask again as soon as they have an answer: wrk by HTTP/1.1, and for "
        "full handshakes ab by HTTP/1.0",
        "runs": f"{rounds} of {seconds} s each, {close_rounds} of small answers over kept connections and of full "
        "handshakes; each after one of 1 s that warms up; the proxies take turns",
        "network": "a bridge on the same machine, so no round trips to speak of",
    }


def _versions(proxies: Sequence[Proxy]) -> dict[str, str]:
    return {proxy.name: f"{proxy.version()} on Debian 12" for proxy in proxies}


if __name__ == "__main__":
    cli()
