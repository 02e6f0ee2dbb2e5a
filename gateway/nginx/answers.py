"""The rules that make redirects and cookies of an upstream point at the school's domain.

They are arguments of nginx's `proxy_redirect`, `proxy_cookie_domain` and `proxy_cookie_path`, which are tried in order:
the first match wins. A regular expression replaces the whole value, anything else the prefix that it is. A URL that
several routes serve belongs to the one with the longest upstream prefix, whichever listener answers: a platform's B
module must stay on the default port even when the open platform on 9001 points to it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway.inventory import upstream_values
from gateway.inventory.site import Route, Site, Upstream


@dataclass(frozen=True, order=True)
class Rule:
    """`match` as the upstream writes it, `replacement` as the school's domain has it. ~ starts a regular expression.

    `changes` is False where everything that matches stays as it is.
    """

    match: str
    replacement: str
    changes: bool = True


@dataclass(frozen=True)
class AnswerRules:
    """All rules for the answers of one route, in the order in which nginx must try them."""

    redirects: tuple[Rule, ...]
    cookie_domains: tuple[Rule, ...]
    cookie_paths: tuple[Rule, ...]


def rules(site: Site, route: Route, shared: frozenset[str] = frozenset()) -> AnswerRules:
    """The rules for answers that come through `route` of `site`; `shared` are the site's shared_names."""
    # of two upstreams that call themselves alike, the one that has answered means itself
    by_length = sorted(site.routes, key=lambda one: (-len(one.upstream_path), one.upstream != route.upstream))
    siblings = [other for other in by_length if other.upstream == route.upstream]
    return AnswerRules(
        redirects=_needed(_redirects(site, route, _chosen(site, route, by_length))),
        cookie_domains=_cookie_domains(site, route.upstream, shared),
        cookie_paths=_needed(_cookie_paths(siblings, route)),
    )


def shared_names(site: Site) -> frozenset[str]:
    """Names of upstreams, and parents of these, that are the site's domain or one of its parents.

    A browser takes a cookie for such a name at the site as it is, and the school's other sites see it too.
    """
    names = {name for route in site.routes for name in _names(route.upstream)}
    return frozenset(name for name in names if f".{site.domain}".endswith(f".{name}"))


def origins(site: Site) -> tuple[Rule, ...]:
    """What becomes of an upstream's own origin in Access-Control-Allow-Origin. Each `match` is the pattern alone.

    Where several routes lead to the upstream, the one that serves its "/" decides, else the one on the entry port.
    """
    found = []
    for upstream in dict.fromkeys(route.upstream for route in site.routes):
        routes = [route for route in site.routes if route.upstream == upstream]
        best = min(routes, key=lambda one: (len(one.upstream_path) > 1, one.port != site.entry_port))
        spelled = [_origin(upstream), *(_own_origin(site, one) for one in routes if one.own_host)]
        for pattern in dict.fromkeys(spelled):
            found.append(Rule(f"(?i:{pattern})$", site.public_origin(best.port)))
    return tuple(found)


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
    found = _own(site, route) if route.own_host else []
    for other in chosen:
        public = site.public_origin(other.port) + other.path
        found.append(Rule(f"~^(?i:{_origin(other.upstream)}){_within(other.upstream_path)}", f"{public}$1"))
    if not route.own_host:
        found += _by_plain_http(site, route)
    for other in chosen:
        if other.upstream != route.upstream:
            continue
        same_port = other.port == route.port
        # Behind "/" a path that begins with a slash, or with what browsers read as one, would name another host.
        whole = other.path == "/" and other.upstream_path != "/"
        public = "" if same_port and not whole else site.public_origin(other.port)
        # nginx redirects from a prefix without its slash to the one with it, but answers 404 there beside an allow-list
        same = same_port and other.path == other.upstream_path and not other.guarded
        # "//host/path" names another host
        within = "/(?!/)(.*)$" if other.upstream_path == "/" else _within(other.upstream_path)
        found.append(Rule(f"~^{within}", f"{public}{other.path}$1", changes=not same))
    return found


