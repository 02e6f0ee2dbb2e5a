"""Asks every site and every egress of a fleet, many at a time."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping

from gevent.pool import Pool

from gateway.fleet.host import Host
from gateway.fleet.loading import Fleet
from gateway.outside import checks, egress_check, places
from gateway.outside.findings import Finding, Result
from gateway.outside.places import Target
from gateway.outside.probe import Client
from gateway.outside.visit import Visit

# Sites that are asked at the same time; each has one connection open.
_PARALLEL = 50


def ask(
    fleet: Fleet,
    addresses: Mapping[str, str],
    client: Client,
    progress: Callable[[int, int], None],
    own: Container[str] = (),
) -> list[Result]:
    """One result for each address of each site and one for each egress, in the order of names.

    `addresses`, by domain, are asked in place of those in DNS, and so are the hosts named in `own`. `progress` is
    called with how many are done and how many there are. What goes wrong with a site is a finding of its result;
    nothing is raised.
    """
    wanted: list[Target | Host] = list(places.targets(fleet.hosts, addresses, own))
    wanted += [host for host in fleet.hosts if host.egress]
    found: list[Result] = []
    progress(0, len(wanted))
    for done, results in enumerate(Pool(_PARALLEL).imap_unordered(lambda one: _results(one, client), wanted), 1):
        found += results
        progress(done, len(wanted))
    return sorted(found, key=lambda one: (one.name, one.address))


def _results(one: Target | Host, client: Client) -> list[Result]:
    if isinstance(one, Host):
        if one.egress is None:
            return []
        seen = tuple(egress_check.findings(one.egress, client))
        return [Result(f"egress of {one.name}", (one.name,), one.egress.listen, seen)]
    domain = one.site.domain
    try:
        addresses = [one.address] if one.address else places.lookup(domain)
    except OSError as error:
        # gaierror's own words; TimeoutError has no strerror
        text = f"does not resolve: {error.strerror or error}"
        remedy = "have its DNS record set; to ask a host before that, --resolve DOMAIN:ADDRESS"
        return [Result(domain, one.hosts, "", (Finding("address", domain, "failed", text, remedy),))]
    return [
        Result(domain, one.hosts, address, tuple(checks.findings(Visit(one, address, client)))) for address in addresses
    ]
