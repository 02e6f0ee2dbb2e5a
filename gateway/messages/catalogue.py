"""The catalogues of gateway/messages/locale/, read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from babel.messages.catalog import Message
from babel.messages.pofile import read_po

FOLDER = Path(__file__).parent / "locale/zh_CN/LC_MESSAGES"

# What click says itself, which has values by name: it looks them up by itself.
CLICK = "click"


@cache
def chinese() -> dict[str, str]:
    """The Chinese of every message; of one that counts, for one thing and for several."""
    return {english: text for name in _names() for english, text in read(name).items()}


@cache
def counts() -> frozenset[str]:
    """Messages whose first value is a number of things."""
    return frozenset(english for name in _names() for one in _messages(name) if one.pluralizable for english in one.id)


@cache
def read(name: str) -> dict[str, str]:
    """One catalogue's messages that have a translation."""
    found: dict[str, str] = {}
    for one in _messages(name):
        ids = [one.id] if isinstance(one.id, str) else one.id
        text = one.string if isinstance(one.string, str) else next(iter(one.string or ()), "")
        if text:
            found.update(dict.fromkeys(ids, text))
    return found


def _names() -> Iterator[str]:
    return (path.stem for path in sorted(FOLDER.glob("*.po")) if path.stem != CLICK)


@cache
def _messages(name: str) -> tuple[Message, ...]:
    with (FOLDER / f"{name}.po").open("rb") as file:
        return tuple(one for one in read_po(file, locale="zh_CN") if one.id)
