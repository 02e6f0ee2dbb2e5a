"""What the pages say: hosts and sites, each with its state, and what needs somebody, worst first. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.deploys import concerns as host_concerns
from gateway.deploys.drift import HostStatus
from gateway.deploys.origin import PastRelease
from gateway.handover.sheet import Sheet
from gateway.notify.changes import INVENTORY, Concern
from gateway.onhost.constants import WARN_DAYS
from gateway.outside import concerns as site_concerns
from gateway.outside.findings import Result
from gateway.problems import Problem

State = Literal["failed", "unasked", "warning", "passed"]
# The worst first.
_ORDER: tuple[State, ...] = ("failed", "unasked", "warning", "passed")


def worst(states: Iterable[State]) -> State:
    """The worst of them; "unasked" where there are none, since nobody asked."""
    return min(states, key=_ORDER.index, default="unasked")


@dataclass(frozen=True)
class HostView:
    """One host: what it said, and what of that somebody has to act on."""

    status: HostStatus
    concerns: tuple[Concern, ...]

    @property
    def state(self) -> State:
        if not self.status.reachable:
            return "unasked"
        if not self.status.in_sync:
            return "failed"
        return "warning" if self.concerns or self.status.warnings or self.status.apart else "passed"

    def only(self, domain: str) -> HostView:
        """The same host as far as it concerns one of its sites: without the certificates of the others."""
        places = (self.status.host, f"{self.status.host}: {domain}")
        return HostView(self.status, tuple(one for one in self.concerns if one.place in places))

    @property
    def history(self) -> tuple[PastRelease, ...]:
        """The releases that were in force, the newest first."""
        return self.status.history[::-1]


@dataclass(frozen=True)
class SchoolView:
    """One site: its sheet, its hosts, and what was found from outside at each of its addresses."""

    sheet: Sheet
    hosts: tuple[HostView, ...]
    results: tuple[Result, ...]

    @property
    def domain(self) -> str:
        return self.sheet.domain

    @property
    def outside(self) -> State:
        """What was found from outside. Something that could not be checked keeps it from being fine."""
        return worst(_outcome(one) for one in self.results)

    @property
    def state(self) -> State:
        """The worst of what its hosts say and what was found from outside."""
        return worst([*(one.state for one in self.hosts), self.outside])

    @property
    def days(self) -> int | None:
        """Days left of the certificate that ends first, as a host or a visitor sees it; None where none is known."""
        known = [one.status.certificate_days.get(self.domain) for one in self.hosts]
        known += [one.certificate_days for one in self.results]
        return min((one for one in known if one is not None), default=None)

    @property
    def concerns(self) -> list[Concern]:
        """What needs somebody: what visitors meet, then the hosts, then certificates that end soon."""
        return _worst_first(self.results, self.hosts)


@dataclass(frozen=True)
class FleetView:
    """All of it. `problems` are errors of the inventory and hosts without an address: what they are about is left
    out. `others` are results that are no site's, of the hosts' ways to WeCom's API."""

    inventory: str
    hosts: tuple[HostView, ...]
    schools: tuple[SchoolView, ...]
    others: tuple[Result, ...]
    problems: tuple[Problem, ...]

    @property
    def state(self) -> State:
        if self.problems:
            return "failed"
        sites = [one.state for one in self.schools]
        return worst([*sites, *(one.state for one in self.hosts), *map(_outcome, self.others)])

    @property
    def concerns(self) -> list[Concern]:
        """What needs somebody, each once, the worst first."""
        wrong = [Concern(f"{INVENTORY}: {one.place}", str(one).removeprefix(f"{one.place}: ")) for one in self.problems]
        results = [*self.others, *(one for school in self.schools for one in school.results)]
        return wrong + _worst_first(results, self.hosts)

    @property
    def by_days(self) -> list[tuple[int, SchoolView]]:
        """The sites whose certificate is known, the soonest to end first."""
        known = [(one.days, one) for one in self.schools]
        return sorted(((days, one) for days, one in known if days is not None), key=lambda pair: pair[0])

    def count(self, state: State) -> int:
        """How many sites are in this state."""
        return sum(one.state == state for one in self.schools)


def fleet_view(
    inventory: str,
    sheets: Iterable[Sheet],
    statuses: Iterable[HostStatus],
    results: Sequence[Result],
    problems: Iterable[Problem],
) -> FleetView:
    """The view of what a run found. A host or site that is in none of it is told as not asked."""
    hosts = {one.host: HostView(one, host_concerns.seen([one], (), whole=True).concerns) for one in statuses}
    by_name: dict[str, list[Result]] = {}
    for result in results:
        by_name.setdefault(result.name, []).append(result)
    schools = []
    for sheet in sheets:
        theirs = [hosts.get(node.name) or HostView(HostStatus(node.name, False), ()) for node in sheet.hosts]
        mine = tuple(one.only(sheet.domain) for one in theirs)
        schools.append(SchoolView(sheet, mine, tuple(by_name.pop(sheet.domain, ()))))
    schools.sort(key=lambda one: (_ORDER.index(one.state), one.domain))
    others = tuple(one for left in by_name.values() for one in left)
    return FleetView(inventory, tuple(hosts.values()), tuple(schools), others, tuple(problems))


def days_state(days: int) -> State:
    """How a certificate with so many days left is."""
    return "failed" if days < 0 else "warning" if days < WARN_DAYS else "passed"


def _outcome(one: Result) -> State:
    """A failure is one, whatever else could not be checked. What the inventory keeps from this machine, it does well to
    keep: else a site for some networks alone would never be fine."""
    unknown = any(finding.outcome == "skipped" and not finding.expected for finding in one.findings)
    if one.outcome == "skipped" or (one.outcome != "failed" and unknown):
        return "unasked"
    return one.outcome


def _worst_first(results: Sequence[Result], hosts: Sequence[HostView]) -> list[Concern]:
    """What was found from outside, then what concerns whole hosts, then certificates there by days."""
    days = {
        f"{one.status.host}: {domain}": left for one in hosts for domain, left in one.status.certificate_days.items()
    }
    inside = sorted((one for host in hosts for one in host.concerns), key=lambda one: days.get(one.place, -1))
    return [*site_concerns.seen(results, (), whole=True).concerns, *inside]
