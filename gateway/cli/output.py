"""How commands print: tables, JSON, problems, and the end of a run that was called wrongly."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from gateway.problems import Problem, errors

# How many of many like things are listed; --json has them all.
SHOWN = 5

_COLORS = {"error": "red", "warning": "yellow"}


def stop(text: str, as_json: bool, exit_code: int = 1) -> NoReturn:
    """Ends the run with what is wrong with how it was called."""
    if as_json:
        print_json({"error": text})
    else:
        click.echo(f"error: {text}", err=True)
    sys.exit(exit_code)


def print_json(data: object) -> None:
    """Indented, for people to read as well; ASCII alone where standard output cannot take other characters."""
    text = json.dumps(data, ensure_ascii=False, indent=2)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(data, indent=2)
    click.echo(text)


def print_problems(problems: Sequence[Problem], err: bool = False, most: int | None = None) -> None:
    """A line for each problem. With `most`, no more warnings than that and a line that says how many are left out."""
    warnings = [problem for problem in problems if problem.severity == "warning"]
    kept = warnings[:most]
    for problem in problems if len(kept) == len(warnings) else [*errors(problems), *kept]:
        click.echo(f"{click.style(problem.severity, fg=_COLORS[problem.severity])}: {problem}", err=err)
    if len(kept) < len(warnings):
        text = f"and {len(warnings) - len(kept)} more; --json has them all"
        click.echo(f"{click.style('warning', fg='yellow')}: {text}", err=err)


def aligned(rows: Sequence[tuple[str, ...]], colors: Sequence[str | None]) -> list[str]:
    """A line for each row, its columns as wide as the widest cell, the last one in the row's color."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    lines = []
    for row, color in zip(rows, colors, strict=True):
        cells = [text.ljust(width) for text, width in zip(row[:-1], widths, strict=True)]
        lines.append("  ".join([*cells, click.style(row[-1], fg=color)]).rstrip())
    return lines
