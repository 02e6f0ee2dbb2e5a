"""Sites as they will be served: an inventory entry resolved against its platform."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from gateway.inventory import header_values, upstream_values
from gateway.inventory.model import Acme, BlueKing, Platform, PlatformRoute, RateLimit, SiteEntry, WeCom
from gateway.inventory.network_values import in_order

Edge = Literal["slb", "tls"]


@dataclass(frozen=True, order=True)
class Upstream:
    """Who answers: an origin, and how it is asked.

    `host` is a name or an IP address, without brackets. `nodes` are addresses with ports, asked in place of what DNS
    says. `ca` is the path in the checkout of the authorities that it is verified with, "" for the host's trust store.
    """

    host: str
    port: int = 443
    scheme: Literal["https", "http"] = "https"
    nodes: tuple[str, ...] = ()
    ca: str = ""

    @property
    def authority(self) -> str:
        """As it stands in a Host header: without the scheme's default port."""
        return self.written_host if self.port == _DEFAULT_PORTS[self.scheme] else f"{self.written_host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme and authority."""
        return f"{self.scheme}://{self.authority}"

    @property
    def servers(self) -> tuple[str, ...]:
        """The addresses, with ports, where it is asked. Empty where DNS says them."""
        return self.nodes or ((f"{self.written_host}:{self.port}",) if self.is_address else ())

    @property
    def hosts(self) -> tuple[str, ...]:
        """Its own name or address, and its nodes' addresses, without ports and brackets."""
        return (self.host, *(node.rpartition(":")[0].strip("[]") for node in self.nodes))

    @property
    def is_address(self) -> bool:
        """Whether `host` is an IP address."""
        return upstream_values.address(self.host) is not None

    @property
    def written_host(self) -> str:
        """`host` as it stands in a URL: IPv6 in brackets."""
        address = upstream_values.address(self.host)
        return upstream_values.written(address) if address else self.host


_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class Route:
    """Requests to `path` on public port `port` go to `upstream` under `upstream_path`.

    Both prefixes end in "/". A `guarded` route leads into an inner network that is closed otherwise: nothing may pass
    that an upstream could read as a path outside its prefix. `own_host` is True where the upstream gets the site's
    domain as Host, not its own name. `headers` are as in a platform's row.
    """

    port: int
    path: str
    upstream: Upstream
    upstream_path: str
    guarded: bool = False
    own_host: bool = False
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def verbatim(self) -> bool:
        """True where a whole host is mapped to a whole host, so that the request target can pass as it came."""
        return self.path == "/" and self.upstream_path == "/" and not self.guarded

    def header(self, name: str, domain: str) -> str:
        """The value of one of its further request headers at a site, "" where it has no such header."""
        values = {key.lower(): text for key, text in self.headers}
        return header_values.filled(values.get(name.lower(), ""), domain, self.path)


@dataclass(frozen=True)
class AppEntry:
    """The path of a WeCom app's home URL on a site; "{flag}" may stand in it.

    `app` and `env` are a BlueKing app's code and environment ("o" production, "t" test), else empty.
    """

    path: str
    app: str = ""
    env: Literal["o", "t", ""] = ""


@dataclass(frozen=True)
class Site:
    """One school on one host, with its platform's values and every default filled in.

    `read_timeout` and `hsts` are in seconds. `wecom` and `app_entries` make no difference to what is served: only
    people are told of them, and sites that differ in nothing else are equal.
    """

    domain: str
    edge: Edge
    platform: str
    routes: tuple[Route, ...]
    trusted_proxies: tuple[str, ...]
    max_body: str
    read_timeout: int
    domain_headers: tuple[str, ...]
    hsts: int
    rate_limit: RateLimit | None = None
    # how the host gets the site's certificate, None where it comes with the release
    acme: Acme | None = None
    # the networks of those who may use the site, empty where everybody may
    allow: tuple[str, ...] = ()
    wecom: WeCom = field(default=WeCom(), compare=False)
    app_entries: tuple[AppEntry, ...] = field(default=(), compare=False)

    @property
    def entry_port(self) -> int:
        """The port that a WeCom app's home URL uses: the public 443, seen here as 80 behind an SLB."""
        return ENTRY_PORTS[self.edge]

    def public_origin(self, port: int) -> str:
        """The origin that a browser sees for nginx's listener on `port`.

        It is always https, and behind an SLB, which maps its 443 to nginx's 80, it has no port for 80.
        """
        return f"https://{self.domain}" + ("" if port == self.entry_port else f":{port}")

    @property
    def route_headers(self) -> tuple[str, ...]:
        """The names of all further request headers of its routes."""
        return tuple(dict.fromkeys(name for route in self.routes for name, _ in route.headers))

    @property
    def is_blueking(self) -> bool:
        """Whether an app of BlueKing's is published: it knows a visit from WeCom by this header."""
        return any(name.lower() == "x-forwarded-weixin-host" for name in [*self.domain_headers, *self.route_headers])

    @property
    def follows_from_bk(self) -> bool:
        """Whether its routes follow from its own `bk`."""
        return any(entry.app for entry in self.app_entries)

    def host_header(self, route: Route) -> str:
        """The Host header that the route's upstream gets."""
        return self.domain if route.own_host else route.upstream.authority

    def ports(self) -> tuple[int, ...]:
        """Ports with routes and the entry port, which serves verification files in any case."""
        return tuple(sorted({self.entry_port, *(route.port for route in self.routes)}))

    def listeners(self) -> dict[int, bool]:
        """Every port that nginx must listen on for this site, and whether it speaks TLS there."""
        encrypted = self.edge == "tls"
        ports = dict.fromkeys(self.ports(), encrypted)
        if encrypted:
            ports.setdefault(80, False)
        return ports


