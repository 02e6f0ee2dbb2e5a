"""What of the results of `verify` a group robot is told. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.notify.changes import INVENTORY, Concern, Seen
from gateway.outside.findings import Result
from gateway.problems import Problem

# The checks of one attempt to connect, in their order.
_CONNECTING = ("port", "TLS", "certificate")
_THROUGH_A_PORT = {"verification file", "route", "allow-list", "other names"}


def seen(results: Sequence[Result], wrong: Sequence[Problem], whole: bool) -> Seen:
    """What a run of `verify` saw. `wrong` is what kept places from being asked, `whole` says whether it was to ask all
    sites. Entries with an error are left out of `results`, and their sites are there all the same.

    A place is a check at an address of a site: one that could not be made, since something else failed before, says
    nothing of what it found the last time.
    """
    told = [
        Concern(f"{_place(one)}: {finding.check}", f"{finding.subject}: {finding.reason}")
        for one in results
        for finding in one.findings
        if finding.outcome == "failed"
    ]
    told += [Concern(INVENTORY, str(problem)) for problem in wrong]
    asked = {f"{_place(one)}: {check}" for one in results for check in _answered(one)}
    asked |= {INVENTORY} if whole else set()
    there = {_place(one) for one in results}
    all_there = whole and not wrong
    # of a site that has no address just now every address may come back
    without = {one.name for one in results if not one.address}

    def exists(place: str) -> bool:
        where = place.rpartition(": ")[0]
        return not all_there or where in there or where.partition(" at ")[0] in without

    return Seen(tuple(told), asked.__contains__, exists)


def _answered(one: Result) -> set[str]:
    """The names of the checks that a result says something of. Those of connecting have a finding only where they fail,
    but for the last one, and so has `hosts`, which stands in the place of what is asked through a port."""
    made = {finding.check for finding in one.findings if finding.outcome != "skipped"}
    answered = set(made)
    for finding in one.findings:
        if finding.check in _CONNECTING:
            failed_at = _CONNECTING.index(finding.check) if finding.outcome == "failed" else len(_CONNECTING)
            answered |= {"address", *_CONNECTING[: failed_at + 1]}
    if made & _THROUGH_A_PORT:
        answered.add("hosts")
    return answered


def _place(one: Result) -> str:
    return f"{one.name} at {one.address}" if one.address else one.name
