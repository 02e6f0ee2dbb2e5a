"""Every page of the guide stands in English (`page.md`) and in Chinese (`page.zh.md`), with the same headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

_CHINESE = ".zh.md"
_FENCE = re.compile(r" *(```+|~~~+)")
_HEADING = re.compile(r"(#{1,6}) +(.*?)(?: *\{ *#([\w-]+) *\})? *$")


class Heading(NamedTuple):
    """A heading's level, from 1 to 6, the anchor that is written behind it or "", and its words."""

    level: int
    anchor: str
    words: str


def mistakes(docs: Path) -> list[str]:
    """What is wrong with the pages below `docs`: each page that lacks the other language, each pair that differs."""
    pages = sorted(page for page in docs.rglob("*.md"))
    found = []
    for page in pages:
        other = _counterpart(page)
        name = page.relative_to(docs)
        if not other.exists():
            found.append(f"{name}: there is no {other.relative_to(docs)}")
        elif not page.name.endswith(_CHINESE):
            found += [f"{name}: {text}" for text in _differences(page, other)]
    return found


def _counterpart(page: Path) -> Path:
    """The same page in the other language."""
    if page.name.endswith(_CHINESE):
        return page.with_name(page.name.removesuffix(_CHINESE) + ".md")
    return page.with_name(page.stem + _CHINESE)


def _differences(english: Path, chinese: Path) -> Iterator[str]:
    """The first place where the two have other headings."""
    for one, other in zip_longest(headings(english.read_text("utf-8")), headings(chinese.read_text("utf-8"))):
        if one is None or other is None:
            yield f'only one language has the heading "{(one or other).words}"'
            return
        if one[:2] != other[:2]:
            yield f'"{one.words}" is {_shape(one)}, in Chinese "{other.words}" is {_shape(other)}'
            return


def _shape(heading: Heading) -> str:
    return "#" * heading.level + (f" with the anchor #{heading.anchor}" if heading.anchor else " without an anchor")


def headings(text: str) -> list[Heading]:
    """The headings of a page in order; what looks like one in a code block is none."""
    found, fence = [], ""
    for line in text.splitlines():
        if opening := _FENCE.match(line):
            if not fence:
                fence = opening[1]
            elif opening[1].startswith(fence) and not line.strip(" `~"):
                fence = ""
        elif not fence and (match := _HEADING.match(line)):
            found.append(Heading(len(match[1]), match[3] or "", match[2]))
    return found
