"""What the measurements are expected to show. A benchmark tells; it does not fail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bench.measure import Result, State

COMPARED_SITES = 200
GATEWAY = "this project"
GATEWAY_SLB = "this project, edge slb"
STOCK = "stock pyinfra"
PIPELINING = "Ansible, pipelining"
MITOGEN = "Ansible, Mitogen"

_TIMES_FASTER = {STOCK: 100, PIPELINING: 200}
_LARGE_FLEET = 1000
_SECONDS: dict[State, float] = {"unchanged": 2, "changed": 4}


@dataclass(frozen=True)
class Verdict:
    """One expectation, the measured number as text, and whether it holds; None where nothing was run."""

    expected: str
    measured: str
    met: bool | None


def judge(results: Iterable[Result]) -> list[Verdict]:
    """Every expectation."""
    by_key = {(result.tool, result.sites, result.state): result for result in results}
    return [*_ratios(by_key), _constant(by_key), *_large_fleet(by_key)]


def _ratios(by_key: dict[tuple[str, int, State], Result]) -> Iterator[Verdict]:
    own = by_key.get((GATEWAY, COMPARED_SITES, "unchanged"))
    for tool, wanted in _TIMES_FASTER.items():
        expected = f"{COMPARED_SITES} sites unchanged: at least {wanted} times as fast as {tool}"
        other = by_key.get((tool, COMPARED_SITES, "unchanged"))
        if not own or not other:
            yield Verdict(expected, "not measured", None)
            continue
        ratio = other.seconds / own.seconds
        reckoned = ", reckoned" if other.reckoned_from else ""
        yield Verdict(
            expected,
            f"{ratio:.0f} times ({other.seconds:.1f} s{reckoned} / {own.seconds:.2f} s)",
            ratio >= wanted,
        )


def _constant(by_key: dict[tuple[str, int, State], Result]) -> Verdict:
    expected = "the number of remote commands does not depend on the number of sites"
    edges = {GATEWAY_SLB: "slb", GATEWAY: "tls"}
    sessions: dict[tuple[State, str], dict[int, int]] = {}
    for (tool, sites, state), result in sorted(by_key.items()):
        if tool in edges:
            sessions.setdefault((state, edges[tool]), {})[sites] = result.sessions
    if not any(len(counts) > 1 for counts in sessions.values()):
        return Verdict(expected, "not measured", None)
    measured = "; ".join(
        f"{state}, {edge}: {', '.join(f'{count} at {sites:,}' for sites, count in counts.items())}"
        for (state, edge), counts in sorted(sessions.items())
    )
    return Verdict(expected, measured, all(len(set(counts.values())) == 1 for counts in sessions.values()))


def _large_fleet(by_key: dict[tuple[str, int, State], Result]) -> Iterator[Verdict]:
    for state, limit in _SECONDS.items():
        for tool, edge in ((GATEWAY_SLB, "slb"), (GATEWAY, "tls")):
            one = "one " if state == "changed" else ""
            expected = f"{_LARGE_FLEET:,} sites at edge {edge}, {one}{state}: under {limit:g} s"
            result = by_key.get((tool, _LARGE_FLEET, state))
            if result:
                yield Verdict(expected, f"{result.seconds:.2f} s", result.seconds < limit)
            else:
                yield Verdict(expected, "not measured", None)
