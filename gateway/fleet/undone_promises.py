"""What directives of the operator's own (gateway/checkout/own_directives.py) undo of what the gateway promises.

The table (gateway/fleet/directive_rules.py) says what to look for; the judge walks over a file and knows the one thing
that no table can say, which requests a location takes. What harms nothing is not told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from gateway.checkout.own_directives import Directive, OwnDirectives, location_of
from gateway.checkout.verify_files import FAMILY_START, VerifyFile
from gateway.fleet.directive_places import Place
from gateway.fleet.directive_rules import RULES
from gateway.inventory.site import Site
from gateway.problems import Problem, shown

_PASSES = frozenset(f"{protocol}_pass" for protocol in ("proxy", "fastcgi", "uwsgi", "scgi", "grpc", "memcached"))


def judge(
    host: str, site: Site, verify: Collection[VerifyFile], own: OwnDirectives, *, proxy_protocol: bool = False
) -> list[Problem]:
    """A warning for each directive of a site's own file that undoes a promise, an error where it cannot work.

    `verify` are the site's verification files. `proxy_protocol` is True where the host has that key.
    """
    # no load balancer of layer 4 is believed where one of layer 7 has to be
    place = Place(site, proxy_protocol and site.edge == "tls")
    found = [
        *_against_rules(own.directives, place),
        *(row for one in own.directives if one.name == "location" for row in _location(one, site, verify)),
    ]
    return [
        Problem(host, site.domain, f"{own.path}:{line}", text, "error" if cannot else "warning")
        for line, text, cannot in sorted(dict.fromkeys(found))
    ]


# A line, what is wrong there, and whether it cannot work.
_Found = tuple[int, str, bool]


def _against_rules(directives: Iterable[Directive], place: Place) -> Iterator[_Found]:
    for one in directives:
        for rule in RULES:
            if rule.meets(one, place):
                yield _told(one, rule.text, cannot=rule.cannot_work(one, place))
        if one.block:
            yield from _against_rules(one.block, place.within(one.block))


def _location(location: Directive, site: Site, verify: Collection[VerifyFile]) -> Iterator[_Found]:
    """What a location outside of any block takes from others, and what in it reaches an upstream."""
    yield from _passing(location, site)
    kind, path = location_of(location.arguments)
    if site.allow and kind != "@" and not Place(site).within(location.block or ()).closed:
        yield _told(location, _STRANGERS)
    if kind == "=" or (kind == "" and path.startswith("/")):
        if path in _taken(site, verify, exact=kind == "="):
            yield _told(location, _TAKEN, cannot=True)
        elif FAMILY_START.match(path[1:]):
            text = f"a verification file belongs into files/verify/{site.domain}/, where check and verify see it"
            yield _told(location, text)
        elif around := _around(path, site):
            yield _told(location, f"takes requests of the route {around} away; choose a path beside the routes")
        elif _has_entry(path, site, exact=kind == "="):
            yield _told(location, "takes the app's own entry page away; choose another path")
    elif kind == "~":
        yield _told(location, _REGEX)
    inner = {one.name: one.arguments for one in location.block or ()}
    added = {one.arguments[0].lower() for one in location.block or () if one.name == "add_header" and one.arguments}
    if site.hsts and added and "strict-transport-security" not in added:
        yield _told(location, _NO_HSTS)
    if kind == "" and not path.endswith("/") and "".join(inner.get("alias", ())).endswith("/"):
        yield _told(location, f'{path}../ leads out of the folder of "alias"; end both with a slash')


_TAKEN = (
    "the gateway has that location in the same server, and nginx takes it once; a route of the platform says where a "
    "path goes"
)
_REGEX = (
    "a regular expression goes before every prefix, so it takes requests of routes away wherever it matches; write a "
    "prefix, location /x/, or one path, location = /x"
)
_NO_HSTS = (
    "nginx takes add_header from one place alone, so these answers lack the site's HSTS; write add_header "
    "Strict-Transport-Security here too"
)
_STRANGERS = (
    'who may not use the site gets this too: its "allow" counts in the gateway\'s own locations; write allow and deny '
    "all into this one, and no return, which is done before them"
)
_PASSED_ON = (
    "goes out with the upstream's own name as Host, and without the gateway's mapping of redirects and look-up of "
    'addresses: a name that does not resolve keeps nginx from starting; a route of the platform ("upstream", "nodes", '
    '"ca") has them'
)


def _told(one: Directive, text: str, *, cannot: bool = False) -> _Found:
    words = (word if word and not word.isspace() else f"'{word}'" for word in (one.name, *one.arguments))
    return one.line, f'"{shown(" ".join(words))}": {text}', cannot


def _passing(block: Directive, site: Site) -> Iterator[_Found]:
    """Where requests are passed on, however deep in a location."""
    wall = next((route.path for route in site.routes if route.guarded), None)
    hole = f'publishes inner paths beside those of the site\'s apps, such as {wall}; "extra_paths" opens a prefix'
    for one in block.block or ():
        if one.name in _PASSES:
            yield _told(one, hole if wall else _PASSED_ON)
        yield from _passing(one, site)


def _around(path: str, site: Site) -> str | None:
    """The route, less than a whole host, that a path is in."""
    return next((one.path for one in site.routes if one.path != "/" and path.startswith(one.path)), None)


def _has_entry(path: str, site: Site, *, exact: bool) -> bool:
    """Whether a location of that path answers where a WeCom app begins, in the place of a route."""
    starts = [entry.path.partition("?")[0] for entry in site.app_entries]
    covering = max(
        (route.path for route in site.routes if any(one.startswith(route.path) for one in starts)), default=""
    )
    return any(one == path or (not exact and one.startswith(path) and len(path) > len(covering)) for one in starts)


def _taken(site: Site, verify: Collection[VerifyFile], *, exact: bool) -> set[str]:
    """Paths of locations that the gateway makes in some server of the site."""
    if not exact:
        return {"/", "/.wecom-gateway-error", *(route.path for route in site.routes)}
    # nginx's own redirect to the prefix is enough elsewhere
    asks_first = site.allow or (site.edge == "slb" and site.trusted_proxies)
    bare = {
        route.path[:-1]
        for route in site.routes
        if route.guarded
        or asks_first
        or any(route.path != one.path and route.path.startswith(one.path) for one in site.routes)
    }
    healthz = {"/healthz"} if site.edge == "slb" else set()
    return {f"/{file.name}" for file in verify} | bare | healthz | {"/.wecom-gateway-error"}
