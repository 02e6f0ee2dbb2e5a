"""The old servers that a fleet is compared with, as an operator names them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gateway.fleet.host import Host
from gateway.inventory.site import Site
from gateway.outside import places
from gateway.outside.probe import Door

_NAME = re.compile(r"(?=.{1,253}$)(?!\d+$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z][A-Za-z0-9-]{0,62}")
_PORTS = re.compile(r"(\d{1,5})=(\d{1,5})")
_RIGHT = (
    "right would be 203.0.113.5, old.school.edu.cn or wx.school.edu.cn:203.0.113.5, and behind it the ports that "
    "differ: 203.0.113.5,443=8443,80=8080"
)


@dataclass(frozen=True)
class Server:
    """A server that is asked: its address, and which port of its own stands for a public one that it has elsewhere."""

    address: str
    ports: Mapping[int, int] = field(default_factory=dict)

    def door(self, public: Door) -> Door:
        """Where it is asked for what the public finds behind `public`."""
        return replace(public, address=self.address, port=self.ports.get(public.port, public.port))

    def __str__(self) -> str:
        return ",".join([self.address, *(f"{public}={own}" for public, own in self.ports.items())])


def old_servers(hosts: Sequence[Host], texts: Iterable[str]) -> dict[str, Server]:
    """The old server of each domain, from `ADDRESS` for all sites or `DOMAIN:ADDRESS` for one, which goes first.

    An address is an IP address or a name; `,PORT=ITS` behind it says where it has another port. Raises ValueError with
    what is wrong and what would be right.
    """
    sites: dict[str, list[Site]] = {}
    for host in hosts:
        for site in host.sites:
            sites.setdefault(site.domain, []).append(site)
    for_all: Server | None = None
    found: dict[str, Server] = {}
    for text in texts:
        place, *pairs = text.split(",")
        domain, address = _parts(place, text)
        if domain and domain not in sites:
            raise ValueError(f"--compare {text}: no chosen host has a site {domain}")
        if (domain and domain in found) or (not domain and for_all):
            raise ValueError(f"--compare {text}: one old server has been named before; give DOMAIN:ADDRESS for others")
        chosen = sites[domain] if domain else [site for some in sites.values() for site in some]
        server = Server(_looked_up(address, text), dict(_pair(pair, chosen, text) for pair in pairs))
        if domain:
            found[domain] = server
        else:
            for_all = server
    return {domain: for_all for domain in sites if for_all} | found


def _parts(place: str, text: str) -> tuple[str, str]:
    """The domain, "" for all, and the address or name."""
    if places.address_in(place) or _NAME.fullmatch(place):
        return "", place
    domain, _, rest = place.partition(":")
    if not _NAME.fullmatch(domain) or not (places.address_in(rest) or _NAME.fullmatch(rest)):
        raise ValueError(f"--compare {text}: {_RIGHT}")
    return domain, rest


def _looked_up(address: str, text: str) -> str:
    if known := places.address_in(address):
        return known
    try:
        return places.lookup(address)[0]
    except OSError as error:
        raise ValueError(f"--compare {text}: {address} does not resolve: {error.strerror or error}") from None


def _pair(pair: str, sites: Sequence[Site], text: str) -> tuple[int, int]:
    """A public port and where the old server has it."""
    numbers = _PORTS.fullmatch(pair)
    public, own = map(int, numbers.groups()) if numbers else (0, 0)
    if not 0 < own < 65536:
        raise ValueError(f"--compare {text}: {_RIGHT}")
    asked = {80, 443} | {port for site in sites for port in site.ports()}
    if public not in asked:
        known = ", ".join(map(str, sorted(asked)))
        raise ValueError(
            f"--compare {text}: no site is asked on {public} but on {known}; the old server's comes second"
        )
    return public, own
