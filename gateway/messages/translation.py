"""Puts a printed text into another language: the message that it is, and the messages that it is made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from gateway.messages.patterns import Index

# Where one message ends and the next begins in a line made of several. A full stop belongs to the sentence before it.
_SEPARATOR = re.compile(r"(: |; |, | - |\n\s*|(?<=\.) (?=[A-Z])|(?= \())")
_WIDE_SEPARATORS = {": ": "：", "; ": "；", ", ": "，"}
_HAN = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]$")
# More parts than any line of ours has: lists of names, which are not translated part by part.
_MOST_PARTS = 60


class Translation:
    """`catalogue` has the translation of each message; both have `{0}` for values."""

    def __init__(self, catalogue: Mapping[str, str]) -> None:
        self._catalogue = catalogue
        self._index = Index(catalogue)
        self._cached = lru_cache(maxsize=20_000)(self._translated)

    def __call__(self, text: str) -> str:
        """The text with every message in it translated. Names, numbers and what is no message stay as they are."""
        return self._cached(text)

    def message(self, text: str) -> str | None:
        """The message that `text` is, or that it begins with behind the place: as the catalogue has it."""
        parts = _SEPARATOR.split(text)[:_MOST_PARTS]
        for start in range(0, len(parts), 2):
            for end in range(len(parts), start, -2):
                if found := self._index.find("".join(parts[start:end])):
                    return found.message
        return None

    def _translated(self, text: str) -> str:
        whole = self._whole(text)
        if whole is not None:
            return whole
        parts = _SEPARATOR.split(text)
        if len(parts) == 1 or len(parts) > 2 * _MOST_PARTS:
            return self._bracketed(text)
        return self._joined(parts)

    def _whole(self, text: str) -> str | None:
        """The translation where all of the text is one message."""
        found = self._index.find(text)
        if found is None:
            return None
        values = [self(value) if value != text else value for value in found.values]
        translated = self._catalogue[found.message] or found.message
        return re.sub(
            r"\{\{|\}\}|\{(\d+)\}", lambda one: values[int(one[1])] if one[1] else one[0][0], translated
        )

    def _joined(self, parts: list[str]) -> str:
        """Of parts and what separates them the longest runs that are messages, from the left."""
        said = ""
        start = 0
        while start < len(parts):
            end, text = next(
                (
                    (end, whole)
                    for end in range(len(parts), start, -2)
                    if (whole := self._whole("".join(parts[start:end]))) is not None
                ),
                (start + 1, self._bracketed(parts[start])),
            )
            said += text
            if end < len(parts):
                separator = parts[end]
                said += _WIDE_SEPARATORS.get(separator, separator) if _HAN.search(text) else separator
            start = end + 1
        return said

    def _bracketed(self, text: str) -> str:
        """A text in brackets, or one that has a number or a name before it."""
        if found := re.fullmatch(r"( ?\()(.+)(\)[.,;:]?)", text, re.DOTALL):
            return f"{found[1]}{self(found[2])}{found[3]}"
        return text
