"""How commands print tables, JSON and problems, and how they end where they were called wrongly."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

import click

from gateway.messages.said import code, colon, finding, said
from gateway.problems import Problem, count, errors, printable

# So many of a long list are printed; --json has them all.
SHOWN = 5

_COLORS = {"error": "red", "warning": "yellow"}


def say(
    text: str,
    color: str | None = None,
    label: str = "",
    *,
    err: bool = False,
    before: int = 0,
    folded: int | None = None,
    found: bool = False,
) -> None:
    """Prints a line in the operator's language, `before` spaces from the edge; with `found` it ends with its code.

    The label, such as "error", has the color; without one the text has it. With `folded` the line is folded on a
    terminal, further lines indented by so much; elsewhere it is one line, whatever its length.
    """
    told = finding(text) if found else said(text)
    told = _labelled(label, color, told) if label else _styled(told, color)
    line = " " * before + told
    if folded is not None and sys.stdout.isatty():
        # Its tables take a thirtieth of a second to read, which most commands need not wait for.
        import wcwidth

        width = max(shutil.get_terminal_size().columns, 30)
        further = " " * folded
        # paths and names of files are not torn apart
        line = "\n".join(
            wcwidth.wrap(line, width, subsequent_indent=further, break_long_words=False, break_on_hyphens=False)
        )
    click.echo(line, err=err)


def _labelled(label: str, color: str | None, told: str) -> str:
    return f"{_styled(said(label), color)}{colon()}{told}"


def _styled(text: str, color: str | None) -> str:
    return click.style(text, fg=color) if color else text


def stop(text: str, as_json: bool, exit_code: int = 1, *, found: bool = False) -> NoReturn:
    """Prints `text`, what is wrong with how the command was called, and exits; with `found` it is a finding of the
    inventory, and has its code."""
    if as_json:
        print_json({"error": text} | ({"code": code(text)} if found else {}))
    else:
        say(text, label="error", err=True, found=found)
    sys.exit(exit_code)


def refuse(*reasons: Problem | str) -> NoReturn:
    """Prints why nothing is done, a line for each reason, and exits with 1."""
    for reason in reasons:
        told = reason.told() if isinstance(reason, Problem) else finding(printable(reason))
        click.echo(_labelled("refused", "red", told), err=True)
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

    def tell(done: int, total: int) -> None:
        if not as_json and sys.stderr.isatty():
            click.echo("\r" + said(f"{done} of {count(total, what)} asked"), nl=done == total, err=True)

    return tell


def print_problems(problems: Sequence[Problem], err: bool = False, most: int | None = None) -> None:
    """Prints a line for each problem; with `most`, at most so many warnings and a line with how many were left out."""
    warnings = [problem for problem in problems if problem.severity == "warning"]
    kept = warnings[:most]
    for problem in problems if len(kept) == len(warnings) else [*errors(problems), *kept]:
        click.echo(_labelled(problem.severity, _COLORS[problem.severity], problem.told()), err=err)
    if len(kept) < len(warnings):
        say(f"and {len(warnings) - len(kept)} more; --json has them all", "yellow", "warning", err=err)


def aligned(rows: Sequence[tuple[str, ...]], colors: Sequence[str | None]) -> list[str]:
    """One line for each row, in columns and in the operator's language; the last cell has the row's color, or none."""
    import wcwidth  # as above

    told = [tuple(map(said, row)) for row in rows]
    widths = [max(wcwidth.width(row[column]) for row in told) for column in range(len(told[0]) - 1)]
    lines = []
    for row, color in zip(told, colors, strict=True):
        cells = [wcwidth.ljust(text, width) for text, width in zip(row[:-1], widths, strict=True)]
        lines.append("  ".join([*cells, click.style(row[-1], fg=color)]).rstrip())
    return lines
