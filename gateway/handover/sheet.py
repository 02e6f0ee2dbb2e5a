"""What one site's sheet states: everything that follows from the inventory, and blanks for what it does not say."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.fleet.host import Host
from gateway.inventory.model import WeCom
from gateway.inventory.site import AppEntry, Site
from gateway.problems import Problem
from gateway.wecom.api_hosts import WECOM_API

# Encloses what somebody still has to fill in; pages highlight it.
BLANK_START, BLANK_END = "【待填 / fill in: ", "】"

_IP = ipaddress.IPv4Address | ipaddress.IPv6Address


def blank(what: str) -> str:
    """A marked gap for a value that is not known yet."""
    return f"{BLANK_START}{what}{BLANK_END}"


@dataclass(frozen=True)
class Node:
    """A host: its name in the inventory, and the address by which SSH reaches it."""

    name: str
    address: str

    def __str__(self) -> str:
        return self.name if self.address == self.name else f"{self.name} ({self.address})"

    @property
    def inner(self) -> str:
        """Its address, where others in the inner network reach it by that; else empty."""
        found = self._ip
        return str(found) if found and _is_inner(found) and not found.is_loopback and not found.is_link_local else ""

    @property
    def record(self) -> str:
        """The type and value of its DNS record; a blank for the value where the public cannot reach its address."""
        found = self._ip
        if found is None:
            return f"A  {blank(f'{self} 的公网地址 public address')}"
        if _is_inner(found):
            return f"A  {blank(f'{self} 对应的公网地址 public address')}"
        return f"{'A' if found.version == 4 else 'AAAA'}  {found}"

    @property
    def _ip(self) -> _IP | None:
        try:
            return ipaddress.ip_address(self.address)
        except ValueError:
            return None


@dataclass(frozen=True)
class Sheet:
    """What people outside have to know of a site. A site on several hosts has one sheet with all of them.

    `site` is the first host's. Each key of `wecom` has the first value that some host has for it. `verify` are names
    of verification files, `layer_4` the networks of a load balancer of layer 4 that hands TLS through to the hosts.
    """

    hosts: tuple[Node, ...]
    site: Site
    wecom: WeCom
    verify: tuple[str, ...]
    layer_4: tuple[str, ...] = ()

    @property
    def domain(self) -> str:
        """The public host name."""
        return self.site.domain

    @property
    def host_names(self) -> tuple[str, ...]:
        """All hosts, each with its address."""
        return tuple(map(str, self.hosts))

    @property
    def is_blueking(self) -> bool:
        """True where apps of a BlueKing in an inner network are published: people set these up in another way."""
        return self.site.is_blueking

    @property
    def is_wecom_api(self) -> bool:
        """True where the site is a way to WeCom's API, which application servers call and nobody opens."""
        return all(route.upstream.host in WECOM_API for route in self.site.routes)

    @property
    def other_ports(self) -> tuple[int, ...]:
        """The public ports with routes beside the default one."""
        return tuple(port for port in self.site.ports() if port != self.site.entry_port)

    @property
    def has_flag(self) -> bool:
        """Whether the platform tells its schools apart by a flag in the home URL."""
        return any("{flag}" in entry.path for entry in self.site.app_entries)

    @property
    def corp_id(self) -> str:
        """The CorpID or a blank."""
        return self.wecom.corp_id or blank("CorpID 企业ID")

    @property
    def agent_id(self) -> str:
        """The AgentId or a blank."""
        return blank("AgentId") if self.wecom.agent_id is None else str(self.wecom.agent_id)

    @property
    def trusted_ips(self) -> str:
        """All addresses in the form that WeCom's field takes, or a blank."""
        return ";".join(self.wecom.trusted_ips) or blank("企业可信IP trusted IPs")

    @property
    def home_urls(self) -> tuple[tuple[AppEntry | None, str], ...]:
        """The home URL of each app entry, with the entry; one blank without an entry where there are none."""
        urls = tuple((entry, self._home_url(entry)) for entry in self.site.app_entries)
        return urls or ((None, blank("应用主页 app home URL")),)

    def _home_url(self, entry: AppEntry) -> str:
        origin = self.site.public_origin(self.site.entry_port)
        return origin + entry.path.replace("{flag}", self.wecom.flag or blank("flag"))

    @property
    def verify_urls(self) -> tuple[str, ...]:
        """Where WeCom looks for the verification files, or a blank."""
        origin = self.site.public_origin(self.site.entry_port)
        return tuple(f"{origin}/{name}" for name in self.verify) or (f"{origin}/{blank('WW_verify_….txt')}",)

    @property
    def listeners(self) -> tuple[str, ...]:
        """The ports that must be open to the public; behind a load balancer, each with the hosts' own port for it."""
        site = self.site
        if site.edge == "slb":
            return tuple(f"https {443 if port == site.entry_port else port} → http {port}" for port in site.ports())
        if self.layer_4:
            return tuple(
                f"TCP {port} → {port}{', PROXY' if encrypted else ''}"
                for port, encrypted in sorted(site.listeners().items())
            )
        # servers that call an API know its https URL; an automatic certificate's step tells of port 80 itself
        ports = dict.fromkeys(site.ports(), True) if self.is_wecom_api else site.listeners()
        return tuple(f"{'https' if encrypted else 'http'} {port}" for port, encrypted in sorted(ports.items()))

    @property
    def dns(self) -> tuple[str, ...]:
        """The DNS records to create. A blank for a load balancer's address, which the inventory does not have."""
        if self.site.edge == "slb" or self.layer_4:
            return (f"{self.domain}.  A / CNAME  {blank('SLB 公网地址 public address')}",)
        return tuple(f"{self.domain}.  {host.record}" for host in self.hosts)

    @property
    def outbound(self) -> tuple[str, ...]:
        """The platform's servers, as host and port, which the hosts must reach."""
        distinct = sorted({route.upstream for route in self.site.routes})
        return tuple(dict.fromkeys(server for one in distinct for server in one.servers or (f"{one.host}:{one.port}",)))

    def blanks(self) -> list[Problem]:
        """A warning for each value that the inventory could give and does not."""
        for_an_app = not self.is_wecom_api
        missing = [key for key in ("corp_id", "agent_id") if for_an_app and getattr(self.wecom, key) is None]
        if self.has_flag and not self.wecom.flag:
            missing.append("flag")
        if not self.wecom.trusted_ips:
            missing.append("trusted_ips")
        texts = [("wecom", f"{', '.join(missing)} missing; left blank in the sheet")] if missing else []
        if not self.site.app_entries:
            texts.append(("platform", "no route on the default port; the app's home URL is left blank in the sheet"))
        if for_an_app and not self.verify:
            folder = f"files/verify/{self.domain}/"
            texts.append(("verify", f"no verification file in {folder} yet; left blank in the sheet"))
        return [Problem(self.hosts[0].name, self.domain, *text, "warning") for text in texts]