def _own(site: Site, route: Route) -> list[Rule]:
    """Rules for what an upstream writes that has the public domain as Host.

    It knows neither the public port nor that TLS ends in front of it, and maybe not the public prefix.
    """
    public, own = site.public_origin(route.port), _own_origin(site, route)
    back = Rule(f"~^(?i:{own}){_within(route.upstream_path)}", f"{public}{route.path}$1")
    if route.path == route.upstream_path:
        return [back]
    # One that knows the public URL, its own or another route's, is right.
    known = [one.path for one in site.routes if one.port == route.port and one.path != "/"]
    right = [Rule(public + path, public + path, changes=False) for path in known]
    # One that knows the public path may be wrong about scheme and port alone. Its own path is the likelier reading of
    # the two, unless that lies inside the public one; another route's is the last one.
    by_path = {path: Rule(f"~^(?i:{own}){_pattern(path)}(.*)$", f"{public}{path}$1") for path in known}
    mine = [by_path.pop(route.path)] if route.path in by_path else []
    nested = route.upstream_path.startswith(route.path)
    return [*right, *([back, *mine] if nested else [*mine, back]), *by_path.values()]


def _by_plain_http(site: Site, route: Route) -> list[Rule]:
    """Rules for what an upstream writes that has the domain from X-Forwarded-Host, and knows of no TLS before it."""
    origins = [site.public_origin(port) for port in sorted({site.entry_port, route.port})]
    return [Rule(f"http{origin.removeprefix('https')}/", f"{origin}/") for origin in origins]


def _own_origin(site: Site, route: Route) -> str:
    """A pattern for the site's own origin, as an upstream may write it that takes the domain for its own name."""
    inner = {int(node.rpartition(":")[2]) for node in route.upstream.nodes}
    ports = "|".join(f":{port}" for port in sorted({80, 443, route.upstream.port, route.port, *inner}))
    return f"(?:https?:)?//{_pattern(site.domain)}(?:{ports})?"


def _within(prefix: str) -> str:
    """A pattern for the prefix, without its slash too, and what is below it, which is $1."""
    return f"{_pattern(prefix.rstrip('/'))}(?:/|(?=[?#])|$)(.*)$"


def _pattern(text: str) -> str:
    """The text as it stands in a regular expression. A hyphen means nothing there outside of brackets."""
    return re.escape(text).replace(r"\-", "-")


def _origin(upstream: Upstream) -> str:
    """A pattern for the ways in which an upstream may write its own origin: by its name, or by a node's address."""
    names = []
    for origin in (f"{upstream.written_host}:{upstream.port}", *upstream.nodes):
        host, _, port = origin.rpartition(":")
        names += [f"{_pattern(one)}{_port(int(port))}" for one in _spellings(host)]
    joined = "|".join(dict.fromkeys(names))
    return f"(?:https?:)?//(?:{joined})" if len(names) > 1 else f"(?:https?:)?//{joined}"


def _spellings(host: str) -> tuple[str, ...]:
    """A name or address, and how Java spells the same address where it is IPv6."""
    address = upstream_values.address(host)
    if not address or address.version == 4:
        return (host,)
    groups = (f"{int(group, 16):x}" for group in address.exploded.split(":"))
    return host, f"[{':'.join(groups)}]"


def _port(port: int) -> str:
    """Of applications that take the scheme from one place and the port from another, http on 443 is one too."""
    return "(?::443|:80)?" if port in (80, 443) else f":{port}"


def _cookie_domains(site: Site, upstream: Upstream, shared: frozenset[str]) -> tuple[Rule, ...]:
    """One rule for the upstream's name and its parents: browsers would not send cookies for those to the school.

    nginx ignores case here. The dot that old frameworks write in front means nothing. Names of other upstreams are left
    as they are: browsers refuse cookies for a stranger's name, here as there.
    """
    names = [_pattern(name) for name in _names(upstream) if name not in shared]
    return (Rule(rf"~^\.?(?:{'|'.join(names)})$", site.domain),) if names else ()


