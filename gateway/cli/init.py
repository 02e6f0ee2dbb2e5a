"""`python -m gateway init`: begins a repository of the operator's own."""

from __future__ import annotations

from pathlib import Path

import click

from gateway import starter
from gateway.cli.output import print_json, say, stop
from gateway.problems import count, printable


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output on standard output.")
def init(folder: Path, as_json: bool) -> None:
    """Write a repository of your own into DIR: everything that deploys need but the product itself.

    An inventory with examples, group_data, files, deploy.py, rollback.py, config.py, .gitignore, requirements.lock,
    a README in both languages, and a workflow for the forge. DIR is made, or is empty but for .git and .venv. Exit 0
    when written, 1 when DIR is not empty or cannot be written.
    """
    try:
        written = starter.write(folder)
    except starter.FolderError as error:
        stop(printable(str(error)), as_json)
    if as_json:
        print_json({"files": [str(path) for path in written]})
        return
    steps = _next_steps(folder)
    say(f"{count(len(written), 'file')} in {_shown(folder)}; next:")
    for number, step in enumerate(steps, 1):
        say(f"{number}. {step}", before=2)


def _next_steps(folder: Path) -> list[str]:
    """What is left to do, in its order."""
    return [
        *starter.first_steps(folder),
        "replace the examples in inventory/prod.py and inventory/test.py",
        "wecom-gateway check inventory/prod.py",
        "README.md, README.zh-CN.md: what the forge needs to deploy from here",
    ]


def _shown(folder: Path) -> str:
    return printable(str(folder))
