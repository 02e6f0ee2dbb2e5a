"""Rules across a site's routes, its hosts and their addresses, which no value shows by itself.

All are warnings. Such a site can be served, but WeCom refuses its domain, a login breaks, or a visitor finds something
else on another node.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gateway.fleet.host import Host
from gateway.inventory import upstream_values
from gateway.inventory.site import Site
from gateway.problems import Problem

_CORP_ID = re.compile(r"w[wx][A-Za-z0-9]{16}")
_SAME = "write the same in both"


def warnings(hosts: Iterable[Host]) -> list[Problem]:
    """One for each rule that a site of these hosts breaks."""
    found = []
    first: dict[str, tuple[Host, Site]] = {}
    for host in hosts:
        for site in host.sites:
            earlier = first.setdefault(site.domain, (host, site))
            texts = [*_no_entry(site), *_circles(host, site), *_callers(host, site), *_differences(*earlier, site)]
            texts += [*_strangers(site), *_corp_id(site)]
            found += [Problem(host.name, site.domain, where, text, "warning") for where, text in texts]
    return found


def _no_entry(site: Site) -> Iterator[tuple[str, str]]:
    """No route is on the default port.

    WeCom takes no port in a JS-SDK domain, and only one OAuth callback domain, which it compares with its port.
    """
    if not any(route.port == site.entry_port for route in site.routes):
        ports = ", ".join(str(port) for port in sorted({route.port for route in site.routes}))
        yield (
            "platform",
            f'"{site.platform}" has routes on port {ports} only; a WeCom app opens on the default port, and a domain '
            'with a port can be no JS-SDK domain: give the app\'s route "port": "entry"',
        )


def _circles(host: Host, site: Site) -> Iterator[tuple[str, str]]:
    """An upstream is the site itself, or this host."""
    own = host.listeners()
    for server in dict.fromkeys(server for route in site.routes for server in route.upstream.servers):
        address, _, port = server.rpartition(":")
        known = upstream_values.address(address)
        here = known is not None and (known.is_loopback or str(known) == host.address)
        if here and int(port) in own:
            yield (
                _routes_key(site),
                f"{server} is this host's own nginx: one request goes round in circles until no connection is left for "
                "anybody; name the server that the application runs on",
            )
    # with split DNS the domain is the platform itself for hosts of the inner network
    ports = {443, *site.listeners()}
    asked = [route.upstream for route in site.routes if not route.upstream.servers]
    if any(upstream.host == site.domain and upstream.port in ports for upstream in asked):
        key = _routes_key(site)
        yield (
            "bk.upstream" if key == "bk" else key,
            "is the site's own domain: unless this host's DNS gives it another address, requests go round in circles; "
            'name the inner platform, like "https://paas.inner.example"',
        )


def _callers(host: Host, site: Site) -> Iterator[tuple[str, str]]:
    """The gateway is noted as a server that calls WeCom."""
    # an inner platform may well go out through the address of its own gateway; through egress everybody does
    goes_out_here = host.egress is not None or site.is_blueking
    if host.name in site.wecom.trusted_ips and not goes_out_here:
        yield (
            "wecom.trusted_ips",
            f"{host.name} is this gateway, which does not call WeCom; name the outgoing address of the "
            "platform's servers that do",
        )


def _strangers(site: Site) -> Iterator[tuple[str, str]]:
    """Visitors are judged by an address that is the load balancer's."""
    if site.allow and site.edge == "slb" and not site.trusted_proxies:
        yield (
            "allow",
            "every visitor has the load balancer's address here, so either all of them may use the site or nobody; "
            'name the networks that it connects from in "slb_cidrs", and its X-Forwarded-For is believed',
        )


def _corp_id(site: Site) -> Iterator[tuple[str, str]]:
    """What stands for the CorpID is none that the WeCom console shows."""
    if site.wecom.corp_id and not _CORP_ID.fullmatch(site.wecom.corp_id):
        yield (
            "wecom.corp_id",
            'is not what a CorpID looks like, "ww" or "wx" and 16 letters or digits; copy it from the WeCom admin '
            'console, My Company, for example "ww1234567890abcdef"',
        )


def _differences(host: Host, first: Site, site: Site) -> Iterator[tuple[str, str]]:
    """Values of `site` that contradict those of `first`, the same domain's on `host`.

    Both serve one WeCom app. A key of `wecom` that only one of them has is no contradiction.
    """
    if first.edge != site.edge:
        yield "edge", f'is "{site.edge}" here and "{first.edge}" on {host.name}; a visitor reaches one or the other'
    for key in _unlike_keys(first, site):
        yield key, f"differs from the same site's on {host.name}, and a visitor reaches one or the other; {_SAME}"
    for key, wanted in first.wecom:
        here = getattr(site.wecom, key)
        if wanted and here and wanted != here:
            yield f"wecom.{key}", f"differs from the same site's on {host.name}; {_SAME}"


def _unlike_keys(first: Site, site: Site) -> Iterator[str]:
    """Keys, other than platform and edge, by which two nodes of one domain would serve it differently.

    Values that follow from platform or edge are compared only where these are the same. Two platforms are an error
    (gateway/fleet/shared_domains.py). Each node may have a load balancer or a certificate of its own.
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
    if first.allow != site.allow:
        yield "allow"


def _routes_key(site: Site) -> str:
    """The key that decides a site's routes."""
    return "bk" if site.follows_from_bk else "platform"
