"""Ports of one host that its sites, its own listeners, its load balancer, SSH and the gateway itself cannot share."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gateway.inventory.model import Egress, Metrics
from gateway.inventory.network_values import IPNetwork
from gateway.inventory.site import Edge, Site
from gateway.inventory.values import SSH_PORT
from gateway.onhost.constants import RELEASE_PORT
from gateway.problems import Problem

# The number that no route may have at an edge, because it is what the entry port is at the other edge.
_TAKEN_PORTS: dict[Edge, tuple[int, str]] = {
    "slb": (443, 'is the entry port already at edge "slb", where the load balancer\'s 443 comes in on 80'),
    "tls": (80, 'is plain http at edge "tls", for verification files and the redirect to https'),
}
_SSH = "is SSH's on this host, so nginx could not listen on it"


def site_conflicts(host: str, sites: Iterable[Site], ssh_port: Any) -> list[Problem]:
    """An error for each port of a site that is taken, and for each route that is there twice.

    nginx speaks either plain http or TLS on a port, for all sites of a host. `ssh_port` is the host's setting as the
    inventory has it, of any type; None where there is none.
    """
    problems = []
    first: dict[int, tuple[bool, Site]] = {}
    for site in sites:
        taken, why = _TAKEN_PORTS[site.edge]
        misused = any(route.port == taken for route in site.routes)
        if misused:
            text = f'port {taken} {why}; right would be "entry", or another number'
            problems.append(Problem(host, site.domain, "platform", text))
        for port, encrypted in site.listeners().items():
            if misused and port == taken:
                continue  # told above; no other site is to blame
            if port == ssh_port:
                text = f'port {port} {_SSH} ("ssh_port"); choose another for the route, or for sshd'
                problems.append(Problem(host, site.domain, "platform", text))
            if port == RELEASE_PORT:
                text = f"port {RELEASE_PORT} is the gateway's own on this host; choose another for the route"
                problems.append(Problem(host, site.domain, "port", text))
            seen, other = first.setdefault(port, (encrypted, site))
            if seen != encrypted:
                kinds = {True: "TLS", False: "plain http"}
                text = (
                    f"port {port} would be {kinds[encrypted]} here and {kinds[seen]} for {other.domain}; "
                    "one port of a host is one or the other, so put one of the sites on another host"
                )
                problems.append(Problem(host, site.domain, "edge", text))
        seen_paths: set[tuple[int, str]] = set()
        for route in site.routes:
            if (route.port, route.path) in seen_paths:
                text = f"two routes for {route.path} on port {route.port}; keep one"
                problems.append(Problem(host, site.domain, "platform", text))
            seen_paths.add((route.port, route.path))
    return problems


def egress_conflicts(egress: Egress, sites: Iterable[Site], ssh_port: Any) -> Iterator[tuple[str, str]]:
    """Why egress cannot stand on a host with these sites: a key of the egress and a text for each reason.

    `ssh_port` as in site_conflicts().
    """
    elsewhere = (
        'put egress on a host without that port (sites at edge "slb" leave 443 free, "sites": [] is allowed) or move '
        "the site"
    )
    yield from _listener_conflicts(egress, sites, ssh_port, elsewhere)


def metrics_conflicts(
    metrics: Metrics, egress: Egress | None, sites: Iterable[Site], ssh_port: Any
) -> Iterator[tuple[str, str]]:
    """The same of `metrics`, which cannot stand where egress does either."""
    yield from _listener_conflicts(metrics, sites, ssh_port, "choose a port that no site has, like 9145")
    if egress and metrics.listen == egress.listen:
        yield "listen", f"{metrics.listen} is egress's on this host; choose another port, like 9145"


def _listener_conflicts(
    listener: Egress | Metrics, sites: Iterable[Site], ssh_port: Any, instead: str
) -> Iterator[tuple[str, str]]:
    """`instead` is what to do where a site has the port."""
    if listener.port == RELEASE_PORT:
        yield "listen", f"port {RELEASE_PORT} is the gateway's own on this host; right would be {listener.usual_port}"
    for site in sites:
        if listener.port in site.listeners():
            yield (
                "listen",
                f"{site.domain} listens on port {listener.port} of every address of this host, so nothing is left for "
                f"{listener.listen}; {instead}",
            )
            break
    if all(network.version != listener.address.version for network in listener.allow):
        yield "allow", f"no network here can reach {listener.listen}: one is IPv4, the other IPv6"
    if listener.port in (SSH_PORT, ssh_port):
        yield "listen", f"port {listener.port} {_SSH}; right would be another, like {listener.usual_port}"


def unreachable(host: str, listeners: Mapping[str, Egress | Metrics | None]) -> Iterator[Problem]:
    """A warning for each of these listeners, by key, that nobody in its networks can reach.

    Only the host itself reaches a loopback address of its own, and to any other of its addresses it comes from that.
    """
    for key, one in listeners.items():
        address = one.address if one else None
        networks = [network for network in one.allow if network.version == one.address.version] if one else []
        if address is None or not networks:  # networks of the other version alone are an error
            continue
        here = ipaddress.ip_network("127.0.0.0/8" if address.version == 4 else "::1")
        if address.is_loopback and not any(network.overlaps(here) for network in networks):
            text = (
                f"only this host itself reaches {address}, and these networks are others'; listen on an inner address "
                f'of this host, or, for a program on it, write "{"127.0.0.1" if address.version == 4 else "::1"}" here'
            )
            yield Problem(host, "", f"{key}.allow", text, "warning")
        if not address.is_loopback and all(_within(network, here) for network in networks):
            text = (
                f"nobody reaches {address} from a loopback address, this host itself comes from {address}; name that "
                "for a program on this host, or the networks of the other hosts that may come"
            )
            yield Problem(host, "", f"{key}.allow", text, "warning")


def _within(network: IPNetwork, other: IPNetwork) -> bool:
    return network.network_address in other and network.prefixlen >= other.prefixlen


def layer_4_conflicts(host: str, sites: Sequence[Site]) -> list[Problem]:
    """Why no load balancer of layer 4 can say by the PROXY protocol who the visitors of these sites are."""
    encrypted = [site for site in sites if site.edge == "tls"]
    if not encrypted:
        text = (
            'is for sites at edge "tls", and this host has none; a load balancer that ends TLS says who the client is '
            'in X-Forwarded-For: remove the key, and name its networks in each site\'s "slb_cidrs"'
        )
        return [Problem(host, "", "proxy_protocol", text)]
    text = (
        'with "proxy_protocol" beside "sites" the load balancer says who the client is before TLS, and X-Forwarded-For '
        "is believed from nobody; remove the key"
    )
    return [Problem(host, site.domain, "slb_cidrs", text) for site in encrypted if site.trusted_proxies]
