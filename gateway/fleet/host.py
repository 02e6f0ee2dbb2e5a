"""One host with everything that its release is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.certificates.keys import KeyPair
from gateway.checkout.own_directives import OwnDirectives
from gateway.checkout.verify_files import VerifyFile
from gateway.inventory.model import Egress, Metrics
from gateway.inventory.site import Site


@dataclass(frozen=True)
class Host:
    """One server and everything that its release is made of. Keys never show in a repr."""

    name: str
    # by which SSH reaches it
    address: str
    sites: tuple[Site, ...]
    # by domain
    verify: Mapping[str, tuple[VerifyFile, ...]] = field(repr=False)
    # by domain, of the sites whose certificate comes from the checkout
    certs: Mapping[str, KeyPair] = field(repr=False)
    # by Acme.account, of those that name a CA: the certificates that the ACME server's own TLS is verified with, PEM
    acme_cas: Mapping[str, bytes] = field(default_factory=dict)
    # by their path in the checkout: the authorities that upstreams are verified with, PEM
    upstream_cas: Mapping[str, bytes] = field(default_factory=dict)
    egress: Egress | None = None
    metrics: Metrics | None = None
    # by domain, of the sites that have nginx directives of the operator's own
    directives: Mapping[str, OwnDirectives] = field(default_factory=dict)
    # networks of a load balancer of layer 4, which says by the PROXY protocol who the client of a TLS connection is;
    # empty where none stands in front
    proxy_protocol: tuple[str, ...] = ()
    # whether a deploy opens the sites' ports in firewalld, where that runs
    firewall: bool = False
    # files of the host's own nginx configuration that the release takes the place of
    replaces: tuple[str, ...] = ()

    @property
    def serves_nothing(self) -> bool:
        """Whether the inventory has nothing for nginx to do on the host."""
        return not self.sites and self.egress is None

    @property
    def behind_balancers(self) -> frozenset[str]:
        """The domains whose TLS ends in a load balancer, which has their certificates."""
        return frozenset(site.domain for site in self.sites if site.edge == "slb")

    def listeners(self) -> dict[int, bool]:
        """The ports that its sites are asked on, and whether TLS is spoken there."""
        return {port: encrypted for site in self.sites for port, encrypted in site.listeners().items()}


def ssh_address(name: str, data: Mapping[str, Any]) -> str:
    """The address by which SSH reaches the host `name` with that data: its `ssh_hostname`, else its name."""
    address = data.get("ssh_hostname")
    return address if isinstance(address, str) and address else name
