"""What of the status of hosts a group robot is told. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.deploys.drift import HostStatus
from gateway.notify.changes import INVENTORY, Concern, Seen
from gateway.onhost.constants import WARN_DAYS
from gateway.problems import Problem, count

# Days before the end of a certificate at which it becomes urgent.
_URGENT_DAYS = 7


def seen(found: Sequence[HostStatus], wrong: Sequence[Problem], whole: bool) -> Seen:
    """What a run of `status` saw. `wrong` are errors in the inventory, `whole` says whether it asked every host.

    Entries with an error are left out of `found`, and their hosts are there all the same.
    """
    told = [one for status in found for one in _of_host(status)]
    told += [Concern(INVENTORY, str(problem)) for problem in wrong]
    asked = {one.host for one in found if one.reachable} | ({INVENTORY} if whole else set())
    there = {one.host for one in found}
    all_there = whole and not wrong
    return Seen(tuple(told), lambda place: _host(place) in asked, lambda place: not all_there or _host(place) in there)


def _host(place: str) -> str:
    return place.partition(": ")[0]


def _of_host(one: HostStatus) -> Iterator[Concern]:
    for text in one.findings or ([] if one.reachable else ["cannot be reached"]):
        yield Concern(one.host, text)
    for domain, left in one.certificate_days.items():
        if 0 <= left < WARN_DAYS:
            how = "is about to expire" if left < _URGENT_DAYS else "expires soon"
            yield Concern(f"{one.host}: {domain}", f"the certificate {how}: {count(left, 'day')} left")
    for name in one.unresolved:
        yield Concern(one.host, f"{name} does not resolve there")
    for domain, why in one.renewal_failed.items():
        yield Concern(f"{one.host}: {domain}", f"the renewal of the certificate fails, {why}")
