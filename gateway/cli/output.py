"""How commands print tables, JSON and problems, and how they end where they were called wrongly."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import NoReturn

import click

from gateway.problems import Problem, count, errors, printable

# So many of a long list are printed; --json has them all.
SHOWN = 5

_COLORS = {"error": "red", "warning": "yellow"}


def stop(text: str, as_json: bool, exit_code: int = 1) -> NoReturn:
    """Prints `text`, what is wrong with how the command was called, and exits."""
    if as_json:
        print_json({"error": text})
    else:
        click.echo(f"error: {text}", err=True)
    sys.exit(exit_code)


def refuse(*reasons: Problem | str) -> NoReturn:
    """Prints why nothing is done, a line for each reason, and exits with 1."""
    for reason in reasons:
        click.echo(f"{click.style('refused', fg='red')}: {printable(str(reason))}", err=True)
    sys.exit(1)


def print_json(data: object) -> None:
    """Prints `data` as indented JSON, in ASCII where standard output cannot take other characters.

    What is no letter or sign stands as its number: strangers' words are in it, and a terminal may show it.
    """
    text = json.dumps(data, ensure_ascii=False, indent=2)
    text = "".join(one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in text)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(data, indent=2)
    click.echo(text)


def progress(what: str, as_json: bool) -> Callable[[int, int], None]:
    """To be called with how many of something are done and how many there are: says so on a terminal, in one line that
    is written over. Says nothing where there is no terminal, and with `as_json`."""

    def say(done: int, total: int) -> None:
        if not as_json and sys.stderr.isatty():
            click.echo(f"\r{done} of {count(total, what)} asked", nl=done == total, err=True)

    return say


def print_problems(problems: Sequence[Problem], err: bool = False, most: int | None = None) -> None:
    """Prints a line for each problem; with `most`, at most so many warnings and a line with how many were left out."""
    warnings = [problem for problem in problems if problem.severity == "warning"]
    kept = warnings[:most]
    for problem in problems if len(kept) == len(warnings) else [*errors(problems), *kept]:
        click.echo(f"{click.style(problem.severity, fg=_COLORS[problem.severity])}: {problem}", err=err)
    if len(kept) < len(warnings):
        text = f"and {len(warnings) - len(kept)} more; --json has them all"
        click.echo(f"{click.style('warning', fg='yellow')}: {text}", err=err)


def aligned(rows: Sequence[tuple[str, ...]], colors: Sequence[str | None]) -> list[str]:
    """One line for each row, in columns; the last cell has the row's color, or none."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    lines = []
    for row, color in zip(rows, colors, strict=True):
        cells = [text.ljust(width) for text, width in zip(row[:-1], widths, strict=True)]
        lines.append("  ".join([*cells, click.style(row[-1], fg=color)]).rstrip())
    return lines


def folded(text: str, indent: int, label: str = "", color: str | None = None) -> str:
    """`label` and `text`, the label in the color, or without one the text. On a terminal further lines are indented;
    elsewhere it is one line, whatever its length."""
    lines = [label + text]
    if sys.stdout.isatty():
        width = max(shutil.get_terminal_size().columns, 30)
        # paths and names of files are not torn apart
        lines = textwrap.wrap(
            lines[0], width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
        )
    whole = "\n".join(lines)
    colored = len(label) or len(whole)
    return click.style(whole[:colored], fg=color) + whole[colored:] if color else whole
