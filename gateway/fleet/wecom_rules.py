"""What no single value of a site shows: rules across routes, hosts and addresses.

All of it are warnings: such a site can be served, it is WeCom that will refuse it, the login that breaks, or a visitor
who finds another site on another node.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.fleet.host import Host
from gateway.inventory.site import Site
from gateway.problems import Problem

_SAME = "write the same in both"


def warnings(hosts: Iterable[Host]) -> list[Problem]:
    """Everything that WeCom or visitors would take amiss about these hosts' sites."""
    found = []
    first: dict[str, tuple[Host, Site]] = {}
    for host in hosts:
        for site in host.sites:
            earlier = first.setdefault(site.domain, (host, site))
            texts = [*_entry(site), *_circles(site), *_callers(host, site), *_differences(*earlier, site)]
            found += [Problem(host.name, site.domain, where, text, "warning") for where, text in texts]
    return found


def _entry(site: Site) -> Iterator[tuple[str, str]]:
    """WeCom's OAuth callback domain is one, port included, and a JS-SDK domain takes no port at all."""
    if not any(route.port == site.entry_port for route in site.routes):
        ports = ", ".join(str(port) for port in sorted({route.port for route in site.routes}))
        yield (
            "platform",
            f'"{site.platform}" has routes on port {ports} only; a WeCom app opens on the default port, and a domain '
            'with a port can be no JS-SDK domain: give the app\'s route "port": "entry"',
        )


def _circles(site: Site) -> Iterator[tuple[str, str]]:
    # with split DNS the domain is the platform itself for hosts of the inner network
    ports = {443 if port == site.entry_port else port for port in site.ports()}
    if any(route.upstream.host == site.domain and route.upstream.port in ports for route in site.routes):
        key = _routes_key(site)
        yield (
            "bk.upstream" if key == "bk" else key,
            "is the site's own domain: unless this host's DNS gives it another address, requests go round in circles; "
            'name the inner platform, like "https://paas.inner.example"',
        )


def _callers(host: Host, site: Site) -> Iterator[tuple[str, str]]:
    # an inner platform may well go out through the address of its own gateway; through egress everybody does
    goes_out_here = host.egress is not None or any(route.guarded for route in site.routes)
    if host.name in site.wecom.trusted_ips and not goes_out_here:
        yield (
            "wecom.trusted_ips",
            f"{host.name} is this gateway, which does not call WeCom; name the outgoing address of the "
            "platform's servers that do",
        )


def _differences(host: Host, first: Site, site: Site) -> Iterator[tuple[str, str]]:
    """Nodes of one domain serve one WeCom app; a value that only one of them has is no contradiction."""
    if first.edge != site.edge:
        yield "edge", f'is "{site.edge}" here and "{first.edge}" on {host.name}; a visitor reaches one or the other'
    for key in _unlike(first, site):
        yield key, f"differs from the same site's on {host.name}, and a visitor reaches one or the other; {_SAME}"
    for key, wanted in first.wecom:
        here = getattr(site.wecom, key)
        if wanted and here and wanted != here:
            yield f"wecom.{key}", f"differs from the same site's on {host.name}; {_SAME}"


def _unlike(first: Site, site: Site) -> Iterator[str]:
    """Keys by which two nodes of one domain would serve it differently, besides platform and edge, which decide others.

    Two platforms are an error (gateway/fleet/shared_domains.py). Each node may have a load balancer or a certificate of
    its own.
    """
    if first.platform == site.platform:
        if first.edge == site.edge and set(first.routes) != set(site.routes):
            yield _routes_key(site)
        if first.max_body != site.max_body:
            yield "max_body"
    if first.rate_limit != site.rate_limit:
        yield "rate_limit"
    if first.hsts != site.hsts:
        yield "hsts"


def _routes_key(site: Site) -> str:
    """Where an inventory says what a site's routes are."""
    return "bk" if any(route.guarded for route in site.routes) else "platform"
