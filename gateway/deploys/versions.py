"""The product's versions: which of two is the newer one, and what the changelog says of those between. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

TO_COME = "unreleased"

# A host keeps no version of a release that an earlier one made.
FIRST_KEPT = "0.2.0"
_BEFORE = "0.1"

# As in PEP 440: a development, alpha, beta or candidate version comes before the one of its number.
_VERSION = re.compile(r"(\d+(?:\.\d+)*)(?:[-_.]?(dev|a|b|rc|post)[-_.]?(\d*))?(?:[-_.]dev\d*)?(?:\+.*)?")
_ORDER = ("dev", "a", "b", "rc", "", "post")

_SECTION = re.compile(r"^## \[([^]\s]+)[^\n]*\n(.*?)(?=^## |\Z)", re.M | re.S)
_TO_DO = re.compile(r"^### When you upgrade[^\n]*\n(.*?)(?=^### |\Z)", re.M | re.S)
# The changelog says everything in English and then in Chinese.
_CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")


@dataclass(frozen=True)
class News:
    """What a version is about, in a sentence, and how many things its changelog says have to be done by hand. What is
    in no version yet has TO_COME in its place."""

    version: str
    headline: str
    to_do: int


def newer(one: str, other: str) -> bool:
    """Whether `one` is a later version than `other`. False where either is none that can be compared."""
    first, second = _key(one), _key(other)
    return first is not None and second is not None and first > second


def between(changelog: str, before: str, now: str) -> list[News]:
    """Every version after `before`, "" where no version was kept yet, up to `now`, the newest first; and ahead of them
    what is in the changelog but in no version yet."""
    return [
        one
        for one in _sections(changelog)
        if one.version == TO_COME or (newer(one.version, before or _BEFORE) and not newer(one.version, now))
    ]


def _sections(changelog: str) -> Iterator[News]:
    """Each version's. A section without a headline, as the one for what comes next after a release, is left out."""
    for version, text in _SECTION.findall(changelog):
        headline = _CHINESE.split(text.strip().partition("\n")[0])[0].strip()
        if headline and headline[0] not in "-#":
            to_do = _TO_DO.search(text)
            yield News(version.lower(), headline, to_do[1].count("\n- ") if to_do else 0)


def _key(text: str) -> tuple[tuple[int, ...], int, int] | None:
    found = _VERSION.fullmatch(text)
    if not found:
        return None
    numbers = [int(one) for one in found[1].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers), _ORDER.index(found[2] or ""), int(found[3] or 0)
