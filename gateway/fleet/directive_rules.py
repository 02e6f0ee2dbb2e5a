"""Directives of the operator's own that undo what the gateway promises: data.

What a row means is in gateway/fleet/directive_places.py; the judge is gateway/fleet/undone_promises.py.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from fnmatch import fnmatchcase

from gateway.fleet.directive_places import Arguments, Rule, refuses


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _first(*words: str) -> Callable[[Arguments], bool]:
    """Whether the first argument is one of these words or patterns, in whatever letters."""
    return lambda arguments: bool(arguments) and any(fnmatchcase(arguments[0].lower(), word) for word in words)


def _header(*names: str, value: str) -> Callable[[Arguments], bool]:
    """Whether a header of one of these names, or patterns, gets a value in which that regular expression is."""
    named = _first(*names)
    return lambda arguments: named(arguments) and re.search(value, "".join(arguments[1:2])) is not None


def _is_the_hosts_own(arguments: Arguments) -> bool:
    """Whether files of a path are the host's: whatever Debian has beside what is meant for visitors."""
    path = "/" + posixpath.normpath(posixpath.join(_NGINX_PREFIX, *arguments[:1])).lstrip("/")
    around = [path[:end] for end in range(1, len(path) + 1) if path[end : end + 1] in ("", "/")]
    return path == "/" or (any(one in _THE_HOSTS_OWN for one in around) and _FOR_VISITORS not in around)


def _logs_queries(arguments: Arguments) -> bool:
    return arguments[:1] != ("off",) and arguments[1:2] != ("wecom_gateway",)


# What a path without a slash in front begins at, in Debian's nginx.
_NGINX_PREFIX = "/usr/share/nginx"
_THE_HOSTS_OWN = _names("/etc /var /root /home /run /proc /sys /dev /boot")
# Debian's own place for web pages
_FOR_VISITORS = "/var/www"
# Everybody, or this host itself, which no load balancer is.
_ALL_OR_NOBODY_ELSE = ("all", "127.0.0.1", "127.0.0.0/8", "::1", "unix:")
# What upstreams believe when it comes from a proxy of their own: gateway/nginx/request_headers.py, by pattern.
_BELIEVED = _names(
    "forwarded proxy proxy-connection proxy-path x-client-ip x-forwarded x-forwarded-* x-original-* x-rewrite-url "
    "x-scheme x-url-scheme x-script-name x-request-uri x-bk-* x-bkapi-* bk-* bkplugin-* staff* x-devops-uid x-ext-data "
    "x-rio-seq x-tai-identity x-real-ip"
)
_COOKIES = ("authorization", "cookie")
# Those that every request to an upstream has from the gateway with a value.
_SENT = _names("host upgrade connection x-real-ip x-forwarded-for x-forwarded-proto x-forwarded-host x-request-id")
_BEFORE = "runs before verification files and /healthz are looked for, and WeCom gets its answer"
_OWN_LOCATION = "put it into a location of your own"

