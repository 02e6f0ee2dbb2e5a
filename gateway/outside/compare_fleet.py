"""Compares every site of a fleet with the old server, several at a time."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping

from gevent.pool import Pool

from gateway.fleet.loading import Fleet
from gateway.outside import places
from gateway.outside.compare import compare
from gateway.outside.compare_difference import Comparison, unasked
from gateway.outside.compare_servers import Server
from gateway.outside.places import Target
from gateway.outside.probe import Client
from gateway.outside.visit import Visit

# Sites that are asked at the same time; often one old server has them all, and it serves visitors meanwhile.
_PARALLEL = 10


def ask(
    fleet: Fleet,
    addresses: Mapping[str, str],
    old: Mapping[str, Server],
    client: Client,
    progress: Callable[[int, int], None],
    own: Container[str] = (),
) -> list[Comparison]:
    """One comparison for each address of each site that has an old server, in the order of names.

    The other arguments are as in whole_fleet.ask. What goes wrong with a site is told in its comparison; nothing is
    raised.
    """
    wanted = [one for one in places.targets(fleet.hosts, addresses, own) if one.site.domain in old]
    found: list[Comparison] = []
    progress(0, len(wanted))

    def one_site(target: Target) -> list[Comparison]:
        return _comparisons(target, old[target.site.domain], client)

    for done, comparisons in enumerate(Pool(_PARALLEL).imap_unordered(one_site, wanted), 1):
        found += comparisons
        progress(done, len(wanted))
    return sorted(found, key=lambda one: (one.name, one.address))


def _comparisons(target: Target, old: Server, client: Client) -> list[Comparison]:
    domain = target.site.domain
    try:
        addresses = [target.address] if target.address else places.lookup(domain)
    except OSError as error:
        text = f"does not resolve: {error.strerror or error}"
        told = unasked(f"https://{domain}", text, "is not asked", f"name the gateway: --resolve {domain}:ADDRESS")
        return [Comparison(domain, target.hosts, "", str(old), 0, (told,))]
    return [compare(Visit(target, address, client), old) for address in addresses]
