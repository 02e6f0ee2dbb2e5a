"""Which finding somebody has pasted, in English or Chinese, however a screenshot has broken its lines."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from gateway.messages.catalogue import chinese
from gateway.messages.patterns import Pattern
from gateway.messages.said import CODES

# What stands before a message and behind it where it is no part of a word: a place, quotes, a further message.
_ENDS = frozenset(":;,.。()[]\"'")
# A finding is shorter, and nobody reads so many of them.
_LONGEST = 20_000


def recognised(text: str) -> str | None:
    """The code of the message with the most words that stands in the text; None where there is none."""
    bare = _bare(text[:_LONGEST])
    return next((code for literals, code in _messages() if _stands_in(bare, literals)), None)


def _stands_in(text: str, literals: tuple[str, ...]) -> bool:
    """Whether they follow one another, the first where a message can begin, the last where one can end."""
    first, *others = literals
    for start in _places(text, first):
        if first and start and text[start - 1] not in _ENDS:
            continue
        end = start + len(first)
        for one in others:
            place = text.find(one, end)
            if place < 0:
                return False
            end = place + len(one)
        # a value at the end may be anything
        if not literals[-1] or end == len(text) or text[end] in _ENDS:
            return True
    return False


def _places(text: str, part: str) -> Iterator[int]:
    """Where the part stands; of an empty one the first place alone."""
    place = text.find(part)
    while place >= 0:
        yield place
        place = text.find(part, place + 1) if part else -1


@cache
def _messages() -> list[tuple[tuple[str, ...], str]]:
    """What stands between the values of each message that has a code, in both languages.

    First come those with the longest run of words: "right would be" stands in many.
    """
    codes: dict[str, str] = json.loads(CODES.read_text(encoding="utf-8"))["codes"]
    told = chinese()
    texts = [(text, code) for english, code in codes.items() for text in (english, told.get(english, english))]
    found = {(tuple(_bare(one) for one in Pattern(text).literals), code): None for text, code in texts}
    return sorted(found, key=lambda one: (-max(map(len, one[0])), -sum(map(len, one[0])), one))


def _bare(text: str) -> str:
    """The text without white space and in half-width characters."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