RULES: tuple[Rule, ...] = (
    # who is let in and answered
    Rule(_names("return rewrite if"), f"{_BEFORE}; {_OWN_LOCATION}"),
    Rule(
        _names("auth_basic auth_request auth_jwt"),
        f"WeCom cannot log in to a verification file, nor a load balancer to /healthz; {_OWN_LOCATION}",
        undoes=lambda arguments: arguments[:1] != ("off",),
    ),
    Rule(
        _names("allow"),
        'counts for verification files too, which WeCom has to reach from anywhere; the site\'s "allow" spares them',
        undoes=lambda arguments: arguments != ("all",),
    ),
    Rule(
        _names("deny"),
        'counts for verification files too, which WeCom has to reach from anywhere; the site\'s "allow" spares them',
    ),
    Rule(
        _names("allow deny"),
        "judges the load balancer's address, which every visitor has here; name the networks that it connects from in "
        'the site\'s "slb_cidrs", and its X-Forwarded-For is believed',
        where="both",
        undoes=lambda arguments: arguments[0] not in _ALL_OR_NOBODY_ELSE,
        at=lambda place: place.site.edge == "slb" and not place.site.trusted_proxies,
    ),
    Rule(
        _names("return"),
        "is done before allow, deny and auth_basic of its location are asked, so everybody gets it; give them a file, "
        "with alias",
        where="inside",
        undoes=lambda arguments: not refuses(arguments),
        at=lambda place: place.asks,
    ),
    Rule(
        _names("stub_status"),
        "tells every visitor how busy this host is, with all its sites; write allow and deny all beside it",
        where="both",
        at=lambda place: not place.closed,
    ),
    Rule(
        _names("dav_methods"),
        "every visitor may write and delete files of this host; leave it out, or have them log in, with auth_basic",
        where="both",
        undoes=lambda arguments: arguments[:1] != ("off",),
        at=lambda place: not place.closed,
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
        "nginx takes these headers from one place alone, and the gateway's (X-Forwarded-*, what is stripped) are gone "
        "here; outside of any block it comes beside them",
        where="inside",
    ),
    Rule(
        _names("proxy_set_header"),
        "everybody on the host can read it, and --diff shows it; a secret has no place in this file",
        where="both",
        # a variable alone is no secret
        undoes=_header(*_COOKIES, "proxy-authorization", value=r"^(?!\$\w+$|\$\{\w+\}$)."),
    ),
    Rule(
        _names("proxy_set_header"),
        "upstreams get none then, so that nobody stays logged in; leave it out",
        where="both",
        undoes=_header(*_COOKIES, value="^$"),
    ),
    Rule(
        _names("proxy_set_header"),
        "sends on what a visitor says of himself, and upstreams believe it; the gateway drops it, so leave it out",
        where="both",
        undoes=_header(*_BELIEVED, value=r"\$\{?(http_|arg_|cookie_|proxy_add_x_)"),
    ),
    Rule(
        _names("proxy_method proxy_set_body proxy_pass_request_headers proxy_pass_request_body"),
        "the gateway passes requests on as they came, and this changes them: logins fail; leave it out",
        where="both",
        undoes=lambda arguments: arguments[:1] != ("on",),
    ),
    Rule(
        _names("proxy_next_upstream"),
        "a request that is sent twice spends a one-shot login code (40029); leave it out",
        where="both",
        undoes=lambda arguments: not set(arguments) <= {"error", "timeout", "off"},
    ),
    Rule(
        _names("proxy_next_upstream"),
        "visitors get 502 and 504 while one of several nodes is down; leave it out",
        undoes=lambda arguments: not {"error", "timeout"} <= set(arguments),
        at=lambda place: any(len(route.upstream.servers) > 1 for route in place.site.routes),
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
            "proxy_buffer_size proxy_buffers proxy_headers_hash_max_size proxy_headers_hash_bucket_size"
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
        _names("sub_filter_types addition_types"),
        f"changes verification files too, which WeCom compares byte for byte; {_OWN_LOCATION}",
        undoes=lambda arguments: not {"*", "text/plain"}.isdisjoint(arguments),
    ),
    Rule(
        _names("expires"),
        "takes the place of what upstreams say about their pages, and a login's may be kept by a browser; "
        f"{_OWN_LOCATION}",
        undoes=lambda arguments: arguments[:1] not in (("off",), ("epoch",)),
    ),
    Rule(
        _names("add_header"),
        "comes beside an upstream's own, and browsers refuse two; have the application say it",
        undoes=_first("access-control-allow-*"),
    ),
    Rule(
        _names("add_header"),
        "nginx says it itself, and two of them cannot be understood; leave it out",
        where="both",
        undoes=_first("content-length", "transfer-encoding", "connection"),
    ),
    Rule(
        _names("proxy_redirect proxy_cookie_domain proxy_cookie_path"),
        "takes the place of the rules by which redirects and cookies point at the school; leave it out",
        undoes=lambda arguments: len(arguments) != 1,
    ),
    Rule(
        _names("proxy_redirect proxy_cookie_domain proxy_cookie_path"),
        "nginx refuses it beside the gateway's rules, by which redirects and cookies point at the school; "
        f"{_OWN_LOCATION}",
        undoes=lambda arguments: len(arguments) == 1,
        refused=True,
    ),
    Rule(
        _names("proxy_hide_header"),
        "browsers get none from upstreams then, so that nobody can log in; leave it out",
        where="both",
        undoes=_first("set-cookie", "location"),
    ),
    Rule(
        _names("proxy_pass_header"),
        "shows visitors what an upstream says to its own front; leave it out",
        where="both",
        undoes=_first("x-accel-*"),
    ),
    Rule(
        _names("proxy_pass_header"),
        "brings back what an upstream promises about its own name, which the gateway does not say of the school's; "
        "leave it out",
        where="both",
        undoes=_first("strict-transport-security", "alt-svc", "access-control-allow-origin"),
    ),
    Rule(
        _names("proxy_ignore_headers"),
        "takes the place of the gateway's, and an upstream has a say over this nginx here; name X-Accel-Redirect too",
        where="inside",
        undoes=lambda arguments: "x-accel-redirect" not in map(str.lower, arguments),
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
        f"the gateway's own pages, which carry the id of the log line, come first for the codes that they are for; "
        f"{_OWN_LOCATION}",
    ),
    Rule(
        _names("root alias"),
        f"publishes files wherever a location neither proxies nor returns; {_OWN_LOCATION}",
    ),
    Rule(
        _names("root alias"),
        "publishes whatever nginx can read there, such as configuration, logs and keys; give what is for visitors a "
        "folder of its own, like /srv/office/",
        where="both",
        undoes=_is_the_hosts_own,
    ),
    Rule(
        _names("add_header"),
        'the site\'s "hsts" says it; a second one is passed over by browsers',
        undoes=_first("strict-transport-security"),
    ),
    Rule(
        _names("add_header"),
        "the gateway says it already, with the id of the log line; leave it out",
        undoes=_first("x-request-id"),
    ),
    # what the host believes, reads and writes
    Rule(
        _names("set_real_ip_from real_ip_header real_ip_recursive"),
        "says whom to believe about a visitor's address; the site's \"slb_cidrs\" is for that",
        where="both",
        at=lambda place: not place.proxy_protocol,
    ),
    Rule(
        _names("set_real_ip_from real_ip_header real_ip_recursive"),
        "says whom to believe about a visitor's address; the host's \"proxy_protocol\" is for that",
        where="both",
        at=lambda place: place.proxy_protocol,
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
        "is what visitors sent behind the question mark, login codes too, and upstreams get yours in its place; leave "
        "it out",
        where="both",
        undoes=_first("$args"),
    ),
    Rule(
        _names("set"),
        "the gateway's own variable; give yours another name",
        where="both",
        undoes=lambda arguments: bool(arguments) and arguments[0].startswith("$wecom_gateway"),
    ),
)
