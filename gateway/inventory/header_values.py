"""Further request headers of a platform: each function raises ValueError with what is right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.problems import shown

_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
# What stands in double quotes in nginx's configuration as it is.
_VALUE = re.compile(r"[ -~]{0,512}")
_NOT_IN_QUOTES = '"\\$'
_BLANKS = ("{domain}", "{path}")

# Headers that the templates set for every site (snippets/headers.conf.j2, `identity` in macros.j2): nginx would send
# one that is set again twice.
_SET_ANYWAY = frozenset(
    ("connection", "upgrade", "x-real-ip", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-request-id")
)
# Headers that say where a message ends and how it is sent: with another value no platform could read the message.
_FRAMING = frozenset(("content-length", "transfer-encoding", "te", "trailer", "keep-alive", "expect"))
# Headers that belong to the visitor.
_VISITORS = frozenset(("cookie", "authorization"))


def name(value: str) -> str:
    """The name of a request header of the platform's own, refused where it has another use."""
    if not _NAME.fullmatch(value):
        raise ValueError(
            f'"{shown(value)}" is not a header\'s name (letters, digits and "-", at most 64); '
            'right would be one like "X-Forwarded-Weixin-Host"'
        )
    lower = value.lower()
    if lower == "host":
        raise ValueError(f'"{value}" is set by the gateway; "host": "domain" on the route makes it the site\'s domain')
    if lower in _SET_ANYWAY:
        raise ValueError(f'"{value}" is set by the gateway for every site; remove it')
    if lower in _FRAMING | _VISITORS:
        whose = "the visitor's own" if lower in _VISITORS else "part of how a message is sent"
        raise ValueError(
            f'"{value}" is {whose}; right would be a header of the platform\'s, like "X-Forwarded-Weixin-Host"'
        )
    return value


def said_once(names: Iterable[str], elsewhere: Iterable[str] = ()) -> None:
    """Refuses a header that is named twice, in whatever letters, or in a route's headers too: which one would count?"""
    in_routes = {one.lower() for one in elsewhere}
    seen: set[str] = set()
    for one in names:
        if one.lower() in in_routes:
            raise ValueError(f'"{one}" stands in the "headers" of a route too; keep one')
        if one.lower() in seen:
            raise ValueError(f'"{one}" stands twice; keep one')
        seen.add(one.lower())


def pairs(value: Any) -> Any:
    """Names and values of a dict. "{domain}" and "{path}" may stand in a value."""
    if not isinstance(value, Mapping):
        if isinstance(value, tuple) and all(isinstance(pair, tuple) for pair in value):
            return value  # checked before
        raise ValueError(f'{shown(repr(value))} is not a dict; right would be {{"X-Original-URI": "{{path}}"}}')
    for key, text in value.items():
        if not isinstance(key, str):
            raise ValueError(f"{shown(repr(key))} is not the name of a header")
        name(key)
        if not isinstance(text, str):
            raise ValueError(f'"{key}" has a value that is not text; right would be "..." in quotes')
        _text(key, text)
    said_once(value)
    return tuple(value.items())


def filled(text: str, domain: str, path: str) -> str:
    """A header's value for a site and a route."""
    return text.replace("{domain}", domain).replace("{path}", path)


def _text(key: str, text: str) -> None:
    if not _VALUE.fullmatch(text) or any(one in text for one in _NOT_IN_QUOTES):
        raise ValueError(
            f'"{key}" has characters in its value that no header of nginx can be given: '
            "ASCII without quotes, backslashes and $ is possible, at most 512"
        )
    rest = text
    for blank in _BLANKS:
        rest = rest.replace(blank, "")
    if "{" in rest or "}" in rest:
        raise ValueError(f'"{key}" has braces in its value around something else than domain or path')
