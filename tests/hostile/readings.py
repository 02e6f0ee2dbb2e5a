"""What an upstream could take a path for, and whether any of it lies outside what a site may let through."""

from __future__ import annotations

import re
import unicodedata
from typing import Any
from urllib.parse import unquote_to_bytes

from lab import topology
from lab.client import Response
from lab.wire import arrived

from .edges import PREFIXES

_OVERLONG = re.compile(
    rb"[\xc0\xc1][\x80-\xbf]|\xe0[\x80\x81][\x80-\xbf]|\xf0\x80[\x80\x81][\x80-\xbf]"
    rb"|\xf8\x80\x80[\x80\x81][\x80-\xbf]|\xfc\x80\x80\x80[\x80\x81][\x80-\xbf]"
)
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_DECODINGS = 3
_MANY = 4000


def readings(path: bytes) -> set[bytes]:
    """Every path that `path` may become on its way through frameworks and servers, in any order of steps.

    Steps: percent-decoding (up to three times), lenient decoding of overlong UTF-8, NFKC, backslash as slash,
    `;` to the segment's end dropped, cut at a NUL, cut at `?` or `#`, dot segments resolved with slashes
    merged or not.
    """
    todo = [(path, 0)]
    seen = set(todo)
    while todo:
        state, decoded = todo.pop()
        found = [(step(state), decoded) for step in _STEPS]
        if decoded < _DECODINGS:
            found.append((unquote_to_bytes(state), decoded + 1))
        new = [each for each in dict.fromkeys(found) if each not in seen]
        seen.update(new)
        todo += new
        if len(seen) > _MANY:
            raise AssertionError(f"{path!r} can be read in more ways than were looked at")
    return {state for state, _ in seen}


def outside(path: bytes, prefixes: tuple[bytes, ...] = PREFIXES["paas.inner.example"]) -> bytes | None:
    """A reading that is not below one of the prefixes or holds a control character; None where there is none."""
    for reading in sorted(readings(path)):
        final = (reading, resolved(reading, True), resolved(reading, False))
        if _CONTROL.search(reading) or not all(each.startswith(prefixes) for each in final):
            return reading
    return None


def resolved(path: bytes, merge: bool) -> bytes:
    """Without dot segments; an empty segment counts as one unless slashes are merged."""
    parts: list[bytes] = []
    segments = path.split(b"/")[1:]
    for part in segments:
        if part == b"..":
            parts[-1:] = []
        elif part != b"." and (part or not merge):
            parts.append(part)
    if segments and segments[-1] in (b".", b"..", b"") and (merge or segments[-1]):
        parts.append(b"")
    return b"/" + b"/".join(parts)


_PAGES = ("text/html; charset=utf-8", "application/json; charset=utf-8")


def judged(answer: Response | None) -> str | None:
    """What is wrong with an answer to any request at all; None where nothing is."""
    seen = arrived(answer)
    if seen is not None:
        return wrong_arrival(seen)
    if answer is None:
        return None
    if answer.status == 200 and answer.body == b"ok\n":
        return None  # the load balancer's question
    if answer.status == 301:
        location = answer.header("Location") or ""
        return None if re.match(r"/[^/\\]", location) else f"sends to {location!r}"
    refusal = 400 <= answer.status <= 431 or answer.status in (501, 505)
    page = answer.header("Content-Type") in _PAGES and (not answer.body or re.search(rb"[0-9a-f]{32}", answer.body))
    if not refusal or not page:
        return f"not the gateway's own refusal: {answer.status} {answer.headers} {answer.body[:200]!r}"
    return None


def wrong_arrival(seen: dict[str, Any]) -> str | None:
    """What is wrong with a request that reached the stand-in."""
    path = seen["target"].encode("latin-1").partition(b"?")[0]
    # Without TLS nobody says for whom a request is: then it is for whoever got it.
    platform = seen["platform"] or f"{topology.address(seen['node'])}:{seen['port']}"
    hosts = [value for name, value in seen["headers"] if name.lower() == "host"]
    if hosts != [platform]:
        return f"arrived at {platform} for {hosts}"
    if platform in PREFIXES:
        reading = outside(path, PREFIXES[platform])
        return None if reading is None else f"arrived as {path!r}, readable as {reading!r}"
    if platform == "api.17wanxiao.com":
        # Prefix for prefix as nginx reads it; the platform's other paths are public on another port.
        if not resolved(unquote_to_bytes(path), True).startswith(b"/b-server/"):
            return f"arrived as {path!r}"
        return None
    return None if platform == "hub.17wanxiao.com" else f"arrived at {platform}, which no site names here"


def _overlong(path: bytes) -> bytes:
    def plain(match: re.Match[bytes]) -> bytes:
        *_, high, low = match[0]
        # The lead byte of two holds bits of its own, that of longer ones only zeros.
        return bytes([((high & 1) << 6) | (low & 0x3F)])

    return _OVERLONG.sub(plain, path)


def _nfkc(path: bytes) -> bytes:
    return unicodedata.normalize("NFKC", path.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


_STEPS = (
    _overlong,
    _nfkc,
    lambda path: path.replace(b"\\", b"/"),
    lambda path: re.sub(rb";[^/]*", b"", path),
    lambda path: path.partition(b"\0")[0],
    lambda path: re.split(rb"[?#]", path, maxsplit=1)[0],
    lambda path: resolved(path, True),
    lambda path: resolved(path, False),
)
