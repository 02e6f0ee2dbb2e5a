"""What `--help` says, in the operator's language."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

# Where the help says how a command ends: "Exit 0 when clean ...".
_EXIT = re.compile(r"Exit (\d.*)$")


def paragraphs(command: click.Command) -> Iterator[tuple[str, str]]:
    """The help's paragraphs, each as a text and what it says at its end of exit codes; either may be empty."""
    for paragraph in (command.help or "").split("\n\n"):
        words = " ".join(paragraph.split())
        ends = _EXIT.search(words)
        yield (words[: ends.start()].strip(), ends[1]) if ends else (words, "")


def texts(command: click.Command) -> Iterator[str]:
    """Everything that is to be translated of a command's help, the options' included."""
    for text, exits in paragraphs(command):
        yield from filter(None, (text, exits))
    for one in command.params:
        if isinstance(one, click.Option) and one.help:
            yield one.help