def _names(upstream: Upstream) -> tuple[str, ...]:
    """What an upstream may write as a cookie's domain: its name and the parents of that, or its addresses."""
    if upstream.is_address:
        return upstream.hosts
    labels = upstream.host.split(".")
    return *(".".join(labels[start:]) for start in range(max(len(labels) - 1, 1))), *upstream.hosts[1:]


def _cookie_paths(siblings: list[Route], route: Route) -> list[Rule]:
    """Rules for the prefixes of routes to the same upstream; of equal prefixes that of `route` decides.

    Cookies know no port. A cookie for a whole prefix, or for what lies around one, gets the path that all public paths
    of the routes below have in common, so that it is sent to each of them.
    """
    by_prefix: dict[str, Route] = {}
    for other in sorted(siblings, key=lambda one: one is not route):
        by_prefix.setdefault(other.upstream_path, other)
    prefixes = {*by_prefix, *_parents(by_prefix)}
    found: list[Rule] = []
    for prefix in sorted(prefixes, key=lambda one: (-len(one), one)):
        below = [one.path for one in siblings if one.upstream_path.startswith(prefix)]
        if prefix in by_prefix:
            found += _cookie_paths_of(by_prefix[prefix], _common(below))
            continue
        if all(one.path == one.upstream_path for one in siblings):
            continue
        around = [one for one in siblings if prefix.startswith(one.upstream_path)]
        public = _common([*below, *(one.path + prefix.removeprefix(one.upstream_path) for one in around)])
        found.append(_exactly(prefix, public))
    return found


def _cookie_paths_of(route: Route, public: str) -> Iterator[Rule]:
    """Rules for the route's own prefix, for which a cookie gets the path `public`, and for what is below."""
    prefix, bare = route.upstream_path, _pattern(route.upstream_path.rstrip("/"))
    if prefix == "/":
        # A cookie without a path gets one without a last slash from the browser: they have to stay the same cookie.
        whole = public.rstrip("/") or "/"
        yield Rule("~^/$", whole, changes=whole != "/")
        yield Rule("~^/(.*)$", f"{route.path}$1", changes=route.path != "/")
        return
    if public != route.path:
        yield _exactly(prefix, public)
    if route.path == "/":
        yield Rule(f"~^{bare}(?:/|$)(.*)$", "/$1")
    else:
        yield Rule(f"~^{bare}(/.*|)$", f"{route.path.rstrip('/')}$1", changes=route.path != prefix)


def _exactly(prefix: str, public: str) -> Rule:
    """For the whole prefix, with its last slash or without; another path would be another cookie."""
    replacement = f"{public.rstrip('/')}$1" if public != "/" else "/"
    return Rule(f"~^{_pattern(prefix.rstrip('/'))}(/?)$", replacement, changes=public != prefix)


def _common(paths: Iterable[str]) -> str:
    """The longest prefix that ends in "/" and that all of the paths have."""
    return posixpath.commonpath(list(paths)).rstrip("/") + "/"


def _parents(prefixes: Iterable[str]) -> set[str]:
    """What lies around the prefixes, except "/": a cookie for that is sent to everything as it is."""
    parts = [prefix.strip("/").split("/") for prefix in prefixes]
    return {f"/{'/'.join(part[:end])}/" for part in parts for end in range(1, len(part))}


def _needed(found: Iterable[Rule]) -> tuple[Rule, ...]:
    """The first rule for each match, without rules at the end that change nothing."""
    first: dict[str, Rule] = {}
    for rule in found:
        first.setdefault(rule.match, rule)
    kept = list(first.values())
    while kept and not kept[-1].changes:
        kept.pop()
    return tuple(kept)
