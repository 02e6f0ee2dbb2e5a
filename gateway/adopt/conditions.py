"""What a hand-written `if`, `return` or `rewrite` does that the gateway does anyway."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gateway.adopt.directives import Placed

# A URL of the same name by https, without its scheme and name.
_SAME_PATH = re.compile(r"(?::443)?(?:/?\$request_uri|\$uri\$is_args\$args|\$uri|/?\$1)?\??")
_PLAIN = {
    ("$scheme", "http"),
    ("$https", ""),
    ("$https", "off"),
    ("$server_port", "80"),
}
_BALANCER = ("$http_x_forwarded_proto", "$http_x_forwarded_scheme", "$http_x_client_scheme")
_HEADERS_ALONE = frozenset(("set", "expires", "add_header"))


def is_to_https(one: Placed, domain: str) -> bool:
    """Whether a `return` or `rewrite` is the redirect from http to https under the same name."""
    if one.name == "return":
        status, url = one.arguments if len(one.arguments) == 2 else ("302", one.first)
        return status in ("301", "302", "303", "307", "308") and _is_same(url, domain)
    if one.name == "rewrite" and len(one.arguments) >= 2:
        everything = one.first in (
            "^",
            "^(.*)",
            "^(.*)$",
            "^/(.*)$",
            "^/(.*)",
            "^(/.*)$",
            "(.*)",
            "^/?(.*)$",
            ".*",
            "^.*$",
        )
        return everything and _is_same(one.arguments[1], domain)
    return False


def _is_same(url: str, domain: str) -> bool:
    """Whether a URL is of this name, by https, and keeps the path."""
    names = ("$host", "$http_host", "$server_name", domain)
    rest = next(
        (found for name in names if (found := url.lower().removeprefix(f"https://{name}")) != url.lower()), None
    )
    return rest is not None and _SAME_PATH.fullmatch(rest) is not None


def is_plain(one: Placed) -> bool:
    """Whether an `if` asks for plain http here."""
    return _compares(one, _PLAIN) or one.arguments in (("$server_port", "!~", "443"), ("$server_port", "!=", "443"))


def is_plain_at_balancer(one: Placed) -> bool:
    """Whether an `if` asks for plain http at a load balancer."""
    if one.first.lower() not in _BALANCER or len(one.arguments) != 3:
        return False
    return one.arguments[1:] in (("=", "http"), ("!=", "https"), ("~", "http$"), ("~*", "http$"), ("~", "^http$"))


def refuses_other_names(one: Placed, domain: str) -> bool:
    """Whether an `if` refuses requests for another name, which the gateway does."""
    asks = one.arguments[:2] in (("$host", "!="), ("$http_host", "!=")) and "".join(one.arguments[2:]).lower() == domain
    return asks and bool(one.inner) and all(item.name == "return" and item.first[:1] == "4" for item in one.inner)


def is_for_name(one: Placed, domain: str) -> bool | None:
    """Whether an `if` asks for requests for this name, as certbot writes it. None where it asks something else."""
    if len(one.arguments) != 3 or one.arguments[:2] not in (("$host", "="), ("$http_host", "=")):
        return None
    return one.arguments[2].lower() == domain


def is_about_challenges(one: Placed) -> bool:
    """Whether an `if` is about files of certificate authorities alone, as panels write it."""
    return len(one.arguments) == 3 and one.arguments[2].lstrip("^").replace("\\", "").startswith("/.well-known")


def is_about_caching(one: Placed) -> bool:
    """Whether an `if` says no more than how long browsers keep a file, as panels write it."""
    return bool(one.inner) and all(item.name in _HEADERS_ALONE for item in one.inner)


def _compares(one: Placed, wanted: Iterable[tuple[str, str]]) -> bool:
    return len(one.arguments) == 3 and one.arguments[1] == "=" and (one.first, one.arguments[2]) in wanted
