"""What is wrong with an inventory, told so that an operator can act on it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

from gateway.messages.said import code, finding

# No name is longer, and few paths of files are.
_LONGEST_PART = 400


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong: where, and a `text` that says what is wrong and what would be right.

    `host`, `domain` and `field` are "" where they do not apply. An "error" stops a deploy, a "warning" does not.
    """

    host: str
    domain: str
    field: str
    text: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        """One line for a terminal; control characters in names of files and hosts are escaped."""
        return f"{self.place}: {_on_one_line(self.text)}"

    @property
    def place(self) -> str:
        """Where it is, for a terminal: `host: domain: field`."""
        parts = [part for part in (self.host, self.domain, self.field) if part]
        return _on_one_line(": ".join(part if len(part) <= _LONGEST_PART else f"{part[:77]}..." for part in parts))

    def told(self) -> str:
        """The line in the operator's language, with its code behind it; the place stands as it is written."""
        return f"{self.place}: {finding(_on_one_line(self.text))}"

    def as_data(self) -> dict[str, str | None]:
        """For JSON, with the code by which the guide explains it."""
        return asdict(self) | {"code": code(self.text)}


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """Those problems that stop a deploy."""
    return [problem for problem in problems if problem.severity == "error"]


def count(number: int, noun: str) -> str:
    """The number with its noun: `1 site`, `2 sites`."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean "x"?` with the nearest known word, or a list of all known ones where none is near."""
    choices = sorted(map(str, known))
    close = nearest(word, choices)
    if close:
        return f'did you mean "{close}"?'
    if not choices:
        return "there is none to choose from"
    return "use one of " + ", ".join(f'"{choice}"' for choice in choices)


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word that is most like `word`, capitals aside; None where none is like it.

    `cutoff`, from 0 to 1, is how alike they must be (difflib).
    """
    choices = {str(choice).lower(): str(choice) for choice in known}
    close = difflib.get_close_matches(word.lower(), sorted(choices), n=1, cutoff=cutoff)
    return choices[close[0]] if close else None


# What a Chinese keyboard writes in the place of characters that mean something to a program.
LOOK_ALIKES = dict(zip("；：，。？－／（）【】｛｝“”‘’", ";:,.?-/()[]{}\"\"''", strict=True))


def look_alikes(text: str) -> str:
    """`"：" as ":"` for each of LOOK_ALIKES that is in the text; empty where none is."""
    found = dict.fromkeys(one for one in text if one in LOOK_ALIKES)
    return ", ".join(f"{one} as {LOOK_ALIKES[one]}" for one in found)


def shown(value: str) -> str:
    """The value for one line of a message: control characters escaped, at most 80 characters."""
    printable = value if value.isprintable() else _escaped(value)
    return printable if len(printable) <= 80 else printable[:77] + "..."


def printable(text: str) -> str:
    """The text with "?" for each control character: names of files and in certificates could steer a terminal."""
    return "".join(one if one.isprintable() else "?" for one in text)


def _on_one_line(text: str) -> str:
    return "".join(one if one.isprintable() else _escaped(one) for one in text)


def _escaped(value: str) -> str:
    return value.encode("unicode_escape").decode("ascii")
