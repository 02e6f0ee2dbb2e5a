"""The rules that make redirects and cookies of an upstream point at the school's domain.

They are arguments of nginx's `proxy_redirect`, `proxy_cookie_domain` and `proxy_cookie_path`, which are tried in
order: the first match wins, and a plain prefix is replaced by its counterpart. A URL that several routes serve belongs
to the one with the longest upstream prefix, whichever listener answers: a platform's B module must stay on the default
port even when the open platform on 9001 points to it.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from gateway.inventory.site import Route, Site, Upstream


@dataclass(frozen=True)
class Rule:
    """`match` as the upstream writes it, `replacement` as the school's domain has it. ~ starts a regular expression."""

    match: str
    replacement: str


@dataclass(frozen=True)
class AnswerRules:
    """All rules for the answers of one route, in the order in which nginx must try them."""

    redirects: tuple[Rule, ...]
    cookie_domains: tuple[Rule, ...]
    cookie_paths: tuple[Rule, ...]


def rules(site: Site, route: Route) -> AnswerRules:
    """The rules for answers that come through `route` of `site`."""
    by_length = sorted(site.routes, key=lambda other: len(other.upstream_path), reverse=True)
    siblings = [other for other in by_length if other.upstream == route.upstream]
    return AnswerRules(
        redirects=tuple(_redirects(site, route, _chosen(site, route, by_length))),
        cookie_domains=tuple(_cookie_domains(site)),
        cookie_paths=tuple(_cookie_paths(siblings, route)),
    )


def _chosen(site: Site, route: Route, by_length: list[Route]) -> list[Route]:
    """One route for each upstream URL. Of several that serve the same: `route` itself, else one on its port, else one
    on the entry port, as WeCom's logins break on a port that the visitor did not come by."""
    chosen: dict[tuple[Upstream, str], Route] = {}
    for other in by_length:
        url = other.upstream, other.upstream_path
        chosen[url] = min(
            (chosen.get(url, other), other),
            key=lambda one: (one is not route, one.port != route.port, one.port != site.entry_port),
        )
    return list(chosen.values())


def _redirects(site: Site, route: Route, chosen: list[Route]) -> list[Rule]:
    found = []
    for other in chosen:
        public = site.public_origin(other.port)
        for origin in _spellings(other.upstream):
            found.append(Rule(origin + other.upstream_path, public + other.path))
        if other.upstream_path == "/":
            # the origin without a slash is the same URL; matched to its end, as another host may start with it
            for origin in _spellings(other.upstream)[:2]:
                found.append(Rule(f"{origin}?", f"{public}{other.path}?"))
            bare = re.escape(other.upstream.host)
            port = "(?::443|:80)?" if other.upstream.port == 443 else f":{other.upstream.port}"
            found.append(Rule(f"~^(?:https?:)?//{bare}{port}$", public + other.path))
    # "//host/path" names another host: this rule keeps it from the rules for paths below
    found.append(Rule("//", "//"))
    for other in chosen:
        if other.upstream != route.upstream:
            continue
        public = "" if other.port == route.port else site.public_origin(other.port)
        found.append(Rule(other.upstream_path, public + other.path))
    return _distinct(found)


def _spellings(upstream: Upstream) -> list[str]:
    """The ways in which an upstream may write its own origin."""
    if upstream.port != 443:
        return [f"{scheme}//{upstream.authority}" for scheme in ("https:", "http:", "")]
    host = upstream.host
    return [
        f"https://{host}",
        f"http://{host}",
        f"//{host}",
        f"https://{host}:443",
        f"http://{host}:80",
        # of applications that take the scheme from one place and the port from another
        f"http://{host}:443",
        f"https://{host}:80",
    ]


def _cookie_domains(site: Site) -> list[Rule]:
    """Rules for each upstream's name and its parents: browsers would not send cookies for those to the school's domain.

    nginx ignores case here. The dot that old frameworks write in front means nothing.
    """
    found = []
    for host in dict.fromkeys(route.upstream.host for route in site.routes):
        labels = host.split(".")
        names = [".".join(labels[start:]) for start in range(len(labels) - 1)]
        found += [Rule(rf"~^\.?{re.escape(name)}$", site.domain) for name in names]
    return _distinct(found)


def _cookie_paths(siblings: list[Route], route: Route) -> list[Rule]:
    """Rules for the prefixes of routes to the same upstream; of equal prefixes that of `route` decides.

    Cookies know no port. A cookie for a whole prefix gets the path that all public paths of the routes below that
    prefix have in common, so that it is sent to each of them.
    """
    found = []
    for other in sorted(siblings, key=lambda one: (-len(one.upstream_path), one is not route)):
        covered = [one.path for one in siblings if one.upstream_path.startswith(other.upstream_path)]
        public = posixpath.commonpath(covered).rstrip("/") + "/"
        if public != other.path:
            found.append(Rule(f"~^{re.escape(other.upstream_path)}$", public))
        found.append(Rule(other.upstream_path, other.path))
        if other.upstream_path != "/":
            bare = re.escape(other.upstream_path.rstrip("/"))
            found.append(Rule(f"~^{bare}$", public.rstrip("/") or "/"))
    return _distinct(found)


def _distinct(found: list[Rule]) -> list[Rule]:
    """The first rule for each match, without rules at the end that change nothing."""
    first: dict[str, Rule] = {}
    for rule in found:
        first.setdefault(rule.match, rule)
    kept = list(first.values())
    while kept and kept[-1].replacement == kept[-1].match.removeprefix("~^").removesuffix("$").replace("\\", ""):
        kept.pop()
    return kept
