"""Requests whose end can be read in two ways: a second request in the body of the first must stay a body."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from lab import client, topology
from lab.wire import Wire, arrived

from .edges import ARRIVES, INSIDE, Edge, request
from .forged import expected, forgery
from .readings import judged

_CHUNKED = "Transfer-Encoding: chunked"
_numbers = itertools.count(time.time_ns() // 1_000_000)

# {n}: the length of the whole body; {body}: what follows the head. The hidden request stands at {hidden}, its
# length in hexadecimal, as a chunk would say it, at {hex}. Lines end in CRLF unless they say otherwise.
_LAST = "0\n\n{hidden}"
_AS_CHUNK = "{hex}\n{hidden}\n0\n\n"

_CODINGS = {
    "plain": _CHUNKED,
    "unknown": "Transfer-Encoding: xchunked",
    "space-before-colon": "Transfer-Encoding : chunked",
    "tab-before-colon": "Transfer-Encoding\t: chunked",
    "tab-after-colon": "Transfer-Encoding:\tchunked",
    "vertical-tab": "Transfer-Encoding: \x0bchunked",
    "trailing-nul": "Transfer-Encoding: chunked\0",
    "trailing-ff": "Transfer-Encoding: chunked\xff",
    "leading-space": " Transfer-Encoding: chunked",
    "folded-value": "Transfer-Encoding:\n chunked",
    "folded-name": "Transfer-Encoding\n : chunked",
    "behind-bare-lf": "X-Plain: x\v{lf}Transfer-Encoding: chunked",
    "behind-bare-cr": "X-Plain: x{cr}Transfer-Encoding: chunked",
    "twice": f"{_CHUNKED}\nTransfer-Encoding: x",
    "twice-chunked": f"{_CHUNKED}\n{_CHUNKED}",
    "twice-second-identity": f"{_CHUNKED}\nTransfer-Encoding: identity",
    "first-identity": f"Transfer-Encoding: identity\n{_CHUNKED}",
    "list-before": "Transfer-Encoding: identity, chunked",
    "list-after": "Transfer-Encoding: chunked, identity",
    "list-empty": "Transfer-Encoding: , chunked",
    "quoted": 'Transfer-Encoding: "chunked"',
    "parameter": "Transfer-Encoding: chunked;q=1",
    "capitals": "TRANSFER-ENCODING: CHUNKED",
    "underscore": "Transfer_Encoding: chunked",
    "no-colon": "Transfer-Encoding chunked",
    "empty": "Transfer-Encoding:",
    "content-encoding": "Content-Encoding: chunked\nTE: chunked",
    "named-hop-by-hop": f"Connection: Transfer-Encoding\n{_CHUNKED}",
}
_LENGTHS = {
    "twice-zero-first": "Content-Length: 0\nContent-Length: {n}",
    "twice-zero-last": "Content-Length: {n}\nContent-Length: 0",
    "twice-same": "Content-Length: {n}\nContent-Length: {n}",
    "list": "Content-Length: 0, {n}",
    "list-same": "Content-Length: {n}, {n}",
    "plus": "Content-Length: +{n}",
    "minus": "Content-Length: -{n}",
    "minus-zero": "Content-Length: -0",
    "space-inside": "Content-Length: 0 {n}",
    "hexadecimal": "Content-Length: 0x{hex}",
    "exponent": "Content-Length: 1e1",
    "underscore-digits": "Content-Length: 1_0",
    "fraction": "Content-Length: 0.0",
    "other-digits": "Content-Length: \xb2",
    "nul": "Content-Length: 0\0{n}",
    "empty": "Content-Length:\nContent-Length: {n}",
    "overflow-64": "Content-Length: 18446744073709551616",
    "overflow-32": "Content-Length: 4294967296",
    "space-before-colon": "Content-Length : 0\nContent-Length: {n}",
    "underscore-name": "Content_Length: 0\nContent-Length: {n}",
    "folded": "Content-Length: 0\n\t{n}",
    "bare-cr": "X-Plain: x{cr}Content-Length: 0\nContent-Length: {n}",
    "bare-lf": "X-Plain: x{lf}Content-Length: 0\nContent-Length: {n}",
    "named-hop-by-hop": "Connection: Content-Length\nContent-Length: {n}",
    "expect": "Expect: 100-continue\nContent-Length: {n}",
    "expect-odd": "Expect: y 100-continue\nContent-Length: {n}",
    "websocket": "Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Version: 777\nContent-Length: {n}",
    "h2c": "Upgrade: h2c\nConnection: Upgrade, HTTP2-Settings\nHTTP2-Settings: AAMAAABk\nContent-Length: {n}",
    "override": "X-HTTP-Method-Override: HEAD\nContent-Length: {n}",
}
_CHUNKS = {
    "extension": "{hex};a=b\n{hidden}\n0\n\n",
    "extension-empty": "{hex};\n{hidden}\n0\n\n",
    "extension-quoted-line": '{hex};a="\\{lf}"\n{hidden}\n0\n\n',
    "extension-bare-lf": "{hex};a{lf}{hidden}\n0\n\n",
    "extension-bare-cr": "{hex};a{cr}b\n{hidden}\n0\n\n",
    "extension-space": "{hex} ;a=b\n{hidden}\n0\n\n",
    "extension-nul": "{hex};\0\n{hidden}\n0\n\n",
    "size-0x": "0x{hex}\n{hidden}\n0\n\n",
    "size-plus": "+{hex}\n{hidden}\n0\n\n",
    "size-minus": "-1\n{hidden}\n0\n\n",
    "size-space": " {hex}\n{hidden}\n0\n\n",
    "size-space-after": "{hex} \n{hidden}\n0\n\n",
    "size-tab-after": "{hex}\t\n{hidden}\n0\n\n",
    "size-zeros": "00000000000000000000{hex}\n{hidden}\n0\n\n",
    "size-overflow": "10000000000000000\n{hidden}\n0\n\n",
    "size-overflow-to-zero": "100000000\n{hidden}\n0\n\n",
    "size-empty": "\n{hidden}\n0\n\n",
    "size-letters": "g\n{hidden}\n0\n\n",
    "size-too-small": "1\n{hidden}\n0\n\n",
    "size-no-line": "{hex}{hidden}\n0\n\n",
    "data-bare-lf": "{hex}{lf}{hidden}{lf}0{lf}{lf}",
    "data-no-end": "{hex}\n{hidden}0\n\n",
    "data-two-bytes-more": "{hex}\n{hidden}xx0\n\n",
    "last-with-extension": "{hex}\n{hidden}\n0;a=b\n\n",
    "trailers": "{hex}\n{hidden}\n0\nX-Forwarded-For: 6.6.6.6\nContent-Length: 0\nTransfer-Encoding: x\nHost: evil\n\n",
}


def _wire_form(template: str, marker: str, where: str, domain: str) -> bytes:
    """The template with its hidden request, line ends as the network wants them."""
    hidden = f"GET {where}{marker} HTTP/1.1\nHost: {domain}\nX-Plain: x\n\n"
    head, body = template.split("\n\n", 1)
    size = f"{len(hidden.replace(chr(10), '**')):x}"

    def spelled(text: str, n: int = 0) -> bytes:
        for name, value in (("hidden", hidden), ("hex", size), ("n", str(n))):
            text = text.replace(f"{{{name}}}", value)
        return text.replace("\n", "\r\n").replace("{lf}", "\n").replace("{cr}", "\r").encode("latin-1")

    raw = spelled(body)
    return spelled(head, len(raw)) + b"\r\n\r\n" + raw


# With TLS to its upstream and without.
_WALLED = ("itsm", "monitor")


def _log() -> list[str]:
    """What has reached any upstream."""
    answers = [
        client.request("http://platform/__lab__/log", connect=topology.address(node)) for node in ("platform", "node-b")
    ]
    return [f"{entry['target']} {entry['headers']}" for answer in answers for entry in answer.json()]


def _all_at_once(check: Callable[[str], None], sites: Iterable[str]) -> None:
    """Nearly all of the time is waiting for what must not come."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(check, sites))


