"""How what comes back from an upstream is made to point at the school.

The rules follow nginx's `proxy_redirect`, `proxy_cookie_domain` and `proxy_cookie_path`: tried in order,
first match wins, a plain prefix is replaced by its counterpart. A URL that several routes serve belongs to
the one with the longest upstream prefix, whichever listener answers: a platform's B module must stay on the
default port even when the open platform on 9001 points to it.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from gateway.inventory.site import Route, Site, Upstream


@dataclass(frozen=True)
class Rule:
    """`match` in the upstream's words, `replacement` in the school's. A regular expression starts with ~."""

    match: str
    replacement: str


@dataclass(frozen=True)
class AnswerRules:
    """All rules of one route, in the order in which nginx must try them."""

    redirects: tuple[Rule, ...]
    cookie_domains: tuple[Rule, ...]
    cookie_paths: tuple[Rule, ...]


def rules(site: Site, route: Route) -> AnswerRules:
    """What must happen to the answers that `route` of `site` brings back."""
    by_length = sorted(site.routes, key=lambda other: len(other.upstream_path), reverse=True)
    siblings = [other for other in by_length if other.upstream == route.upstream]
    return AnswerRules(
        redirects=tuple(_redirects(site, route, _chosen(site, route, by_length))),
        cookie_domains=tuple(_cookie_domains(site)),
        cookie_paths=tuple(_cookie_paths(siblings, route)),
    )


def _chosen(site: Site, route: Route, by_length: list[Route]) -> list[Route]:
    """One for each URL of an upstream: of several that serve it the answering one, else one on the answering port,
    else one on the entry port, since a port that a visitor did not come by breaks WeCom's logins."""
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
            # the bare origin is the same URL, but a host that merely starts the same is another
            for origin in _spellings(other.upstream)[:2]:
                found.append(Rule(f"{origin}?", f"{public}{other.path}?"))
            bare = re.escape(other.upstream.host)
            port = "(?::443|:80)?" if other.upstream.port == 443 else f":{other.upstream.port}"
            found.append(Rule(f"~^(?:https?:)?//{bare}{port}$", public + other.path))
    # "//host/path" names another host and must not fall into the relative rules below
    found.append(Rule("//", "//"))
    for other in chosen:
        if other.upstream != route.upstream:
            continue
        public = "" if other.port == route.port else site.public_origin(other.port)
        found.append(Rule(other.upstream_path, public + other.path))
    return _distinct(found)


def _spellings(upstream: Upstream) -> list[str]:
    """The ways in which an upstream writes its own origin, http and https alike."""
    if upstream.port != 443:
        return [f"{scheme}//{upstream.authority}" for scheme in ("https:", "http:", "")]
    host = upstream.host
    return [
        f"https://{host}",
        f"http://{host}",
        f"//{host}",
        f"https://{host}:443",
        f"http://{host}:80",
        # an application that takes the scheme from one place and the port from another
        f"http://{host}:443",
        f"https://{host}:80",
    ]


def _cookie_domains(site: Site) -> list[Rule]:
    """Each upstream's name and its parents: a cookie for them would never come back to the school.

    nginx compares these without regard to case; the dot that old frameworks write in front means nothing.
    """
    found = []
    for host in dict.fromkeys(route.upstream.host for route in site.routes):
        labels = host.split(".")
        names = [".".join(labels[start:]) for start in range(len(labels) - 1)]
        found += [Rule(rf"~^\.?{re.escape(name)}$", site.domain) for name in names]
    return _distinct(found)


def _cookie_paths(siblings: list[Route], route: Route) -> list[Rule]:
    """Cookies know no port: the answering route's own prefix decides before a sibling's. One for a whole prefix comes
    back to every route that it covers upstream, however far apart they are in public."""
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
    """The first rule for each match, less those that could never be reached or would change nothing."""
    first: dict[str, Rule] = {}
    for rule in found:
        first.setdefault(rule.match, rule)
    kept = list(first.values())
    while kept and kept[-1].replacement == kept[-1].match.removeprefix("~^").removesuffix("$").replace("\\", ""):
        kept.pop()
    return kept
