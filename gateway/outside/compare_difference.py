"""One thing that differs between the gateway and the old server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# "gateway" or "old": this one is right, by a rule. "neither": both break one. "open": no rule says. "neutral": to
# visitors it is all the same. "unasked": what would have to be compared could not be asked.
Right = Literal["gateway", "old", "neither", "open", "neutral", "unasked"]


@dataclass(frozen=True)
class Difference:
    """What differs between the two in one trait of the answers for `subject`, a URL.

    `right` says who is right, and `reason` why, or what to look at. `others` are subjects with the same difference.
    """

    check: str
    subject: str
    trait: str
    gateway: str
    old: str
    right: Right
    reason: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """One site at one address of the gateway, beside the old server. `asked` counts the questions to both."""

    name: str
    hosts: tuple[str, ...]
    address: str
    old: str
    asked: int
    differences: tuple[Difference, ...]

    @property
    def alike(self) -> bool:
        """Whether nothing differs that makes a difference to anybody."""
        return all(one.right == "neutral" for one in self.differences)

    def count(self, right: Right) -> int:
        return sum(one.right == right for one in self.differences)


def unasked(url: str, gateway: str, old: str, reason: str) -> Difference:
    """Something that could not be compared."""
    return Difference("port", url, "answer", gateway, old, "unasked", reason)
