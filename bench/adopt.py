"""`python -m bench.adopt`: 500 server blocks as a panel writes them, out of what `nginx -T` prints.

Prints the median wall seconds of the whole command, expected to be under 5. Needs no host and no lab.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median

import click

from bench import commands
from bench.errors import BenchError

_BLOCKS, _RUNS, _EXPECTED = 500, 5, 5
_PRINTED = Path(__file__).resolve().parent.parent / "tests/adopt/panel.txt"
_HEADER = "# configuration file "
# The one site of that file which becomes an entry, and the address behind it.
_DOMAIN, _UPSTREAM = "card.school.edu.cn", "10.30.211.116"


@click.command()
def cli() -> None:
    """Measure `python -m gateway adopt` with five hundred server blocks."""
    try:
        with tempfile.TemporaryDirectory(prefix="wecom-bench-") as temporary:
            folder = Path(temporary)
            (folder / "old.txt").write_text(_printed())
            command = [sys.executable, "-m", "gateway", "adopt", "old.txt", "--out"]
            environment = {"PYTHONPATH": str(_PRINTED.parents[2])}
            seconds = [commands.run([*command, f"new-{number}"], folder, environment) for number in range(_RUNS + 1)]
    except BenchError as error:
        raise click.ClickException(str(error)) from None
    taken = median(seconds[1:])  # the first one compiles the package's modules
    verdict = "met" if taken < _EXPECTED else "NOT MET"
    click.echo(f"adopt of {_BLOCKS} server blocks: {taken:.2f} s, expected under {_EXPECTED}: {verdict}")


def _printed() -> str:
    """What nginx prints of a panel with so many sites, each with its four files."""
    before, *files = _PRINTED.read_text().split(_HEADER)
    own = [file for file in files if _DOMAIN in file.splitlines()[0]]
    shared = [file for file in files if file not in own]
    sites = [
        file.replace(_DOMAIN, f"card.school-{number}.edu.cn").replace(
            _UPSTREAM, f"10.30.{number // 250}.{number % 250}"
        )
        for number in range(_BLOCKS)
        for file in own
    ]
    return _HEADER.join([before, *shared, *sites])


if __name__ == "__main__":
    cli()
