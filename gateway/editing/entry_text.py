"""A new entry as text, written as those beside it are."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.editing.inventory_code import WIDTH, Slot, Writer

_OPENS_ALONE = re.compile(r"\(\s*\n")


def site(entry: Mapping[str, object], quote: str, newline: str) -> Writer:
    """Writes a site: on one line where it fits, else a key a line."""
    return lambda slot: _site(entry, slot.indent, slot.unit, quote, newline, slot.room if not slot.inline else None)


def host(name: str, entry: Mapping[str, object], quote: str, newline: str) -> Writer:
    """Writes a host with this one site, in the way of the host before it in the list:

        ("203.0.113.10", {"sites": [{...}]})

        ("203.0.113.10", {"sites": [
            {...},
        ]})

    or each bracket on a line of its own, as ruff and black do, where there is none before it and where it is too long.
    """

    def write(slot: Slot) -> str:
        title, key = literal(name, quote), literal("sites", quote)
        line = f"({title}, {{{key}: [{literal(entry, quote)}]}})"
        comma = "," if slot.comma else ""
        if slot.inline or (slot.sibling and "\n" not in slot.sibling and len(line) <= slot.room):
            return line
        if slot.sibling and "\n" in slot.sibling and not _OPENS_ALONE.match(slot.sibling):
            inner = slot.indent + slot.unit
            text = _site(entry, inner, slot.unit, quote, newline, WIDTH - len(inner) - 1)
            return newline.join([f"({title}, {{{key}: [", f"{inner}{text}{comma}", f"{slot.indent}]}})"])
        one, two, three, four = (slot.indent + slot.unit * depth for depth in (1, 2, 3, 0))
        text = _site(entry, three, slot.unit, quote, newline, WIDTH - len(three) - 1)
        return newline.join(
            [
                "(",
                f"{one}{title},",
                f"{one}{{",
                f"{two}{key}: [",
                f"{three}{text}{comma}",
                f"{two}]",
                f"{one}}}{comma}",
                f"{four})",
            ]
        )

    return write


def literal(value: object, quote: str) -> str:
    """Python for a text, or a list or dict of such values, on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(key, quote)}: {literal(one, quote)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(literal(one, quote) for one in value) + "]"
    text = repr(value)
    inner = text[1:-1]
    # repr has escaped what has to be; without a backslash and another mark the marks alone may differ
    return text if "\\" in inner or quote in inner or "'" in inner else f"{quote}{inner}{quote}"


def _site(entry: Mapping[str, object], indent: str, unit: str, quote: str, newline: str, room: int | None) -> str:
    """The site on one line; where that is longer than `room`, on several."""
    line = literal(entry, quote)
    if room is None or len(line) <= room:
        return line
    rows = [f"{indent}{unit}{literal(key, quote)}: {literal(value, quote)}," for key, value in entry.items()]
    return newline.join(["{", *rows, f"{indent}}}"])
