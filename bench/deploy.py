"""`python -m bench.deploy`: see bench/README.md."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click

from bench import ansible
from bench.beginning import begin
from bench.errors import BenchError
from bench.expectations import COMPARED_SITES, GATEWAY, GATEWAY_SLB, MITOGEN, PIPELINING, STOCK
from bench.hosts import borrowed
from bench.measure import Result, measure, reckon
from bench.progress import say
from bench.report import Report, machine
from bench.tools import Ansible, Gateway, StockPyinfra, Tool
from lab import LabError

_SCALE_SITES = (1, 100, 1000)
_SAMPLE_SITES = (1, 25)  # what the slow tools run instead of 200 or 1,000, which take half an hour, unless --full

_RESULTS = Path(__file__).resolve().parent / "RESULTS.md"


@click.command()
@click.option("--only", type=click.Choice(["scale", "compare"]), help="Run one part alone.")
@click.option("--quick", is_flag=True, help="Without Ansible.")
@click.option("--brief", is_flag=True, help="Run the slow tools with 1 and 10 sites alone.")
@click.option("--full", is_flag=True, help="Run the slow tools with every number of sites: over an hour.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Raw numbers.")
@click.option("--write", is_flag=True, help="Keep the report as bench/RESULTS.md.")
def cli(only: str | None, quick: bool, brief: bool, full: bool, json_file: Path | None, write: bool) -> None:
    """Measure deploys of this project and of what an operator would pick instead, on hosts of the lab."""
    load = begin()
    if brief:
        global _SAMPLE_SITES
        _SAMPLE_SITES = (1, 10)
    with_ansible = only != "scale" and not quick
    try:
        if with_ansible:
            ansible.install()
        with (
            tempfile.TemporaryDirectory(prefix="wecom-bench-") as folder,
            borrowed(5 if with_ansible else 3) as hosts,
        ):
            gateway = Gateway(GATEWAY, hosts[0], Path(folder), "tls")
            behind_slb = Gateway(GATEWAY_SLB, hosts[1], Path(folder), "slb")
            peers: list[Tool] = [StockPyinfra(STOCK, hosts[2], Path(folder), gateway)]
            if with_ansible:
                peers.append(Ansible(PIPELINING, hosts[3], Path(folder), gateway))
                peers.append(Ansible(MITOGEN, hosts[4], Path(folder), gateway, mitogen=True))
            measured = _Measured()
            scale = _scale(measured, [behind_slb, gateway], peers[0], full) if only != "compare" else []
            compare = _compare(measured, [gateway, *peers], full) if only != "scale" else []
            report = Report(
                command=" ".join(["python -m bench.deploy", *sys.argv[1:]]),
                machine=machine(hosts[0].versions(), load),
                scale=scale,
                compare=compare,
                not_run=_not_run(scale),
                failures=measured.failures,
            )
    except (BenchError, LabError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(report.as_markdown())
    if json_file:
        json_file.write_text(report.as_json())
    if write:
        _RESULTS.write_text(report.as_file())
        say(f"written to {_RESULTS}")


class _Measured:
    """Measures each tool with each number of sites once, however many parts of the report need it."""

    def __init__(self) -> None:
        self.failures: list[str] = []
        self._results: dict[tuple[str, int], list[Result]] = {}

    def results(self, tool: Tool, sites: int) -> list[Result]:
        """One result for each state, or none where one failed: the other tools' numbers are still worth having."""
        key = (tool.name, sites)
        if key not in self._results:
            try:
                self._results[key] = measure(tool, sites)
            except BenchError as error:
                self._results[key] = []
                self.failures.append(f"{tool.name}, {sites:,} sites: {error}")
                say(self.failures[-1])
        return self._results[key]


def _scale(measured: _Measured, own: list[Tool], stock: Tool, full: bool) -> list[Result]:
    results = [result for tool in own for sites in _SCALE_SITES for result in measured.results(tool, sites)]
    stock_sites = _SCALE_SITES if full else _SAMPLE_SITES
    return results + [result for sites in stock_sites for result in measured.results(stock, sites)]


def _compare(measured: _Measured, tools: list[Tool], full: bool) -> list[Result]:
    results: list[Result] = []
    for tool in tools:
        if full or tool.name == GATEWAY:
            results += measured.results(tool, COMPARED_SITES)
        else:
            small, large = (measured.results(tool, sites) for sites in _SAMPLE_SITES)
            results += [reckon(one, other, COMPARED_SITES) for one, other in zip(small, large, strict=False)]
    return results


def _not_run(scale: list[Result]) -> list[tuple[str, int, float]]:
    """The stock tool's numbers of sites that were left out, with its seconds for each further site."""
    stock = {result.sites: result for result in scale if (result.tool, result.state) == (STOCK, "unchanged")}
    if not stock.keys() >= set(_SAMPLE_SITES):
        return []
    small, large = (stock[sites] for sites in _SAMPLE_SITES)
    each = (large.seconds - small.seconds) / (large.sites - small.sites)
    return [(STOCK, sites, each) for sites in _SCALE_SITES if sites not in stock]


if __name__ == "__main__":
    cli()
