"""What is likely to go wrong between a gateway and the upstreams of its sites."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.fleet.host import Host
from gateway.inventory.site import Site, Upstream
from gateway.problems import Problem


def warnings(hosts: Iterable[Host]) -> list[Problem]:
    """A warning for each upstream that proves nothing, or cannot be proven."""
    return [
        Problem(host.name, site.domain, _field(site), f'"{upstream.origin}" {text}', "warning")
        for host in hosts
        for site in host.sites
        for upstream in dict.fromkeys(route.upstream for route in site.routes)
        for text in _texts(upstream)
    ]


def _texts(upstream: Upstream) -> Iterator[str]:
    if upstream.scheme == "http" and not upstream.servers:
        yield (
            "is plain http to a name: whoever DNS names gets every login unencrypted; right would be https, or the "
            'private addresses of its servers as "nodes"'
        )
    if upstream.scheme == "https" and upstream.is_address:
        yield (
            "is an IP address, and nginx compares it with the names in a certificate, not with the addresses; right "
            f'would be the name in its certificate, with "nodes": ["{upstream.host}"]'
        )


def _field(site: Site) -> str:
    return "bk.upstream" if site.follows_from_bk else "platform"