# Networks that no public DNS record may name.
_INNER = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
)


def _is_inner(one: _IP) -> bool:
    return any(one in network for network in _INNER)


def sheets(hosts: Iterable[Host]) -> list[Sheet]:
    """One sheet for each domain that these hosts serve, in the order of domains."""
    found: dict[str, list[tuple[Host, Site]]] = {}
    for host in hosts:
        for site in host.sites:
            found.setdefault(site.domain, []).append((host, site))
    return [_sheet(found[domain]) for domain in sorted(found)]


def _sheet(places: list[tuple[Host, Site]]) -> Sheet:
    host, site = places[0]
    return Sheet(
        hosts=tuple(Node(host.name, host.address) for host, _ in places),
        site=site,
        wecom=_merged(other.wecom for _, other in places),
        verify=tuple(file.name for file in host.verify[site.domain]),
        layer_4=tuple(dict.fromkeys(one for other, its in places if its.edge == "tls" for one in other.proxy_protocol)),
    )


def _merged(given: Iterable[WeCom]) -> WeCom:
    """The first value of each key: an operator need not write them for every node."""
    values: dict[str, object] = {}
    for one in given:
        for key, value in one:
            if value:
                values.setdefault(key, value)
    return WeCom.model_construct(**values)  # type: ignore[arg-type]
