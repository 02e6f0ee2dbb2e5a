"""What directives of the operator's own (gateway/checkout/own_directives.py) undo of what the gateway promises.

The table says what to look for; the judge walks over a file and knows the one thing that no table can say, which
requests a location takes. What harms nothing is not told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from gateway.checkout.own_directives import Directive, OwnDirectives
from gateway.checkout.verify_files import FAMILY_START, VerifyFile
from gateway.inventory.site import Site
from gateway.problems import Problem, shown

_Arguments = tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """Directives, by name or pattern, that undo something, and a `text` that says what, and what would be right.

    It counts in the server block itself, in blocks inside it, or in both; and only where the arguments are such that
    `undoes` is true. What is said `twice` cannot work in the server block: the gateway says it there too, and nginx
    takes it once.
    """

    names: tuple[str, ...]
    text: str
    where: Literal["server", "inside", "both"] = "server"
    undoes: Callable[[_Arguments], bool] = lambda _: True
    twice: bool = False

    def meets(self, one: Directive, *, inside: bool) -> bool:
        here = self.where == "both" or (self.where == "inside") == inside
        return here and any(fnmatchcase(one.name, name) for name in self.names) and self.undoes(one.arguments)


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _first(*words: str) -> Callable[[_Arguments], bool]:
    return lambda arguments: bool(arguments) and arguments[0].lower() in words


def _logs_queries(arguments: _Arguments) -> bool:
    return arguments[:1] != ("off",) and arguments[1:2] != ("wecom_gateway",)


# Those that every request to an upstream has from the gateway with a value.
_SENT = ("host", "upgrade", "connection", "x-real-ip", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host")
_BEFORE = "runs before verification files and /healthz are looked for, and WeCom gets its answer"
_OWN_LOCATION = "put it into a location of your own"
_PASSES = _names("proxy_pass fastcgi_pass uwsgi_pass scgi_pass grpc_pass memcached_pass")

RULES: tuple[Rule, ...] = (
    # who is let in and answered
    Rule(_names("return rewrite if"), f"{_BEFORE}; {_OWN_LOCATION}"),
    Rule(
        _names("auth_basic auth_request auth_jwt"),
        f"WeCom cannot log in to a verification file, nor a load balancer to /healthz; {_OWN_LOCATION}",
        undoes=lambda arguments: arguments[:1] != ("off",),
    ),
    Rule(
        _names("allow deny"),
        'counts for verification files too, which WeCom has to reach from anywhere; the site\'s "allow" spares them',
    ),
    Rule(
        _names("ssl_verify_* ssl_client_certificate ssl_trusted_certificate"),
        "phones and WeCom have no certificate to show; leave it out",
        undoes=lambda arguments: arguments[:1] != ("off",),
    ),
    Rule(
        _names("server_name"),
        "has no certificate, no verification file and no upstream that answers to it; add a site with that domain",
    ),
    Rule(
        _names("listen"),
        'opens a port that no deploy looks after, and that another site may have; a route of the platform has a "port"',
    ),
    # TLS
    Rule(
        _names("ssl_ciphers ssl_prefer_server_ciphers ssl_ecdh_curve ssl_session_timeout ssl_session_tickets"),
        "the gateway says it for all sites alike, as Mozilla's guideline has it, and nginx takes it once; leave it out",
        twice=True,
    ),
    Rule(
        _names("ssl_protocols ssl_conf_command ssl_session_cache ssl_session_ticket_key ssl_reject_handshake ssl"),
        "TLS towards visitors is as Mozilla's guideline has it, for all sites of a host alike; leave it out",
    ),
    Rule(
        _names("ssl_certificate ssl_certificate_key"),
        "import-cert stores a site's certificate: this one is not checked, not warned of and not renewed",
    ),
    # the upstream, and what it is told
    Rule(
        _names("proxy_ssl_verify proxy_ssl_verify_depth proxy_ssl_server_name proxy_ssl_trusted_certificate"),
        'the gateway verifies upstreams, and nginx takes it once; a route\'s "ca" names an authority of your own',
        twice=True,
    ),
    Rule(
        _names("proxy_ssl_verify proxy_ssl_server_name"),
        'nobody is sure then who answers; a route\'s "ca" names an authority of your own',
        where="inside",
        undoes=_first("off"),
    ),
    Rule(
        _names("proxy_ssl_protocols proxy_ssl_ciphers proxy_ssl_name proxy_ssl_conf_command"),
        "weakens how upstreams are verified; leave it out",
        where="both",
    ),
    Rule(
        _names("proxy_set_header"),
        "the gateway sends that header already, and the upstream gets it twice; leave it out",
        undoes=_first(*_SENT),
    ),
    Rule(
        _names("proxy_set_header"),
        "nginx takes these headers from one place alone, and the gateway's (Host, X-Forwarded-*, what is stripped) "
        "are gone here; outside of any block it comes beside them",
        where="inside",
    ),
    Rule(
        _names("proxy_set_header"),
        "everybody on the host can read it, and --diff shows it; a secret has no place in this file",
        where="both",
        undoes=_first("authorization", "cookie", "proxy-authorization"),
    ),
    Rule(
        _names("proxy_method proxy_set_body proxy_pass_request_headers proxy_pass_request_body"),
        "requests reach the upstream as they came, logins among them; leave it out",
        where="both",
        undoes=lambda arguments: arguments[:1] != ("on",),
    ),
    Rule(
        _names("proxy_next_upstream"),
        "a request that is sent twice spends a one-shot login code (40029); leave it out",
        where="both",
        undoes=lambda arguments: not set(arguments) <= {"error", "off"},
    ),
    Rule(
        _names("mirror post_action"),
        "each request goes out once more, and the second one spends a one-shot login code (40029); leave it out",
        where="both",
        undoes=lambda arguments: arguments[:1] != ("off",),
    ),
    Rule(
        _names(
            "proxy_http_version proxy_connect_timeout proxy_next_upstream_tries proxy_next_upstream_timeout "
            "proxy_buffer_size proxy_buffers"
        ),
        "the gateway says it already, and nginx takes it once; leave it out",
        twice=True,
    ),
    Rule(
        _names("proxy_read_timeout proxy_send_timeout"),
        'the gateway says it already, and nginx takes it once; the platform\'s "read_timeout" is for that',
        twice=True,
    ),
    # what comes back
    Rule(
        _names("proxy_redirect proxy_cookie_domain proxy_cookie_path"),
        "takes the place of the rules by which redirects and cookies point at the school; leave it out",
    ),
    Rule(
        _names("proxy_buffering"),
        "server-sent events wait until the stream ends; leave it out",
        undoes=_first("on"),
    ),
    Rule(
        _names("proxy_cache proxy_store"),
        f"one visitor's page may be shown to another; {_OWN_LOCATION}, for files that are everybody's",
        undoes=lambda arguments: arguments[:1] != ("off",),
    ),
    Rule(
        _names("ssi"),
        f"an upstream's pages would give this nginx orders; {_OWN_LOCATION}",
        undoes=_first("on"),
    ),
    Rule(
        _names("proxy_intercept_errors"),
        "what an upstream answers passes as it is, and apps read its errors; leave it out",
        where="both",
        undoes=_first("on"),
    ),
    Rule(
        _names("error_page"),
        f"the gateway's pages carry the id of the log line, and come first for their codes; {_OWN_LOCATION}",
    ),
    Rule(
        _names("root alias"),
        f"publishes files wherever a location neither proxies nor returns; {_OWN_LOCATION}",
    ),
    Rule(
        _names("add_header"),
        'the site\'s "hsts" says it; a second one is passed over by browsers',
        undoes=_first("strict-transport-security"),
    ),
    # what the host believes, reads and writes
    Rule(
        _names("set_real_ip_from real_ip_header real_ip_recursive"),
        "says whom to believe about a visitor's address; the site's \"slb_cidrs\" is for that",
        where="both",
    ),
    Rule(
        _names("merge_slashes underscores_in_headers ignore_invalid_headers"),
        "prefixes and the stripping of headers rest on it, and nginx takes it once; leave it out",
        twice=True,
    ),
    Rule(
        _names("absolute_redirect server_tokens client_header_timeout keepalive_requests large_client_header_buffers"),
        "the gateway says it already, and nginx takes it once; leave it out",
        twice=True,
    ),
    Rule(
        _names("absolute_redirect"),
        "nginx's own redirects would name plain http or a port of this host; leave it out",
        where="inside",
        undoes=_first("on"),
    ),
    Rule(
        _names("client_max_body_size"),
        'the gateway says it already, and nginx takes it once; the site\'s "max_body" is for that',
        twice=True,
    ),
    Rule(
        _names("access_log"),
        "writes query strings, which carry login codes; name the gateway's format behind the file: wecom_gateway",
        where="both",
        undoes=_logs_queries,
    ),
    Rule(
        _names("access_log"),
        f"the id on an error page leads to no line then; {_OWN_LOCATION}",
        undoes=_first("off"),
    ),
    Rule(
        _names("error_log"),
        "its lines have whole requests in them, login codes too; leave it out: the host has an error log",
        where="both",
    ),
    Rule(
        _names("include"),
        "is no part of a release: --diff does not show what is in it, a rollback does not undo it; write it here",
        where="both",
    ),
    Rule(
        _names("*_by_lua *_by_lua_block *_by_lua_file lua_* js_* perl perl_*"),
        "no deploy installs the module that it needs, and its code sees every request, login codes too; leave it out",
        where="both",
    ),
    Rule(
        _names("set"),
        "the gateway's own variable; give yours another name",
        where="both",
        undoes=lambda arguments: bool(arguments) and arguments[0].startswith("$wecom_gateway"),
    ),
)


def judge(host: str, site: Site, verify: Collection[VerifyFile], own: OwnDirectives) -> list[Problem]:
    """A warning for each directive of a site's own file that undoes a promise, an error where it cannot work.

    `verify` are the site's verification files.
    """
    found = [
        *_against_rules(own.directives, site, inside=False),
        *(row for one in own.directives if one.name == "location" for row in _location(one, site, verify)),
    ]
    return [
        Problem(host, site.domain, f"{own.path}:{line}", text, "error" if cannot else "warning")
        for line, text, cannot in sorted(dict.fromkeys(found))
    ]


# A line, what is wrong there, and whether it cannot work.
_Found = tuple[int, str, bool]


def _against_rules(directives: Iterable[Directive], site: Site, *, inside: bool) -> Iterator[_Found]:
    for one in directives:
        for rule in RULES:
            if rule.meets(one, inside=inside):
                # At edge slb no server of the site speaks TLS, or says how.
                twice = rule.twice and not (site.edge == "slb" and one.name.startswith("ssl_"))
                yield _told(one, rule.text, cannot=twice)
        yield from _against_rules(one.block or (), site, inside=True)


def _location(location: Directive, site: Site, verify: Collection[VerifyFile]) -> Iterator[_Found]:
    """What a location outside of any block takes from others, and what in it reaches an upstream."""
    yield from _passing(location, site)
    kind, path = _matched(location.arguments)
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
_PASSED_ON = (
    "goes out without the gateway's Host, mapping of redirects and look-up of addresses, and a name that does not "
    'resolve keeps nginx from starting; a route of the platform ("upstream", "nodes", "ca") has them'
)


def _told(one: Directive, text: str, *, cannot: bool = False) -> _Found:
    return one.line, f'"{shown(" ".join((one.name, *one.arguments)))}": {text}', cannot


def _passing(block: Directive, site: Site) -> Iterator[_Found]:
    """Where requests are passed on, however deep in a location."""
    wall = next((route.path for route in site.routes if route.guarded), None)
    hole = f'is a hole in the wall: beside {wall} nothing may reach an upstream; "extra_paths" opens a prefix'
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


def _matched(arguments: _Arguments) -> tuple[Literal["=", "~", ""], str]:
    """How a location matches, exactly, by a regular expression or by prefix, and what. nginx takes both as one word
    too."""
    text = "".join(arguments)
    if text.startswith("="):
        return "=", text[1:]
    if text.startswith("~"):
        return "~", text.lstrip("~*")
    return "", text.removeprefix("^~")


def _taken(site: Site, verify: Collection[VerifyFile], *, exact: bool) -> set[str]:
    """Paths of locations that the gateway makes in some server of the site."""
    if not exact:
        return {"/", *(route.path for route in site.routes)}
    bare = {route.path[:-1] for route in site.routes if route.guarded}
    healthz = {"/healthz"} if site.edge == "slb" else set()
    return {f"/{file.name}" for file in verify} | bare | healthz | {"/.wecom-gateway-error"}
