"""What the measurements are expected to show. A benchmark tells; it does not fail.

A ratio is taken in each round, between runs that stand side by side: what slows a round down slows both down. Where it
is about few percent, CPU seconds are compared, which other work on the machine disturbs less than requests a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import TypeGuard

from bench.expectations import Verdict
from bench.proxy.cases import EDGES, SMALL, Case
from bench.proxy.measure import Cell, Result
from bench.proxy.proxies import CADDY, ENGINE, GATEWAY, HAPROXY, SAMPLE


@dataclass(frozen=True)
class _Expected:
    """How this project compares with `other`: at most so many times its CPU seconds, or at least so many times as good.

    `cpu`: by CPU seconds for a request in place of requests a second.
    """

    case: Case
    other: str
    times: float
    cpu: bool = False
    at_most: bool = False

    def __str__(self) -> str:
        if self.at_most:
            return f"{self.case}: at most {self.times:g} times the CPU seconds of {self.other}"
        if self.cpu:
            return f"{self.case}: at least {self.times:g} times as good as {self.other} by CPU seconds"
        return f"{self.case}: at least {self.times:g} times the requests/s of {self.other}"

    def ratio(self, ours: Result, theirs: Result) -> float:
        if self.at_most:
            return ours.cpu / theirs.cpu
        return theirs.cpu / ours.cpu if self.cpu else ours.rate / theirs.rate

    def met_by(self, ratio: float) -> bool:
        return ratio <= self.times if self.at_most else ratio >= self.times


def _expected() -> Iterator[_Expected]:
    for edge in EDGES:
        small = Case(edge, SMALL, kept=True)
        yield _Expected(small, ENGINE, 1.15, cpu=True, at_most=True)
        yield _Expected(small, HAPROXY, 1.1, cpu=True)
        yield _Expected(small, SAMPLE, 6)
        yield _Expected(small, CADDY, 3)
    yield _Expected(Case("tls", SMALL, kept=False, full=True), HAPROXY, 1)


def judge(cells: Iterable[Cell]) -> list[Verdict]:
    """Every expectation."""
    by_key = {(cell.name, cell.case): cell for cell in cells}
    return [_verdict(one, by_key) for one in _expected()]


def _verdict(one: _Expected, by_key: dict[tuple[str, Case], Cell]) -> Verdict:
    ours, theirs = (by_key.get((name, one.case)) for name in (GATEWAY, one.other))
    pairs = list(zip(ours.runs, theirs.runs, strict=True)) if _whole(ours) and _whole(theirs) else []
    # without a clock that has seen the processes there is no ratio of CPU seconds
    pairs = [(own, other) for own, other in pairs if own.cpu and other.cpu]
    if not pairs:
        return Verdict(str(one), "not measured", None)
    ratios = [one.ratio(*pair) for pair in pairs]
    measured = f"{median(ratios):.2f} times ({min(ratios):.2f} to {max(ratios):.2f})"
    if not one.cpu:
        measured += f"; by CPU seconds {median(other.cpu / own.cpu for own, other in pairs):.2f} times as good"
    return Verdict(str(one), measured, one.met_by(median(ratios)))


def _whole(cell: Cell | None) -> TypeGuard[Cell]:
    """False where a run failed, or none was made."""
    return cell is not None and cell.median is not None