def _cases() -> dict[str, str]:
    start = "POST {front} HTTP/1.1\nHost: {domain}\n"
    cases = {}
    for name, line in _CODINGS.items():
        cases[f"cl.te-{name}"] = f"{start}Content-Length: {{n}}\n{line}\n\n{_LAST}"
        cases[f"te.cl-{name}"] = f"{start}{line}\nContent-Length: 4\n\n{_AS_CHUNK}"
    for name, line in _LENGTHS.items():
        cases[f"length-{name}"] = f"{start}{line}\n\n{{hidden}}"
    for name, body in _CHUNKS.items():
        cases[f"chunk-{name}"] = f"{start}{_CHUNKED}\n\n{body}"
    cases["body-with-get"] = "GET {front} HTTP/1.1\nHost: {domain}\nContent-Length: {n}\n\n{hidden}"
    cases["chunked-in-1.0"] = f"POST {{front}} HTTP/1.0\nHost: {{domain}}\nContent-Length: {{n}}\n{_CHUNKED}\n\n{_LAST}"
    cases["chunked-alone-in-1.0"] = f"POST {{front}} HTTP/1.0\nHost: {{domain}}\n{_CHUNKED}\n\n{_AS_CHUNK}"
    cases["version-1.10"] = f"POST {{front}} HTTP/1.10\nHost: {{domain}}\n{_CHUNKED}\n\n{_AS_CHUNK}"
    cases["line-in-target"] = "GET {front}{cr}{hidden} HTTP/1.1\nHost: {domain}\n\n"
    return cases


