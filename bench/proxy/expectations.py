"""What the measurements are expected to show. A benchmark tells; it does not fail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from statistics import median

from bench.expectations import Verdict
from bench.proxy.cases import EDGES, SMALL, Case
from bench.proxy.measure import Cell
from bench.proxy.proxies import CADDY, GATEWAY, HAPROXY, SAMPLE

# Requests a second on small answers over kept connections, in times the other's.
_AT_LEAST = {SAMPLE: 6.0, CADDY: 3.0, HAPROXY: 1.0}


def judge(cells: Iterable[Cell]) -> list[Verdict]:
    """Every expectation, at both edges."""
    return list(_verdicts({(cell.name, cell.case): cell for cell in cells}))


def _verdicts(by_key: dict[tuple[str, Case], Cell]) -> Iterator[Verdict]:
    for edge in EDGES:
        case = Case(edge, SMALL, kept=True)
        for other, wanted in _AT_LEAST.items():
            expected = f"{case}: at least {wanted:g} times the requests/s of {other}"
            pair = [by_key.get((name, case)) for name in (GATEWAY, other)]
            ratios, by_cpu = _ratios(*pair)
            if ratios:
                span = f"({min(ratios):.2f} to {max(ratios):.2f})"
                measured = f"{median(ratios):.2f} times {span}; by CPU seconds {median(by_cpu):.2f} times"
                yield Verdict(expected, measured, median(ratios) >= wanted)
            else:
                yield Verdict(expected, "not measured", None)


def _ratios(ours: Cell | None, theirs: Cell | None) -> tuple[list[float], list[float]]:
    """By requests a second and by CPU seconds, one for each round: what slows a round down slows both down.

    Empty where a run failed.
    """
    if not (ours and theirs and ours.median and theirs.median):
        return [], []
    pairs = list(zip(ours.runs, theirs.runs, strict=True))
    return [own.rate / other.rate for own, other in pairs], [other.cpu / own.cpu for own, other in pairs if own.cpu]
