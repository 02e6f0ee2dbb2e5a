"""Where each site of a fleet is to be asked: its public addresses, or those that an operator names."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import gevent

from gateway.checkout.own_directives import OwnDirectives
from gateway.checkout.verify_files import VerifyFile
from gateway.fleet.host import Host
from gateway.fleet.loading import Fleet
from gateway.fleet.machine_error import MachineError
from gateway.fleet.own_address import own_address
from gateway.inventory.site import Site
from gateway.problems import Problem

# Addresses of one name that are asked, and seconds to look it up.
_MOST_ADDRESSES = 4
_LOOKUP = 10


@dataclass(frozen=True)
class Target:
    """A site, the names of all hosts that serve it, and its verification files.

    `address` is asked instead of those that DNS has, where it is not None. `straight` is True where it is the address
    of a host behind a load balancer: plain http is spoken there. `closed` are the addresses of hosts that answer their
    load balancer of layer 4 alone where TLS is spoken.
    """

    site: Site
    hosts: tuple[str, ...]
    files: tuple[VerifyFile, ...] = field(repr=False)
    address: str | None = None
    straight: bool = False
    closed: frozenset[str] = frozenset()
    # nginx directives of the operator's own, where the site has some
    directives: OwnDirectives | None = None


def overrides(hosts: Sequence[Host], texts: Iterable[str]) -> dict[str, str]:
    """Addresses by domain, from `DOMAIN:ADDRESS` each or one `ADDRESS` for all sites of a single host.

    Raises ValueError with what is wrong and what would be right.
    """
    domains = {site.domain for host in hosts for site in host.sites}
    found: dict[str, str] = {}
    for text in texts:
        alone = address_in(text)
        if alone:
            if len(hosts) != 1:
                raise ValueError(
                    f"--resolve {text}: an address alone is for one host, and {len(hosts)} are chosen; "
                    "name one with --limit, or give DOMAIN:ADDRESS"
                )
            found |= dict.fromkeys(domains, alone)
            continue
        domain, _, rest = text.partition(":")
        address = address_in(rest)
        if address is None:
            raise ValueError(f"--resolve {text}: right would be wx.school.edu.cn:203.0.113.10, or an address alone")
        if domain not in domains:
            raise ValueError(f"--resolve {text}: no chosen host has a site {domain}")
        found[domain] = address
    return found


def with_own_addresses(fleet: Fleet, addresses: Mapping[str, str]) -> tuple[Fleet, frozenset[str], list[Problem]]:
    """The fleet with the own addresses of its containers and Vagrant machines, the names of these, and an error for
    each that has none. A host with an error is left out, unless `addresses` has all its domains."""
    hosts: list[Host] = []
    own: set[str] = set()
    problems = []
    for host in fleet.hosts:
        try:
            address = own_address(fleet.inventory.get_host(host.name))
        except MachineError as error:
            if any(site.domain not in addresses for site in host.sites):
                problems.append(Problem(host.name, "", "", str(error)))
                continue
            address = None
        if address:
            own.add(host.name)
        hosts.append(replace(host, address=address or host.address))
    return replace(fleet, hosts=tuple(hosts)), frozenset(own), problems


def targets(hosts: Iterable[Host], addresses: Mapping[str, str], own: Container[str] = ()) -> list[Target]:
    """Each domain of these hosts' sites once, however many of them serve it. `addresses` as overrides() gives them.

    `own` are names of hosts whose own address is asked, not DNS. A domain that none but these serve is there once for
    each of them.
    """
    serving: dict[str, list[tuple[Host, Site]]] = {}
    for host in hosts:
        for site in host.sites:
            serving.setdefault(site.domain, []).append((host, site))
    found = []
    for domain, pairs in sorted(serving.items()):
        host, site = pairs[0]
        at_hosts = {one.address for one, _ in pairs}
        names = tuple(one.name for one, _ in pairs)
        closed = frozenset(one.address for one, its in pairs if one.proxy_protocol and its.edge == "tls")
        asked: Sequence[str | None] = [addresses.get(domain)]
        if domain not in addresses and all(name in own for name in names):
            asked = sorted(at_hosts)
        for address in asked:
            straight = site.edge == "slb" and address in at_hosts
            found.append(
                Target(site, names, host.verify[domain], address, straight, closed, host.directives.get(domain))
            )
    return found


def lookup(domain: str) -> list[str]:
    """The addresses of a domain that a phone at this place would try, at most four.

    Raises OSError where there are none, TimeoutError where DNS does not answer within 10 seconds.
    """
    limit = gevent.Timeout(_LOOKUP, TimeoutError(f"no answer from DNS within {_LOOKUP} s"))
    with limit:
        # only families that this machine has a way out for
        known = socket.getaddrinfo(domain, 443, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return list(dict.fromkeys(str(entry[4][0]) for entry in known))[:_MOST_ADDRESSES]


def address_in(text: str) -> str | None:
    """The IP address that the text is, also in square brackets. None where it is none."""
    try:
        return str(ipaddress.ip_address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        return None
