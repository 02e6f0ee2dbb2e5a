"""A visit as an application sees it, and the page that it answers with."""

import json
import posixpath
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from .request import Request


@dataclass(frozen=True)
class Page:
    """An answer; `headers` come on top of type and length."""

    status: int
    body: str = ""
    kind: str = "text/html; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Visit:
    """A request: `path` is decoded and without dots, as inner proxies hand it on; `host` is the Host header."""

    request: Request
    host: str
    path: str
    query: str
    scheme: str

    @classmethod
    def of(cls, request: Request, tls: bool) -> "Visit":
        """The visit that a request is. The scheme is that of X-Forwarded-Proto, as frameworks are told to take it."""
        target = urlsplit(request.target)
        path = unquote(target.path, "latin-1").replace("\\", "/")
        slash = "/" if path.endswith(("/", "/.", "/..")) else ""
        path = posixpath.normpath("/" + path.lstrip("/")).rstrip("/") + slash
        scheme = request.first("x-forwarded-proto") or ("https" if tls else "http")
        return cls(request, (request.first("host") or "").lower(), path or "/", target.query, scheme)

    def asked(self, name: str) -> str | None:
        """A parameter of the query."""
        return next(iter(parse_qs(self.query).get(name, [])), None)

    def cookie(self, name: str) -> str | None:
        found = SimpleCookie("; ".join(self.request.all("cookie"))).get(name)
        return found.value if found else None


def redirect(location: str, *cookies: str) -> Page:
    """302, with cookies."""
    return Page(302, headers=(("Location", location), *(("Set-Cookie", cookie) for cookie in cookies)))


def as_json(value: Any) -> Page:
    return Page(200, json.dumps(value, ensure_ascii=False), "application/json; charset=UTF-8")