_CASES = _cases()


@pytest.mark.parametrize("name", _CASES)
def test_a_request_in_a_body_stays_a_body(edge: Edge, name):
    """Seen by the platform as a request it would come with the gateway's word for a client that never spoke it."""
    _all_at_once(lambda site: _stays_a_body(edge, site, name), _WALLED)


def _stays_a_body(edge: Edge, site: str, name: str) -> None:
    domain, marker = edge.domain(site), f"{next(_numbers):x}"
    public, inner = INSIDE[site].removesuffix("ok"), ARRIVES[site].removesuffix("ok")
    front = f"{public}front-{marker}"
    template = _CASES[name].replace("{front}", front).replace("{domain}", domain)
    payload = _wire_form(template, marker, "/admin/hidden-", domain)
    with Wire(edge.door(), timeout=3) as wire:
        wire.send(payload)
        answers = [answer for answer in wire.rest(0.25) if answer.status != 100]
        wire.close()
        # What the next client gets on the gateway's kept connections must be its own.
        after = [wire.exchange([request(domain, f"{public}after-{marker}-{each}")])[0] for each in range(2)]
    reached = [entry for entry in _log() if marker in entry.partition(" ")[0]]
    assert not [entry for entry in reached if "/hidden-" in entry.partition(" ")[0]], (payload, reached)
    assert len([entry for entry in reached if entry.startswith(f"{inner}front-")]) <= 1, (payload, reached)
    for answer in answers:
        if answer.body == b"not a WebSocket 13 handshake\n":
            continue  # the platform's word on the one request that got there
        assert judged(answer) is None, (payload, judged(answer))
        if seen := arrived(answer):
            wanted = (f"{inner}front-{marker}", None)
            assert (seen["target"], forgery(seen, expected(edge, site))) == wanted, (payload, seen)
    for number, answer in enumerate(after):
        assert (arrived(answer) or {}).get("target") == f"{inner}after-{marker}-{number}", (payload, answer)


@pytest.mark.parametrize("name", [name for name in _CASES if name.startswith(("cl.te-", "length-"))])
def test_a_length_is_believed_or_refused(edge: Edge, name):
    """A hidden request that the gateway itself would serve: two answers mean that it read another end than said."""
    _all_at_once(lambda site: _has_one_end(edge, site, name), ("card", "monitor-open"))


def _has_one_end(edge: Edge, site: str, name: str) -> None:
    domain, marker = edge.domain(site), f"{next(_numbers):x}"
    public, inner = INSIDE[site].removesuffix("ok"), ARRIVES[site].removesuffix("ok")
    template = _CASES[name].replace("{front}", f"{public}front-{marker}").replace("{domain}", domain)
    payload = _wire_form(template, marker, "/hidden-", domain)
    with Wire(edge.door(), timeout=3) as wire:
        wire.send(payload)
        seen = [arrived(answer) for answer in wire.rest(0.25)]
    told = [each["target"] for each in seen if each]
    assert told in ([], [f"{inner}front-{marker}"]), payload
    assert f"/hidden-{marker}" not in [entry.partition(" ")[0] for entry in _log()], payload


def test_the_log_is_where_requests_show(edge: Edge):
    """Guards the tests above against a log that shows nothing."""
    with Wire(edge.door()) as wire:
        for site in _WALLED:
            marker = f"shown-{next(_numbers):x}"
            public, inner = (where[site].removesuffix("ok") + marker for where in (INSIDE, ARRIVES))
            assert arrived(wire.one(request(edge.domain(site), public)))
            assert [entry for entry in _log() if entry.startswith(inner)]
        both = wire.exchange([request(edge.domain("itsm"), INSIDE["itsm"])] * 2)
        assert [arrived(answer) is not None for answer in both] == [True, True]
