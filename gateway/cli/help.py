"""What `--help` and wrong options say, in the operator's language."""

from __future__ import annotations

import copy
import gettext
import re
import sys
from collections.abc import Iterator, Mapping
from typing import TypeVar

import click

# Where the help says how a command ends: "Exit 0 when clean ...".
_EXIT = re.compile(r"Exit (\d.*)$")

_CommandT = TypeVar("_CommandT", bound=click.Command)


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


def in_chinese(group: click.Group, translations: Mapping[str, str], clicks_own: Mapping[str, str]) -> click.Group:
    """A copy of the command line whose help is translated; click itself speaks Chinese from then on."""
    _have_click_say(clicks_own)
    click.Context.formatter_class = _Formatter
    told = _translated(group, translations)
    told.commands = {name: _translated(one, translations) for name, one in group.commands.items()}
    return told


class _Formatter(click.HelpFormatter):
    def write_heading(self, heading: str) -> None:
        """click puts a colon of its own behind a heading."""
        self.write(f"{'':>{self.current_indent}}{heading}：\n")


def _translated(command: _CommandT, translations: Mapping[str, str]) -> _CommandT:
    told = copy.copy(command)
    parts = [
        "".join(filter(None, (translations.get(text, text), exits and f"退出码：{translations.get(exits, exits)}")))
        for text, exits in paragraphs(command)
    ]
    told.help = "\n\n".join(parts)
    # click ends a short help at the first full stop, and knows none but Europe's.
    told.short_help = parts[0].partition("。")[0]
    told.params = [_with_help(one, translations) for one in command.params]
    return told


def _with_help(parameter: click.Parameter, translations: Mapping[str, str]) -> click.Parameter:
    if not isinstance(parameter, click.Option) or not parameter.help:
        return parameter
    told = copy.copy(parameter)
    told.help = translations.get(parameter.help, parameter.help)
    return told


def _have_click_say(texts: Mapping[str, str]) -> None:
    """click asks gettext by the locale of the environment, which GATEWAY_LANG need not be."""

    def one(text: str) -> str:
        return texts.get(text, text)

    def several(singular: str, plural: str, number: int) -> str:
        return texts.get(singular, singular if number == 1 else plural)

    for name, module in sys.modules.items():
        if name.startswith("click."):
            for asked, answer in ((gettext.gettext, one), (gettext.ngettext, several)):
                for word in [word for word, value in vars(module).items() if value is asked]:
                    setattr(module, word, answer)
