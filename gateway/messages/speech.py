"""Puts a printed text into the operator's language, and a code behind each message that the guide has a place for.

A text is a message with values, or a line made of several: the messages in it are found again by the catalogues. So
what a host says is treated as what this program says, also where a host's release is older.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache

from gateway.messages.patterns import Index, Match

# Where in a line one message may end and the next begin. What is in brackets, or a further sentence, is one by itself.
_SEPARATOR = re.compile(r"(: |; |, |\n\s*|(?<=\.) (?=[A-Z])| (?=\())")
_CHINESE_SEPARATORS = {": ": "：", "; ": "；", ", ": "，", " ": ""}
_CHINESE_END = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]$")
_BRACKETS = re.compile(r"\((.+)\)([.:;,]?)", re.DOTALL)
_VALUE = re.compile(r"\{\{|\}\}|\{(\d+)\}")
# A line with more parts is a list of names.
_MOST_PARTS = 40


class Speech:
    """`translations` has each message in the operator's language, and none where that is English; `codes` has the code
    of those messages that have one. `counts` are those whose first value is a number."""

    def __init__(
        self, translations: Mapping[str, str], codes: Mapping[str, str], counts: Collection[str] = frozenset()
    ) -> None:
        self._translations = translations
        self._codes = codes
        self._index = Index({**translations, **codes}, counts)
        self._said = lru_cache(maxsize=20_000)(self._as_said)

    def __call__(self, text: str) -> str:
        """The text as it is to be read. Names, numbers, and what is no message, stay as they are."""
        return self._said(text, True)

    def _as_said(self, text: str, coded: bool) -> str:
        parts = _parts(text)
        return text if len(parts) > 2 * _MOST_PARTS else self._joined(parts, coded)

    def _whole(self, text: str, found: Match, coded: bool) -> str:
        """A text that is one message."""
        code = self._codes.get(found.message) if coded else None
        said = self._translated(text, found)
        return f"{said} [{code}]" if code else said

    def _translated(self, text: str, found: Match) -> str:
        translation = self._translations.get(found.message)
        if translation is None:
            return text
        # A code stands behind the whole message alone.
        values = [self._said(value, False) for value in found.values]
        return _VALUE.sub(lambda one: values[int(one[1])] if one[1] else one[0][0], translation)

    def _joined(self, parts: list[str], coded: bool) -> str:
        """Of parts, with what separates them, the longest runs that are messages, from the left."""
        said = ""
        start = 0
        while start < len(parts):
            end, text = self._longest(parts, start, coded)
            separator = parts[end] if end < len(parts) else ""
            if text != "".join(parts[start:end]) and _CHINESE_END.search(text):
                separator = _CHINESE_SEPARATORS.get(separator, separator)
            said += text + separator
            start = end + 1
        return said

    def _longest(self, parts: list[str], start: int, coded: bool) -> tuple[int, str]:
        """The message that begins with this part, and the part behind it; else the part alone."""
        longest = None
        for end in range(len(parts), start, -2):
            text = "".join(parts[start:end])
            # A word before a colon is a place: the name of a key, of a host.
            if end == start + 1 and parts[end : end + 1] == [": "] and text.isascii() and " " not in text:
                continue
            found = self._index.find(text)
            # Of one in whose value a further message begins, rather the shorter one that ends before it.
            if found and not any("; " in value and not self._index.find(value) for value in found.values):
                return end, self._whole(text, found, coded)
            longest = longest or (found and (end, text, found))
        if longest:
            return longest[0], self._whole(longest[1], longest[2], coded)
        return start + 1, self._in_brackets(parts[start])

    def _in_brackets(self, text: str) -> str:
        found = _BRACKETS.fullmatch(text)
        return f"({self._said(found[1], False)}){found[2]}" if found else text


def _parts(text: str) -> list[str]:
    """The text at each separator, with these between; what is in brackets stays together."""
    parts, start = [], 0
    for one in _SEPARATOR.finditer(text):
        if text.count("(", 0, one.start()) <= text.count(")", 0, one.start()):
            parts += [text[start : one.start()], one[0]]
            start = one.end()
    return [*parts, text[start:]]
