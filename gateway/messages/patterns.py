"""Which message a printed text is, and which values stand in it.

A message is English with `{0}`, `{1}` for its values, as the catalogues have it: "port {0} is held by {1}".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

_VALUE = re.compile(r"(\{\d+\})")
_WORD = re.compile(r"[A-Za-z]{2,}")
# A word that touches a value may go on in it.
_MARK = "_"
_WHOLE_WORD = re.compile(r"(?<![A-Za-z_])[A-Za-z]{2,}(?![A-Za-z_])")


@dataclass(frozen=True)
class Pattern:
    """A message with values; `text` is as the catalogue has it. `counts`: its first value is a number."""

    text: str
    counts: bool = False

    @cached_property
    def literals(self) -> list[str]:
        """What stands before, between and behind the values."""
        return [one.replace("{{", "{").replace("}}", "}") for one in _VALUE.split(self.text)[::2]]

    @cached_property
    def weight(self) -> int:
        """How many characters are the message's own: of two that fit, the one with more of them is meant."""
        return sum(map(len, self.literals))

    @cached_property
    def expression(self) -> re.Pattern[str]:
        first, *others = [re.escape(one) for one in self.literals]
        # A value that begins the message has no ": " in it, before which a place would stand; but a list or dict, as an
        # entry has it, may.
        value = r"(\d+)" if self.counts else "(.*?)" if first else r"([\[{].*?|(?:(?!: ).)+?)"
        expression = first
        for place, (literal, quoted) in enumerate(zip(others, self.quoted, strict=True), 1):
            # What is quoted ends with its quote.
            part = (r'([^"]*)' if quoted else value) + literal
            # Where a literal stands first, it is the one, and no other place is tried: in a long text that takes for
            # ever. Only before something quoted it may be the wrong one, and the last one has to be at the end.
            is_settled = place < len(others) and not any(self.quoted[place:])
            expression += f"(?>{part})" if is_settled else part
            value = "(.*?)"
        return re.compile(expression, re.DOTALL)

    @cached_property
    def quoted(self) -> list[bool]:
        """Of each value whether it stands in quotes: it is somebody's own words then."""
        pairs = pairwise(self.literals)
        return [before.endswith('"') and behind.startswith('"') for before, behind in pairs]

    @cached_property
    def words(self) -> list[str]:
        """Words that a text has to have to be this message, the longest first."""
        return sorted(_WHOLE_WORD.findall(_MARK.join(self.literals)), key=len, reverse=True)


@dataclass(frozen=True)
class Match:
    """The message that a text is, and the values in it."""

    message: str
    values: tuple[str, ...]
    quoted: tuple[bool, ...] = ()


class Index:
    """Finds the message that a whole text is."""

    def __init__(self, messages: Iterable[str], counts: Collection[str] = ()) -> None:
        self._exact: dict[str, str] = {}
        self._by_word: dict[str, list[Pattern]] = {}
        self._others: list[Pattern] = []
        for message in messages:
            pattern = Pattern(message, message in counts)
            if len(pattern.literals) == 1:
                self._exact[pattern.literals[0]] = message
                continue
            (self._by_word.setdefault(pattern.words[0], []) if pattern.words else self._others).append(pattern)

    def find(self, text: str) -> Match | None:
        """The message that `text` is from its first to its last character; None where it is none."""
        if text in self._exact:
            return Match(self._exact[text], ())
        for pattern in sorted(self._candidates(text), key=lambda one: -one.weight):
            if found := pattern.expression.fullmatch(text):
                return Match(pattern.text, found.groups(), tuple(pattern.quoted))
        return None

    def _candidates(self, text: str) -> Iterator[Pattern]:
        for word in set(_WORD.findall(text)):
            yield from self._by_word.get(word, ())
        yield from self._others
