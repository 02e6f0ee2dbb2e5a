"""The server blocks of a host's sites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from gateway.inventory.site import Route, Site
from gateway.nginx import answers
from gateway.nginx.plan import Plan
from gateway.nginx.release import HOME
from gateway.nginx.templates import render

# Where a host has what belongs to its ACME certificates (gateway/onhost/scripts/acme.sh).
_ACME_ISSUED = f"{HOME}/acme/issued"
_ACME_WEBROOT = "/var/lib/wecom-gateway/acme"


def server_blocks(plan: Plan, shared: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Path and text of every site's server blocks, in the order in which they stand in files of the same path.

    `shared` are the values that all templates have.
    """
    for group in plan.groups:
        yield from _of_group(group, plan, shared)


@dataclass(frozen=True)
class _Bare:
    """A route's prefix without its slash: the path, and where it goes if another route has it among its own."""

    path: str = ""
    covering: Route | None = None
    rules: answers.AnswerRules | None = None
    upstream_path: str = ""


@dataclass(frozen=True)
class _Listener:
    """One server block of a site. `taken` are paths that it answers by itself."""

    port: int
    entry: bool
    routes: tuple[tuple[Route, answers.AnswerRules], ...]
    taken: frozenset[str]
    # the variable that says that a load balancer got the request by plain http, "" where none is believed
    plain: str = ""

    @property
    def whole_host(self) -> bool:
        return any(route.path == "/" for route, _ in self.routes)

    @property
    def guarded(self) -> bool:
        return any(route.guarded for route, _ in self.routes)

    @property
    def shared_rules(self) -> answers.AnswerRules | None:
        """The rules for answers where all routes have the same: said once, inherited by every location."""
        distinct = {rules for _, rules in self.routes}
        return distinct.pop() if len(distinct) == 1 else None

    def without_slash(self, route: Route) -> _Bare:
        """For nginx it is no part of the prefix, and where nobody says otherwise it redirects to the prefix."""
        path = route.path[:-1]
        if not path or path in self.taken:
            return _Bare()
        around = [pair for pair in self.routes if path.startswith(pair[0].path)]
        if not around:
            return _Bare(path)
        covering, rules = max(around, key=lambda pair: len(pair[0].path))
        return _Bare(path, covering, rules, covering.upstream_path + path.removeprefix(covering.path))


def _of_group(group: tuple[Site, ...], plan: Plan, shared: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """The server blocks of sites that differ in their domain alone.

    Where they are several, `$host` stands for the domain: in a server that is chosen by exact name it is that
    name, in lower case and without a port, whatever the client wrote.
    """
    site = group[0] if len(group) == 1 else replace(group[0], domain="$host")
    verify = sorted({file.name for one in group for file in plan.host.verify[one.domain]})
    values = {
        **shared,
        "site": site,
        "domains": [one.domain for one in group],
        "verify": verify,
        "listeners": _listeners(site, frozenset(f"/{name}" for name in verify), plan),
        "stripped": sorted(plan.domain_headers - set(site.domain_headers)),
        "acme_issued": f"{_ACME_ISSUED}/{site.domain}",
        "acme_webroot": _ACME_WEBROOT,
    }
    has_own_file = site.edge == "tls" and len(group) == 1
    name = site.domain if has_own_file else f"{site.platform}-{site.edge}"
    yield f"sites/{name}.conf", render(f"site-{site.edge}.conf.j2", **values)
    if site.acme:
        yield f"acme/{site.domain}.conf", render("site-acme.conf.j2", **values)


def _listeners(site: Site, verify: frozenset[str], plan: Plan) -> list[_Listener]:
    entry = site.entry_port
    number = plan.balancers.get(site.trusted_proxies) if site.edge == "slb" else None
    return [
        _Listener(
            port,
            port == entry,
            tuple((route, answers.rules(site, route)) for route in site.routes if route.port == port),
            (verify if port == entry else frozenset()) | ({"/healthz"} if port in plan.healthz_ports else frozenset()),
            f"$wecom_gateway_plain_{number}" if number else "",
        )
        for port in site.ports()
    ]
