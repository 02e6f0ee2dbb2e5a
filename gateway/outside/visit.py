"""One site at one address that is to be asked."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from gateway.inventory.site import Site
from gateway.outside.places import Target
from gateway.outside.probe import Client, Door, own_address


@dataclass(frozen=True)
class Visit:
    """A site, the address to ask, and the client that asks."""

    target: Target
    address: str
    client: Client

    @property
    def site(self) -> Site:
        return self.target.site

    @property
    def through_balancer(self) -> bool:
        """Whether a load balancer answers at the address; if not, nginx on the host does."""
        return self.site.edge == "slb" and not self.target.straight

    @property
    def past_balancer(self) -> bool:
        """Whether the address is a host's that answers its load balancer of layer 4 alone."""
        return self.address in self.target.closed

    @property
    def by_tcp(self) -> bool:
        """Whether a load balancer of layer 4 stands in front, by which alone the site is reached."""
        return bool(self.target.closed)

    @property
    def is_stranger(self) -> bool:
        """Whether the site is surely to refuse this machine: its own address is not in `allow`, and visitors are judged
        by theirs. An address translation on the way may give it another."""
        here = own_address(self.door(self.site.entry_port))
        if here is None or (self.site.edge == "slb" and not self.site.trusted_proxies):
            return False
        return bool(self.site.allow) and not any(here in ipaddress.ip_network(one) for one in self.site.allow)

    @property
    def front(self) -> str:
        """What answers at the address, in words: "load balancer" or "host"."""
        return "load balancer" if self.through_balancer else "host"

    def door(self, port: int) -> Door:
        """Where the public reaches `port`, one of the ports that the site's host listens on."""
        if self.target.straight:
            return Door(self.address, port, tls=False)
        return Door(self.address, 443 if port == self.site.entry_port else port, tls=True)
