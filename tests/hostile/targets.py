"""Request targets around an allow-list, spelled in every way that some decoder somewhere understands."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Sequence
from urllib.parse import quote_from_bytes

from hypothesis import strategies as st

from .edges import MONITOR, PREFIXES, PUBLIC, SITES


def _percent(raw: bytes, times: int, upper: bool = False) -> bytes:
    """Percent-encoded, from the second time on the percent signs alone, as an encoder would."""
    if not times:
        return raw
    once = b"".join(b"%%%02X" % byte if upper else b"%%%02x" % byte for byte in raw)
    return once.replace(b"%", b"%" + b"25" * (times - 1))


def _overlong(byte: int) -> list[bytes]:
    high, low = 0x80 | byte >> 6, 0x80 | byte & 0x3F
    return [
        bytes([0xC0 | byte >> 6, low]),
        bytes([0xE0, high, low]),
        bytes([0xF0, 0x80, high, low]),
        bytes([0xF8, 0x80, 0x80, high, low]),
    ]


def _folded() -> dict[str, list[bytes]]:
    """What NFKC turns into the key, for keys that matter."""
    found: dict[str, list[bytes]] = {".": [], "..": [], "/": [], "\\": [], ";": [], "%": [], "?": [], "#": []}
    for code in range(0x80, sys.maxunicode + 1):
        if 0xD800 <= code < 0xE000:
            continue
        plain = unicodedata.normalize("NFKC", chr(code))
        if plain in found:
            found[plain].append(chr(code).encode())
        elif "/" in plain:
            found["/"].append(chr(code).encode())
    return found


_FOLDED = _folded()
# Not folded by Unicode, but by the "best fit" of old code pages, or taken for the same by a reader.
_ALIKE = {
    "/": ["\u2044", "\u2215", "\u29f8"],
    "\\": ["\u2216", "\u29f5", "\u29f9", "\u00a5", "\u20a9"],
    ".": ["\u3002", "\uff61", "\u00b7"],
    ";": ["\u061b"],
}


def spellings(text: str) -> list[bytes]:
    """Ways to write one character (or "..") that matters, the plain ones several times."""
    raw = text.encode()
    bases = [*_FOLDED.get(text, []), *(each.encode() for each in _ALIKE.get(text, []))]
    if len(raw) == 1:
        bases += _overlong(raw[0])
    encoded = [_percent(raw, times, upper) for times in (1, 2, 3) for upper in (False, True)]
    others = [_percent(base, times) for base in bases for times in (0, 1, 1, 2)]
    utf16 = [b"%%u%04x" % raw[0], b"%%25u%04x" % raw[0]] if len(raw) == 1 else []
    return [raw] * (len(others) // 4 + 4) + encoded * (1 + len(others) // 12) + others + utf16


_NAMES = [
    *(b"a", b"admin", b"o", b"t", b"itsm", b"weixin", b"static", b"jsi18n", b"api", b"x.js", b"..."),
    *(b"WEIXIN", b"it%73m", b"w%2565ixin", "校园".encode(), quote_from_bytes("校园".encode()).encode()),
]
_CONTROLS = [bytes([byte]) for byte in (0, 1, 8, 9, 11, 12, 27, 31, 32, 127)]


def _of(text: str) -> st.SearchStrategy[bytes]:
    return st.sampled_from(spellings(text))


def _joined(*parts: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.tuples(*parts).map(b"".join)


_slash = st.one_of(_of("/"), _of("/"), _of("/"), _of("\\"), st.sampled_from([b"//", b"/./", b"/%2e/", b"%2f/"]))
_dots = st.one_of(_joined(_of("."), _of(".")), _joined(_of("."), _of(".")), _of(".."))
_parameter = st.one_of(
    st.just(b""), st.just(b""), _of(";"), _joined(_of(";"), st.sampled_from([b"a=b", b"jsessionid=1", b"..", b"%2f"]))
)
_control = st.sampled_from(
    [*_CONTROLS, *(_percent(each, times) for each in [*_CONTROLS, b"\r", b"\n", b"\r\n"] for times in (1, 2))]
)
_noise = st.binary(min_size=1, max_size=3).map(lambda raw: _percent(raw, 1))
_up = _joined(_dots, _parameter, _slash)
# The same spelling all the way up, as an attack would be written.
_climb = st.tuples(_up, st.integers(1, 6)).map(lambda drawn: drawn[0] * drawn[1])
_name = st.sampled_from(_NAMES)
_piece = st.one_of(
    *(_climb, _climb, _up, _joined(_slash, _climb), _name, _joined(_name, _slash)),
    *(_joined(_name, _parameter), _dots, _parameter, _slash, _of("%"), _of("?"), _of("#"), _control, _noise),
)


@st.composite
def _respelled(draw: st.DrawFn, prefixes: Sequence[bytes]) -> bytes:
    """A prefix with its slashes, or one character of it, written in another way."""
    prefix = draw(st.sampled_from(prefixes)).decode()
    if draw(st.booleans()):
        return draw(_slash).join(prefix.encode().split(b"/"))
    at = draw(st.integers(0, len(prefix) - 1))
    return prefix[:at].encode() + draw(_of(prefix[at])) + prefix[at + 1 :].encode()


def _start(prefixes: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    respelled = _respelled(prefixes)
    elsewhere = st.sampled_from([b"/admin", b"/o/other", b"/", b"/o", b"//evil.example"])
    others = [
        b"/",
        b"//",
        b"/\\",
        b"/admin/",
        b"/o/other/",
        b"/bserver/",
        b"/bserver",
        b"/o/itsm/weixin",
        b"/bkmonitor",
    ]
    return st.one_of(
        *(st.sampled_from(prefixes) for _ in range(6)),
        respelled,
        _joined(elsewhere, _slash, _climb, respelled),
        st.sampled_from([*others, *PREFIXES[MONITOR]]),
    )


# Of a site that publishes everything, whatever is published elsewhere.
_ALL = tuple(dict.fromkeys(prefix for prefixes in PUBLIC.values() for prefix in prefixes))
_STARTS = {site: _start(PUBLIC.get(site, _ALL)) for site in SITES}
_tail = st.one_of(
    *(st.just(b"") for _ in range(4)),
    st.sampled_from(
        [b"?", b"?a=/../../admin", b"?%2e%2e%2f", b"#", b"#/../../../admin", b"?a#b", b"%3f/../../../../admin", b"/.."]
    ),
)


@st.composite
def targets(draw: st.DrawFn, site: str, own: str) -> bytes:
    """A request target for a site, without line breaks; `own` is a name that the host serves."""
    path: bytes = draw(_STARTS[site]) + b"".join(draw(st.lists(_piece, max_size=5))) + draw(_tail)
    form = draw(st.integers(0, 24))
    if form == 0:
        authority = draw(
            st.sampled_from(
                ["", own, own.upper(), f"{own}:443", f"u@{own}", "paas.inner.example", f"{own}@evil.example", "[::1]"]
            )
        )
        path = (
            draw(st.sampled_from([b"http://", b"https://", b"HTTP://", b"ftp://", b"//"])) + authority.encode() + path
        )
    elif form == 1:
        path = draw(st.sampled_from([b"*", b"paas.inner.example:443", own.encode() + b":443", b"", path.lstrip(b"/")]))
    elif form == 2:
        # Around the size of nginx's buffers.
        path += draw(st.sampled_from([b"/", b"a", b"/.", b"%2f", b"a/../", b"%61"])) * draw(st.integers(100, 2700))
    return path.replace(b"\r", b"").replace(b"\n", b"")
