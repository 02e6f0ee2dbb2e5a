"""All sites of a fleet at once, with a bound."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gevent.pool import Pool

from gateway.fleet.host import Host
from gateway.fleet.loading import Fleet
from gateway.outside import egress_check, places
from gateway.outside.checks import Visit
from gateway.outside.findings import Finding, Result
from gateway.outside.places import Target
from gateway.outside.probe import Client

# Sites at a time; each has one connection open.
_PARALLEL = 50


def of(
    fleet: Fleet, addresses: Mapping[str, str], client: Client, progress: Callable[[int, int], None]
) -> list[Result]:
    """The results of every site and egress of the fleet, by name. Never raises for a site's sake.

    `addresses` are those to ask instead of DNS's, by domain. `progress` is told how many of how many are done.
    """
    wanted: list[Target | Host] = list(places.targets(fleet.hosts, addresses))
    wanted += [host for host in fleet.hosts if host.egress]
    found: list[Result] = []
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
    return [Result(domain, one.hosts, address, tuple(Visit(one, address, client).findings())) for address in addresses]