ENTRY_PORTS: dict[Edge, int] = {"slb": 80, "tls": 443}


def resolve(entry: SiteEntry, platform_name: str, platform: Platform) -> Site:
    """The site that `entry` asks for.

    Raises ValueError where the platform needs settings that the entry lacks (or the reverse): it is the entry's
    "bk" that is wrong then.
    """
    if platform.routes == "bk":
        if entry.bk is None:
            raise ValueError(
                f'missing; platform "{platform_name}" needs it, for example '
                '{"upstream": "https://paas.inner.example", "apps": ["bk_itsm"]}'
            )
        routes = _bk_routes(entry.bk, ENTRY_PORTS[entry.edge])
        entries = _bk_entries(entry.bk, platform.app_path or "")
    else:
        if entry.bk is not None:
            raise ValueError(f'only for BlueKing sites; platform "{platform_name}" has its own routes')
        routes = tuple(
            Route(
                port=ENTRY_PORTS[entry.edge] if row.port == "entry" else row.port,
                path=row.path,
                upstream=_upstream(row),
                upstream_path=urlsplit(row.upstream).path,
                guarded=row.guarded,
                own_host=row.host == "domain",
                headers=row.headers,
            )
            for row in platform.routes
        )
        # a further route on the same port is a part of the platform that the app itself calls
        entries = tuple(
            AppEntry(route.path + (platform.app_path or ""))
            for route in routes
            if route.port == ENTRY_PORTS[entry.edge]
        )[:1]
    return Site(
        domain=entry.domain,
        edge=entry.edge,
        platform=platform_name,
        routes=routes,
        trusted_proxies=tuple(str(network) for network in entry.slb_cidrs),
        max_body=entry.max_body or platform.max_body,
        read_timeout=platform.read_timeout,
        domain_headers=platform.domain_headers,
        hsts=entry.hsts,
        rate_limit=entry.rate_limit,
        acme=entry.cert.acme if entry.cert else None,
        allow=in_order(entry.allow),
        wecom=entry.wecom,
        app_entries=entries,
    )


def _bk_routes(bk: BlueKing, port: int) -> tuple[Route, ...]:
    upstream = _upstream(bk)
    paths = [f"/{env}/{app}/{part}/" for app in bk.apps for env in bk.envs for part in ("weixin", "static/weixin")]
    return tuple(
        Route(port=port, path=path, upstream=upstream, upstream_path=path, guarded=True)
        for path in dict.fromkeys([*paths, *bk.extra_paths])
    )


def _bk_entries(bk: BlueKing, app_path: str) -> tuple[AppEntry, ...]:
    """One for each app and environment, production first."""
    return tuple(
        AppEntry(f"/{env}/{app}/weixin/{app_path}", app, env)
        for env in sorted(set(bk.envs))
        for app in dict.fromkeys(bk.apps)
    )


def _upstream(asked: BlueKing | PlatformRoute) -> Upstream:
    parts = urlsplit(asked.upstream)
    port = upstream_values.default_port(parts)
    host = upstream_values.host_of(parts)
    address = upstream_values.address(host)
    return Upstream(
        # an address has several spellings
        host=str(address) if address else host,
        port=port,
        scheme="http" if parts.scheme == "http" else "https",
        nodes=tuple(upstream_values.with_port(node, port) for node in asked.nodes),
        ca=asked.ca or "",
    )
