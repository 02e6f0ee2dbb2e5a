"""Measures one tool with one number of sites: from bare, unchanged, one site changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, islice, repeat
from statistics import median
from typing import Literal

from bench.errors import BenchError
from bench.hosts import Seen
from bench.progress import say
from bench.schools import Fleet
from bench.tools import Tool

State = Literal["bare", "unchanged", "changed"]

_RUNS = 3
_SLOW_SECONDS = 10


@dataclass(frozen=True)
class Result:
    """Median wall seconds and the SSH sessions of one run.

    `runs` are the single measurements. Where `reckoned_from` names two numbers of sites, nothing was run
    with `sites`: the line through those two was drawn out.
    """

    tool: str
    sites: int
    state: State
    seconds: float
    sessions: int
    runs: tuple[float, ...] = ()
    reckoned_from: tuple[int, int] | None = None


def measure(tool: Tool, count: int) -> list[Result]:
    """One result for each of the three states. Raises BenchError where a run does not do what it is measured for."""
    fleet = Fleet.of(count, tool.edge)
    tool.host.reset()
    return [
        _measure_state(tool, "bare", iter([fleet])),
        _measure_state(tool, "unchanged", repeat(fleet, 1 + _RUNS)),
        _measure_state(tool, "changed", islice(accumulate(repeat(fleet), _changed), 1, 2 + _RUNS)),
    ]


def _changed(fleet: Fleet, _: Fleet) -> Fleet:
    return fleet.changed()


def reckon(small: Result, large: Result, sites: int) -> Result:
    """The result for another number of sites, on the straight line through two results."""

    def at(first: float, second: float) -> float:
        return first + (second - first) / (large.sites - small.sites) * (sites - small.sites)

    return Result(
        small.tool,
        sites,
        small.state,
        at(small.seconds, large.seconds),
        round(at(small.sessions, large.sessions)),
        reckoned_from=(small.sites, large.sites),
    )


def _measure_state(tool: Tool, state: State, fleets: Iterable[Fleet]) -> Result:
    """The median of one run for each fleet. The first only warms up, unless it is slow: then it is the only one."""
    runs: list[tuple[float, int]] = []
    for fleet in fleets:
        tool.host.seen()
        seconds = _deploy(tool, fleet)
        seen = tool.host.seen()
        _must_be(state, seen, tool)
        tool.host.must_serve(fleet.changing)
        runs.append((seconds, seen.sessions))
        if seconds > _SLOW_SECONDS:
            break
    runs = runs[1:] or runs
    times = tuple(seconds for seconds, _ in runs)
    sessions = max(sessions for _, sessions in runs)
    result = Result(tool.name, len(fleet.schools), state, median(times), sessions, times)
    say(f"{tool.name}, {result.sites} sites, {state}: {result.seconds:.2f} s, {sessions} remote commands")
    return result


def _deploy(tool: Tool, fleet: Fleet) -> float:
    try:
        return tool.deploy(fleet)
    except BenchError as error:
        raise BenchError(f"{error}\n{tool.host.name}: {tool.host.nginx_says()}") from None


def _must_be(state: State, seen: Seen, tool: Tool) -> None:
    """nginx is reloaded where there was a change, and only there."""
    if seen.reloaded != (state != "unchanged"):
        raise BenchError(f"{tool.name}: nginx was {'' if seen.reloaded else 'not '}reloaded by a run called {state}")
