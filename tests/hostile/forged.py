"""Headers with which a client claims to be a proxy, in every spelling, and the judge of what became of them."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import strategies as st

from gateway.nginx.request_headers import STRIPPED
from lab.topology import own_address

from .edges import INSIDE, PLATFORMS, SITES, Edge, request

EVIL = b"6.6.6.6"

SET = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "X-Forwarded-Weixin-Host")
# What inner parts of BlueKing trust, and what a proxy must never pass from a client.
TRUSTED = (
    *("X-Forwarded-User", "Proxy-Path", "Staffname", "X-Original-URI", "X-Forwarded-Protocol", "X-Forwarded-Ssl"),
    *("Proxy", "Forwarded", "X-Bkapi-JWT", "X-Bkapi-App", "X-Bkapi-Authorization", "X-Bkapi-User"),
    # one route's own, on this host
    "X-Static-Of",
)
# Drawn anew for each request, so it is no part of what is expected.
DRAWN = "X-Request-Id"
_JUDGED = {*SET, *TRUSTED, *STRIPPED}
NAMES = tuple(sorted({*_JUDGED, DRAWN}, key=lambda name: (name.lower(), name)))
_FORWARDED = frozenset(name.lower() for name in _JUDGED)
_HOP = ("connection", "upgrade", "keep-alive", "te", "transfer-encoding")
_HOP_ALLOWED = {"connection": {"", "close", "keep-alive"}}


def canonical(name: str) -> str:
    """A header's name as CGI, WSGI or a servlet would know it: case and `_` for `-` do not count."""
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower())


def expected(edge: Edge, site: str) -> dict[str, list[str]]:
    """The forwarded headers that must arrive, each once."""
    domain, client = edge.domain(site), own_address()
    told = {
        "host": PLATFORMS[site],
        "x-real-ip": client,
        "x-forwarded-for": client,
        "x-forwarded-proto": "https",
        "x-forwarded-host": domain,
    }
    if site not in ("card", "card-test"):
        told["x-forwarded-weixin-host"] = domain
    if site.startswith("monitor"):
        told["x-original-uri"] = INSIDE[site].removesuffix("ok")
    if site == "monitor-open":
        told["x-static-of"] = f"https://{domain}/bkmonitor/static/"
    return {name: [value] for name, value in told.items()}


def forgery(seen: dict[str, Any], wanted: dict[str, list[str]]) -> str | None:
    """What a client could make the platform believe; None where nothing."""
    found: dict[str, list[str]] = {}
    for name, value in seen["headers"]:
        key = canonical(name)
        if key in _FORWARDED or key == "host":
            found.setdefault(key, []).append(value)
        if key == DRAWN.lower() and not re.fullmatch("[0-9a-f]{32}", value):
            return f"{name}: {value} arrived, which the gateway has to draw itself"
        if key in _HOP and value.lower() not in _HOP_ALLOWED.get(key, set()):
            return f"{name}: {value} arrived, which is between client and gateway"
    return None if found == wanted else f"arrived with {found}"


_VALUES = (EVIL, b"", b"evil.example", b"http", b"6.6.6.6, 7.7.7.7", b'for="[::1]";host=6.6.6.6', b"6.6.6.6\t", b"\xff")
_COLONS = (b": ", b":", b":\t", b":   ", b" : ", b" :", b"\t:", b"::", b":\x0b", b": \x00", b"\x00:", b"\xa0:", b" ")
_FOLDS = (b"", b"", b"", b"\r\n ", b"\r\n\t", b"\r\n  ", b"\n ")
_ENDS = (b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\r\n")


@st.composite
def _spelled(draw: st.DrawFn) -> bytes:
    name = draw(st.sampled_from(NAMES))
    kind = draw(st.integers(0, 9))
    if kind <= 3:
        return name.encode()
    if kind == 4:
        return draw(st.sampled_from([name.lower(), name.upper(), name.swapcase(), name.title()])).encode()
    if kind == 5:
        return name.replace("-", draw(st.sampled_from(["_", ".", " ", "--", "\u2010", "%2d", "/", "~", "\0"]))).encode()
    if kind == 6:
        return name.replace("-", "_", 1).encode()
    if kind == 7:
        return draw(st.sampled_from([b" ", b"\t", b"-", b"_", b".", b"\x00", b"\x0b", b"HTTP_", b"Http-", b":"])) + (
            name.encode()
        )
    if kind == 8:
        return name.encode() + draw(st.sampled_from([b" ", b"\t", b"-", b"_", b"\x00", b"\xad", b"\x7f"]))
    at = draw(st.integers(0, len(name) - 1))
    return (name[:at] + chr(ord(name[at]) ^ draw(st.sampled_from([0x20, 0x80, 0x01]))) + name[at + 1 :]).encode(
        "latin-1"
    )


@st.composite
def _line(draw: st.DrawFn) -> bytes:
    """A header line and its end; mostly well-formed."""
    usual = draw(st.integers(0, 2))
    colon = b": " if usual else draw(st.sampled_from(_COLONS))
    fold = b"" if usual else draw(st.sampled_from(_FOLDS))
    end = b"\r\n" if usual else draw(st.sampled_from(_ENDS))
    return draw(_spelled()) + colon + fold + draw(st.sampled_from(_VALUES)) + end


_innocent = st.sampled_from(
    [
        *(
            b"Accept: */*\r\n",
            b"X-Plain: a\r\n",
            b"X-Plain: a\r\n b\r\n",
            b"Cookie: a=b\r\n",
            b"Connection: keep-alive\r\n",
        ),
        *(b"Connection: X-Forwarded-For, X-Real-IP\r\n", b"Connection: X-Forwarded-Host\r\n", b"TE: trailers\r\n"),
        *(
            b"Trailer: X-Real-IP\r\n",
            b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n",
            b"Keep-Alive: 300\r\n",
        ),
        *(b"Proxy-Connection: x\r\n", b"Upgrade: websocket2\r\nConnection: Upgrade\r\n", b"Connection: Host\r\n"),
    ]
)


@st.composite
def forged_requests(draw: st.DrawFn, edge: Edge) -> tuple[str, bytes]:
    """A site, and a request to it that claims things."""
    site = draw(st.sampled_from(SITES))
    lines = b"".join(draw(st.lists(st.one_of(_line(), _line(), _line(), _innocent), min_size=1, max_size=4)))
    plain = request(edge.domain(site), INSIDE[site])
    first, rest = plain[: plain.index(b"\r\n") + 2], plain[plain.index(b"\r\n") + 2 : -2]
    before = draw(st.integers(0, 3)) == 0
    whole = first + (lines + rest if before else rest + lines) + b"\r\n"
    # A bare CR at the end would leave the head open, and the server waiting for more.
    return site, whole if whole.endswith(b"\r\n\r\n") else whole + b"\r\n"
