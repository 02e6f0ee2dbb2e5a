"""`python -m bench.fleet`: a deploy with nothing to do, over one host and over sixteen.

Prints the median wall seconds of both and their ratio, expected to be at most 2.
"""

from __future__ import annotations

import pprint
import tempfile
from pathlib import Path
from statistics import median

import click

from bench import commands
from bench.errors import BenchError
from bench.hosts import borrowed
from bench.progress import say
from bench.schools import Fleet
from bench.tools import copied_checkout, pyinfra_data
from lab import LabError

_HOSTS = 16
_RUNS = 3
_EXPECTED = 2


@click.command()
def cli() -> None:
    """Measure a deploy with nothing to do over one host and over sixteen."""
    try:
        with tempfile.TemporaryDirectory(prefix="wecom-bench-") as temporary, borrowed(_HOSTS) as hosts:
            folder = Path(temporary) / "checkout"
            copied_checkout(folder)
            sites = [school.entry() for school in Fleet.of(3, "slb").schools]
            entries = [(host.name, {**pyinfra_data(host), "sites": sites}) for host in hosts]
            (folder / "inventory" / "bench.py").write_text(f"wanxiao_prod = {pprint.pformat(entries)}\n")
            command: list[str | Path] = [commands.beside_python("pyinfra"), "-y", "inventory/bench.py", "deploy.py"]
            say(f"{_HOSTS} hosts from bare: {commands.run(command, folder):.2f} s")
            one = [*command, "--limit", hosts[0].name]
            seconds = {
                1: median(commands.run(one, folder) for _ in range(_RUNS)),
                _HOSTS: median(commands.run(command, folder) for _ in range(_RUNS)),
            }
    except (BenchError, LabError) as error:
        raise click.ClickException(str(error)) from None
    ratio = seconds[_HOSTS] / seconds[1]
    verdict = "met" if ratio <= _EXPECTED else "NOT MET"
    click.echo(
        f"| hosts | unchanged |\n| --- | --- |\n| 1 | {seconds[1]:.2f} s |\n| {_HOSTS} | {seconds[_HOSTS]:.2f} s |\n"
    )
    click.echo(f"{_HOSTS} hosts against one: {ratio:.1f} times, expected at most {_EXPECTED}: {verdict}")


if __name__ == "__main__":
    cli()
