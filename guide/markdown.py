"""Markdown as the guide's pages have it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

# Code as it is, and what becomes code: what an operator types in quotes or brackets, a path of the checkout.
_CODE = re.compile(r'(`[^`]*`)|\[".*?"\]|\{".*?\}|"[^"]+"|(?:files|group_data)/[\w<>/.-]*[\w/]')


def heading(level: int, words: str, anchor: str = "") -> str:
    """A heading; with an anchor where other pages link to it."""
    return f"{'#' * level} {words}" + (f" {{ #{anchor} }}" if anchor else "")


def code(text: str, language: str = "") -> str:
    """A block that can be copied."""
    return f"```{language}\n{text}\n```"


def prose(text: str) -> str:
    """A sentence of the code's as Markdown: what an operator types becomes code."""
    return _CODE.sub(lambda match: match[1] or f"`{match[0]}`", text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a bar in a cell would end it and is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
