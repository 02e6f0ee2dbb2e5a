"""The results of `verify --compare`: a table for the terminal, and JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from gateway.outside.compare_difference import Comparison, Right
from gateway.problems import Problem, count

# What to call a difference, by who is right.
LABELS: dict[Right, str] = {
    "gateway": "the gateway is right",
    "old": "the old server is right",
    "neither": "neither is right",
    "open": "look at it",
    "neutral": "neutral",
    "unasked": "not compared",
}


def outcome_in_words(one: Comparison) -> str:
    """The last column of the table."""
    asked = count(one.asked, "question")
    if not one.differences:
        return f"alike in {asked}"
    told = ", ".join(f"{one.count(right)} {words}" for right, words in LABELS.items() if one.count(right))
    return f"alike in {asked} but for: {told}" if one.alike else f"{count(len(one.differences), 'difference')}: {told}"


def table(comparisons: Sequence[Comparison]) -> list[tuple[str, str, str, str]]:
    """A heading and a row for each comparison: site, the gateway's address, the old server's, outcome."""
    rows = [("site", "gateway", "old server", "")]
    rows += [(one.name, one.address or "-", one.old, outcome_in_words(one)) for one in comparisons]
    return rows


def summary(comparisons: Sequence[Comparison], problems: Sequence[Problem]) -> str:
    """All comparisons and problems counted, in one line."""
    alike = sum(one.alike for one in comparisons)
    parts = [f"{count(len(comparisons), 'place')} compared, {alike} alike"]
    if problems:
        parts.append(f"{count(len(problems), 'problem')} in the inventory")
    return ", ".join(parts)


def as_data(comparisons: Sequence[Comparison], problems: Sequence[Problem], alike: bool) -> dict[str, Any]:
    """What --json prints."""
    return {
        "alike": alike,
        "comparisons": [asdict(one) | {"alike": one.alike} for one in comparisons],
        "problems": [problem.as_data() for problem in problems],
    }
