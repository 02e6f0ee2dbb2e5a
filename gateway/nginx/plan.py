"""What several of a host's nginx files need to know, derived once from its sites and its nginx."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from gateway.fleet.host import Host
from gateway.inventory.site import ENTRY_PORTS, Site
from gateway.nginx import answers, upstreams
from gateway.nginx.build import Build

# With so many certificates or more, sites at edge tls that differ in their name alone share a server. nginx then reads
# the certificate from a file for each full handshake, which is three times the work; but loading a thousand servers of
# their own takes seconds and 300 MB at every reload (bench/README.md has the figures).
TOGETHER = 100


@dataclass(frozen=True)
class Plan:
    """One host, and the nginx on it."""

    host: Host
    build: Build

    @cached_property
    def healthz_ports(self) -> frozenset[int]:
        """The ports, plain http, on which load balancers send their health checks."""
        return frozenset({ENTRY_PORTS["slb"]} if any(site.edge == "slb" for site in self.host.sites) else ())

    @cached_property
    def upstreams(self) -> tuple[upstreams.Block, ...]:
        """The block of every upstream of any site."""
        distinct = {route.upstream for site in self.host.sites for route in site.routes}
        return tuple(upstreams.Block(upstream) for upstream in sorted(distinct))

    @cached_property
    def origins(self) -> Mapping[tuple[answers.Rule, ...], int]:
        """What becomes of the upstreams' own origins at each kind of site, numbered from 1."""
        distinct = {origins_of(site) for site in self.host.sites}
        return {rules: number for number, rules in enumerate(sorted(distinct), 1)}

    @cached_property
    def balancers(self) -> Mapping[tuple[str, ...], int]:
        """The networks of each load balancer that is believed about a request's scheme, numbered from 1."""
        sites = self.host.sites
        distinct = {site.trusted_proxies for site in sites if site.edge == "slb" and site.trusted_proxies}
        return {networks: number for number, networks in enumerate(sorted(distinct), 1)}

    @cached_property
    def visitors(self) -> Mapping[tuple[str, ...], int]:
        """The networks of each `allow` of any site, numbered from 1."""
        distinct = {site.allow for site in self.host.sites if site.allow}
        return {networks: number for number, networks in enumerate(sorted(distinct), 1)}

    @property
    def judges_addresses(self) -> bool:
        """Whether it makes a difference from where somebody comes, or connects."""
        return bool(self.visitors or self.host.proxy_protocol)

    @property
    def guarded(self) -> bool:
        """Whether some route leads into an inner network that is closed otherwise."""
        return any(route.guarded for site in self.host.sites for route in site.routes)

    @cached_property
    def groups(self) -> tuple[tuple[Site, ...], ...]:
        """Sites that one server block can serve: they differ in their domain alone. All in the order of domains. A site
        with directives of the operator's own shares with nobody.

        The nginx of Debian 12 takes 0.7 ms and 70 kB for every certificate, and the same for the TLS client of every
        location: a server for each of a thousand schools costs seconds, one for all costs nothing.
        At edge tls sharing has a price (see TOGETHER), and nginx's workers must be able to read the keys. So sites
        share there only if the workers run in a group of their own, and never with an ACME server's certificate.
        """
        own_certificates = len(self.host.certs)
        shared_edges = {"slb", "tls"} if self.build.group and own_certificates >= TOGETHER else {"slb"}
        groups: dict[object, list[Site]] = {}
        for site in sorted(self.host.sites, key=lambda site: site.domain):
            # A verification file of an unusual name could have the path of another school's page.
            unusual = tuple(file.name for file in self.host.verify[site.domain] if not file.has_family_name)
            # What an upstream writes that calls itself by the domain is matched by that name.
            own = site.acme or site.domain in self.host.directives or any(route.own_host for route in site.routes)
            alike = replace(site, domain=""), unusual, answers.shared_names(site)
            key = alike if site.edge in shared_edges and not own else site
            groups.setdefault(key, []).append(site)
        return tuple(map(tuple, groups.values()))

    @cached_property
    def certificates_by_name(self) -> tuple[str, ...]:
        """Domains at edge tls that share a server, for which nginx looks up the certificate by name."""
        return tuple(site.domain for group in self.groups if len(group) > 1 for site in group if site.edge == "tls")

    @cached_property
    def own_headers(self) -> Mapping[str, str]:
        """Request headers that some site of the host sets, by their names in lower case; the other sites strip them."""
        names = (name for site in self.host.sites for name in [*site.domain_headers, *site.route_headers])
        return {name.lower(): name for name in sorted(names)}

    def hash_sizes(self) -> dict[str, int]:
        """Sizes for nginx's hash table of server names, 0 where nginx's defaults are enough.

        By default a bucket of 64 bytes holds names of at most 46 characters, and the table some 500 names. The
        directives may stand only once in all of nginx's configuration, so they are left out where not needed.
        """
        names = [site.domain for site in self.host.sites]
        longest = max(map(len, names), default=0)
        if longest <= 44 and len(names) <= 250:
            return {"hash_bucket_size": 0, "hash_max_size": 0}
        bucket = 128 if longest <= 100 else 512
        return {"hash_bucket_size": bucket, "hash_max_size": max(2048, 1 << (8 * len(names)).bit_length())}


def origins_of(site: Site) -> tuple[answers.Rule, ...]:
    """answers.origins for a site of any domain, for which `$host` stands where no rule matches the domain itself."""
    return answers.origins(site if any(route.own_host for route in site.routes) else replace(site, domain="$host"))
