"""Puts a printed text into the operator's language, and finds the code of a finding.

A text is a message with values, or a line made of several: the messages in it are found again by the catalogues. So
what a host says is treated as what this program says, also where a host's release is older.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache

from gateway.messages.patterns import Index, Match

# Where in a line one message may end and the next begin. What is in brackets, or a further sentence, is one by itself.
_SEPARATOR = re.compile(r"(: |; |, |\n\s*|(?<=\.) (?=[A-Z])| (?=\())")
_CHINESE_SEPARATORS = {": ": "：", "; ": "；", ", ": "，", " ": ""}
_CHINESE_END = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]$")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_BRACKETS = re.compile(r"\((.+)\)([.:;,]?)", re.DOTALL)
_QUOTED = re.compile(r"^(?:\"[^\"]*\"|'[^']*') ")
_VALUE = re.compile(r"\{\{|\}\}|\{(\d+)\}")
# A line with more parts is a list of names.
_MOST_PARTS = 40


class Translation:
    """`catalogue` has each message in the operator's language; `counts` are those whose first value is a number."""

    def __init__(self, catalogue: Mapping[str, str], counts: Collection[str] = frozenset()) -> None:
        self._catalogue = catalogue
        self._index = Index(catalogue, counts)
        self._cached = lru_cache(maxsize=20_000)(self._translated)

    def __call__(self, text: str) -> str:
        """The text as it is to be read. Names, numbers, and what is no message, stay as they are."""
        return self._cached(text)

    def _translated(self, text: str) -> str:
        # What joins it to the next line is no part of a message.
        if text.endswith((":", ";")):
            said = self(text[:-1])
            return said + (_CHINESE_SEPARATORS[text[-1] + " "] if _CHINESE_END.search(said) else text[-1])
        parts = _parts(text)
        return text if len(parts) > 2 * _MOST_PARTS else self._joined(parts)

    def _joined(self, parts: list[str]) -> str:
        """Of parts, with what separates them, the longest runs that are messages, from the left."""
        said = ""
        start = 0
        while start < len(parts):
            end, text = self._longest(parts, start)
            separator = parts[end] if end < len(parts) else ""
            # Behind a value at the end of a translated message, a colon or comma may be the value's own.
            ends = _CHINESE if separator == "; " else _CHINESE_END
            if text != "".join(parts[start:end]) and ends.search(text):
                separator = _CHINESE_SEPARATORS.get(separator, separator)
            said += text + separator
            start = end + 1
        return said

    def _longest(self, parts: list[str], start: int) -> tuple[int, str]:
        """The message that begins with this part, and the part behind it; else the part alone."""
        longest = None
        for end, text in _runs(parts, start):
            found = self._index.find(text)
            # Of one in whose value a further message begins, rather the shorter one that ends before it.
            if found and not any("; " in value and not self._index.find(value) for value in found.values):
                return end, self._message(found)
            longest = longest or (found and (end, found))
        if longest:
            return longest[0], self._message(longest[1])
        return start + 1, self._in_brackets(parts[start])

    def _message(self, found: Match) -> str:
        values = [one if quoted else self(one) for one, quoted in zip(found.values, found.quoted, strict=True)]
        return _VALUE.sub(lambda one: values[int(one[1])] if one[1] else one[0][0], self._catalogue[found.message])

    def _in_brackets(self, text: str) -> str:
        found = _BRACKETS.fullmatch(text)
        return f"({self(found[1])}){found[2]}" if found else text


class Codes:
    """`codes` has the code of each message that has one."""

    def __init__(self, codes: Mapping[str, str]) -> None:
        self._codes = codes
        self._index = Index(codes)
        self._cached = lru_cache(maxsize=20_000)(self._found)

    def __call__(self, text: str) -> str | None:
        """The code of the first message in the text that has one."""
        return self._cached(text)

    def _found(self, text: str) -> str | None:
        parts = _parts(text)
        if len(parts) > 2 * _MOST_PARTS:
            return None
        runs = (run for start in range(0, len(parts), 2) for _, run in _runs(parts, start))
        # Of what is wrong with a value, the value may stand before the message.
        texts = (text for run in runs for text in dict.fromkeys((run, _QUOTED.sub("", run))))
        found = next(filter(None, map(self._index.find, texts)), None)
        return self._codes[found.message] if found else None


def _parts(text: str) -> list[str]:
    """The text at each separator, with these between; what is in brackets stays together."""
    parts, start = [], 0
    depth = counted = 0
    for one in _SEPARATOR.finditer(text):
        depth += text.count("(", counted, one.start()) - text.count(")", counted, one.start())
        counted = one.start()
        if depth <= 0:
            parts += [text[start : one.start()], one[0]]
            start = one.end()
    return [*parts, text[start:]]


def _runs(parts: list[str], start: int) -> Iterator[tuple[int, str]]:
    """Texts that begin with this part, the longest first, and the part behind each."""
    for end in range(len(parts), start, -2):
        text = "".join(parts[start:end])
        # A word before a colon is a place: the name of a key, of a host.
        if end > start + 1 or parts[end : end + 1] != [": "] or not text.isascii() or " " in text:
            yield end, text
