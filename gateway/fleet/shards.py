"""Parts of a fleet that are deployed one after another, or by several machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from gateway.fleet.host import Host


def shards(hosts: Iterable[Host], count: int) -> list[list[Host]]:
    """The hosts in `count` parts whose sizes differ by one at most; the same hosts give the same parts, in any order.

    Nodes of one site are in different parts, so that they are not deployed at the same moment, unless the site has more
    nodes than there are parts; where nodes share several sites crosswise, some may come together.
    """
    parts: list[list[Host]] = [[] for _ in range(count)]
    domains: list[Counter[str]] = [Counter() for _ in range(count)]
    for host in _neighbours_together(sorted(hosts, key=_name)):
        smallest = min(map(len, parts))
        choice = [number for number, part in enumerate(parts) if len(part) == smallest]
        chosen = min(choice, key=lambda number: sum(domains[number][domain] for domain in _domains(host)))
        parts[chosen].append(host)
        domains[chosen].update(_domains(host))
    return [sorted(part, key=_name) for part in parts]


def _neighbours_together(hosts: Sequence[Host]) -> list[Host]:
    """The hosts in their order, but each followed by those that it shares a site with, and by theirs."""
    by_domain: dict[str, list[Host]] = {}
    for host in hosts:
        for domain in _domains(host):
            by_domain.setdefault(domain, []).append(host)
    found: dict[str, Host] = {}
    for first in hosts:
        waiting = [first]
        while waiting:
            host = waiting.pop(0)
            if host.name not in found:
                found[host.name] = host
                waiting += [other for domain in sorted(_domains(host)) for other in by_domain[domain]]
    return [*found.values()]


def _name(host: Host) -> str:
    return host.name


def _domains(host: Host) -> set[str]:
    return {site.domain for site in host.sites}
