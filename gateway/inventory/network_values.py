"""Networks in an inventory: of load balancers, of visitors, of servers that use the egress.

Each refusal is a ValueError that says what would be right.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

from gateway.problems import shown

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

# Length of the prefix ::ffff:0:0 of IPv4 addresses in IPv6's form.
_MAPPED = 96


_EVERY_CLIENT = '"{}" believes every client; name the load balancer\'s own networks'


def network(value: Any, everybody: str = _EVERY_CLIENT) -> Any:
    """The network that a text like "10.0.0.0/24" stands for; one address is a network of its own.

    `everybody` is what is wrong with a network that has every address, with a gap for the network.
    """
    if not isinstance(value, str):
        raise ValueError(f'{shown(repr(value))} is not a network; right would be "10.0.0.0/24"')
    try:
        loose = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise ValueError(f'"{shown(value)}" is not a network; right would be "10.0.0.0/24"') from None
    if "%" in value:
        raise ValueError(f'"{shown(value)}" has a zone, which nginx does not know; right would be "fd00::/64"')
    if loose.prefixlen == 0:
        raise ValueError(everybody.format(shown(value)))
    if "/" in value and str(loose.network_address) != str(ipaddress.ip_address(value.partition("/")[0])):
        raise ValueError(f'"{value}" has bits set after its prefix; right would be "{loose}"')
    mapped = loose.network_address.ipv4_mapped if isinstance(loose, ipaddress.IPv6Network) else None
    if mapped and loose.prefixlen >= _MAPPED:
        # nginx looks for an IPv4 address among IPv4 networks alone, however it is written
        raise ValueError(
            f'"{shown(value)}" is an IPv4 network in the form of IPv6; '
            f'right would be "{mapped}/{loose.prefixlen - _MAPPED}"'
        )
    return loose


def inner(value: Any) -> Any:
    """A network whose hosts may use egress, refused where that would be everybody."""
    return network(value, '"{}" lets everybody pass; name the application servers\' networks')


def readers(value: Any) -> Any:
    """A network whose hosts may read metrics, refused where that would be everybody."""
    return network(value, '"{}" lets everybody read; name the networks of your Prometheus')


def visitors(value: Any) -> Any:
    """A network of visitors who may use a site, refused where that would be everybody."""
    return network(value, '"{}" is everybody; name the networks of the visitors who may come, or remove "allow"')


_HERE = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))


def layer_4(values: Iterable[Any]) -> tuple[str, ...]:
    """The networks of a load balancer of layer 4, as nginx takes them, each once.

    Raises ValueError with what is wrong and what would be right, after the place in the list where it is of one place.
    """
    networks = []
    for place, one in enumerate(values):
        try:
            networks.append(_layer_4_network(one))
        except ValueError as error:
            raise ValueError(f"[{place}]: {error}") from None
    if not networks:
        raise ValueError(
            "names no network, so every connection would be closed; right would be the networks that the load balancer "
            'connects from, like ["10.0.0.0/24"], or no such key where there is none'
        )
    return in_order(networks)


def _layer_4_network(value: Any) -> IPNetwork:
    found: IPNetwork = network(value)
    if any(found.overlaps(here) for here in _HERE if here.version == found.version):
        raise ValueError(
            f'"{value}" is this host itself; right would be a network of the load balancer, like "10.0.0.0/24"'
        )
    return found


def in_order(networks: Iterable[IPNetwork]) -> tuple[str, ...]:
    """Networks as nginx takes them, each once, in an order that does not depend on how they were written down."""
    return tuple(map(str, sorted(set(networks), key=lambda one: (one.version, one.network_address, one.prefixlen))))
