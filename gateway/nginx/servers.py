"""The server blocks of a host's sites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gateway.checkout import own_directives
from gateway.inventory.site import Route, Site
from gateway.nginx import answers, upstreams
from gateway.nginx.plan import Plan, origins_of
from gateway.nginx.templates import render
from gateway.onhost.constants import ACME, ACME_WEBROOT

# What the gateway says in a server without promising it: where a site's own directives say it, they have the say, since
# nginx takes each once.
YIELDING = frozenset(
    {
        *("gzip", "client_body_timeout", "auth_basic", "auth_request"),
        *("proxy_buffering", "proxy_cache", "proxy_store", "proxy_intercept_errors"),
    }
)


def server_blocks(plan: Plan, shared: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Path and text of all server blocks. Texts of the same path follow one another in that file, in this order.

    `shared` are the values that every template gets.
    """
    for group in plan.groups:
        yield from _group_blocks(group, plan, shared)


def own_directives_path(domain: str) -> str:
    """Where a release has a site's own directives: as the checkout has them, so that operators know the name."""
    return own_directives.path_of(domain, Path("files")).as_posix()


_Ruled = tuple[Route, answers.AnswerRules]


@dataclass(frozen=True)
class _BarePath:
    """A route's prefix without its last slash, "" where nothing has to be said of it.

    `covering` is the route around it that serves this path, if there is one, with its `rules` and `upstream_path`.
    """

    path: str = ""
    covering: Route | None = None
    rules: answers.AnswerRules | None = None
    upstream_path: str = ""


@dataclass(frozen=True)
class _Listener:
    """One server block of a site.

    `entry` is True on the port that visitors come by first. `taken` are paths that nginx answers by itself.
    """

    port: int
    entry: bool
    routes: tuple[_Ruled, ...]
    taken: frozenset[str]
    # the nginx variable that is true where a load balancer got the request by plain http; "" where none is believed
    plain: str = ""
    # further request headers, by name, as nginx has them: text, or a variable that each location sets
    headers: Mapping[str, str] = field(default_factory=dict)
    # request headers that other sites of the host set, and this one drops
    stripped: tuple[str, ...] = ()
    # the nginx variable that is true for who may not use the site; "" where everybody may
    stranger: str = ""

    @property
    def whole_host(self) -> bool:
        return any(route.path == "/" for route, _ in self.routes)

    def block(self, route: Route) -> upstreams.Block:
        """nginx's block for the route's upstream."""
        return upstreams.Block(route.upstream)

    def header_variables(self, site: Site, route: Route) -> dict[str, str]:
        """The variables of `headers`, and what each is at `route`."""
        return {
            value: route.header(name, site.domain)
            for name, value in self.headers.items()
            if value.startswith(_HEADER_VARIABLE)
        }

    @property
    def authority(self) -> str | None:
        """The path of the authorities that the routes' upstreams are verified with, "" for the host's trust store.

        None where they differ. Upstreams by plain http do not count.
        """
        distinct = {route.upstream.ca for route, _ in self.routes if route.upstream.scheme == "https"}
        return distinct.pop() if len(distinct) == 1 else None if distinct else ""

    @property
    def shared_rules(self) -> answers.AnswerRules | None:
        """The rules for answers where all routes have the same: they stand in the server, locations inherit them."""
        distinct = {rules for _, rules in self.routes}
        return distinct.pop() if len(distinct) == 1 else None

    def without_slash(self, route: Route) -> _BarePath:
        """nginx redirects /x to /x/ where a location /x/ proxies; this decides what /x does instead."""
        path = route.path[:-1]
        if not path or path in self.taken:
            return _BarePath()
        around = [pair for pair in self.routes if path.startswith(pair[0].path)]
        if not around:
            return _BarePath(path)
        covering, rules = max(around, key=lambda pair: len(pair[0].path))
        return _BarePath(path, covering, rules, covering.upstream_path + path.removeprefix(covering.path))


def _group_blocks(group: tuple[Site, ...], plan: Plan, shared: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Path and text of the server blocks of sites that differ in their domain alone.

    For several sites `$host` stands for the domain. In a server that is chosen by exact name, nginx sets it to that
    name, in lower case and without a port, whatever the client wrote.
    """
    site = group[0] if len(group) == 1 else replace(group[0], domain="$host")
    names = answers.shared_names(group[0])
    ruled = [(route, answers.rules(site, route, names)) for route in site.routes]
    own = plan.host.directives.get(site.domain)
    verify = sorted({file.name for one in group for file in plan.host.verify[one.domain]})
    values = {
        **shared,
        "site": site,
        "domains": [one.domain for one in group],
        "verify": verify,
        "listeners": _listeners(site, ruled, frozenset(f"/{name}" for name in verify), plan),
        "patience": upstreams.Patience(site.read_timeout),
        "origin": plan.origins[origins_of(site)],
        "acme_issued": f"{ACME}/issued/{site.domain}",
        "acme_webroot": ACME_WEBROOT,
        "own_directives": own_directives_path(site.domain) if own else "",
        "own_says": YIELDING & own.names if own else frozenset(),
    }
    has_own_file = site.edge == "tls" and len(group) == 1
    name = site.domain if has_own_file else f"{site.platform}-{site.edge}"
    yield f"sites/{name}.conf", render(f"site-{site.edge}.conf.j2", **values)
    if site.acme:
        yield f"acme/{site.domain}.conf", render("site-acme.conf.j2", **values)


def _listeners(site: Site, routes: Sequence[_Ruled], verify: frozenset[str], plan: Plan) -> list[_Listener]:
    return [
        _listener(site, port, tuple(pair for pair in routes if pair[0].port == port), verify, plan)
        for port in site.ports()
    ]


def _listener(site: Site, port: int, routes: tuple[_Ruled, ...], verify: frozenset[str], plan: Plan) -> _Listener:
    entry = port == site.entry_port
    headers = _headers(site, [route for route, _ in routes])
    set_here = {name.lower() for name in [*site.domain_headers, *headers]}
    balancer = plan.balancers.get(site.trusted_proxies) if site.edge == "slb" else None
    allowed = plan.visitors.get(site.allow)
    return _Listener(
        port=port,
        entry=entry,
        routes=routes,
        taken=(verify if entry else frozenset()) | ({"/healthz"} if port in plan.healthz_ports else frozenset()),
        plain=f"$wecom_gateway_plain_{balancer}" if balancer else "",
        headers=headers,
        stranger=f"$wecom_gateway_stranger_{allowed}" if allowed else "",
        stripped=tuple(name for lower, name in plan.own_headers.items() if lower not in set_here),
    )


def _headers(site: Site, routes: Sequence[Route]) -> dict[str, str]:
    """The routes' further request headers. nginx inherits them all or nothing, so they stand in the server: where the
    routes differ, as a variable."""
    names = {name.lower(): name for route in routes for name, _ in route.headers}
    found: dict[str, str] = {}
    for number, name in enumerate(names.values(), 1):
        distinct = {route.header(name, site.domain) for route in routes}
        found[name] = distinct.pop() if len(distinct) == 1 else f"{_HEADER_VARIABLE}{number}"
    return found


# A header's own name would be too long for nginx's table of variables.
_HEADER_VARIABLE = "$wecom_gateway_header_"
