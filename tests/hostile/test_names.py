"""Names that no site has, sizes that no client needs, versions that nobody speaks: nothing of it gets through."""

from __future__ import annotations

import json
import socket
import ssl
import time

import pytest

from lab import client, topology
from lab.wire import Door, Wire, arrived

from .edges import INSIDE, SITES, Edge, request
from .forged import expected, forgery
from .h2 import Http2, head
from .readings import judged

OWN = ["{d}", "{D}", "{d}:80", "{d}:443", "{d}.", "{d}:", " {d}", "{d} "]
FOREIGN = [
    *("", "unknown.example", "paas.inner.example", "hub.17wanxiao.com", "localhost", "_", "*", ".", "..", "default"),
    *("127.0.0.1", "127.0.0.1:19001", "[::1]", "[::1]:80", "[", "[::1", "{ip}", "{ip}:80", "0x7f000001"),
    *("{d}..", ".{d}", "x.{d}", "{d}x", "x{d}", "{d}.evil.example", "evil.example.{d}", "{d}\xad", "{d}\xff"),
    *("u@{d}", "u:p@{d}", "{d}@evil.example", "{d}/", "{d}/x", "{d}\\x", "{d}#x", "{d}?x", "{d}%00", "{d}%2e"),
    *("{d}, evil.example", "evil.example, {d}", "{d} evil.example", "evil.example {d}", "{d}\tx", "{d}\0", "{d}\0.x"),
    *("http://{d}", "http://{d}/", "//{d}", "{d};x", '"{d}"', "$host", "{d}\x0b", "{d}\x7f", "a" * 300, "a." * 4000),
]


def _payload(edge: Edge, host: str, target: str = INSIDE["itsm"], version: str = "1.1") -> bytes:
    domain = edge.domain("itsm")
    for name, value in (("{d}", domain), ("{D}", domain.upper()), ("{ip}", edge.address)):
        host, target = host.replace(name, value), target.replace(name, value)
    lines = f"Host: {host}\r\n" if host != "(none)" else ""
    return f"GET {target} HTTP/{version}\r\n{lines}\r\n".encode("latin-1")


@pytest.mark.parametrize("host", OWN)
def test_ones_own_name_is_known_in_any_dress_and_passed_on_in_none(edge: Edge, host):
    """A forwarded host with a port, a dot or capitals is another host to BlueKing."""
    with Wire(edge.door()) as wire:
        seen = arrived(wire.one(_payload(edge, host)))
    assert seen, "a name of one's own is not served"
    assert forgery(seen, expected(edge, "itsm")) is None


def test_no_other_name_is_served(edge: Edge):
    """Whoever points a name of his at the host would have the platform under it."""
    for host in [*FOREIGN, "(none)"]:
        for version in ("1.1", "1.0"):
            with Wire(edge.door()) as wire:
                answer = wire.one(_payload(edge, host, version=version))
                assert arrived(answer) is None, (host, version)
                assert judged(answer) is None, (host, version, judged(answer))
                # Nothing, or the refusal of what is no name at all.
                assert answer is None or answer.status == 400, (host, version, answer)


def test_hosts_that_disagree(edge: Edge):
    """In a target and a header, in two headers: one of them is believed by the gateway and none by the platform."""
    for target, host in [
        ("http://evil.example" + INSIDE["itsm"], "{d}"),
        ("http://paas.inner.example/admin/", "{d}"),
        ("http://{d}/admin/", "evil.example"),
        ("http://{d}" + INSIDE["itsm"], "evil.example"),
        ("http://u@{d}" + INSIDE["itsm"], "{d}"),
        ("http://{d}@evil.example" + INSIDE["itsm"], "{d}"),
        ("http://{d}:9001" + INSIDE["itsm"], "{d}"),
        ("http://[::1]" + INSIDE["itsm"], "{d}"),
        ("http://{d}.evil.example" + INSIDE["itsm"], "{d}"),
        ("http://{d}\\@evil.example" + INSIDE["itsm"], "{d}"),
        ("https://{D}." + INSIDE["itsm"], "unknown.example"),
        (INSIDE["itsm"], "{d}\r\nHost: evil.example"),
        (INSIDE["itsm"], "evil.example\r\nHost: {d}"),
        (INSIDE["itsm"], "{d}\r\nHost: {d}"),
        (INSIDE["itsm"], "{d}\r\n .evil.example"),
        (INSIDE["itsm"], "{d}\r\nHost : evil.example"),
        (INSIDE["itsm"], "{d}\r\nHost\0: evil.example"),
    ]:
        with Wire(edge.door()) as wire:
            answer = wire.one(_payload(edge, host, target))
        if seen := arrived(answer):
            assert forgery(seen, expected(edge, "itsm")) is None, (target, host, seen)
            assert seen["target"] == INSIDE["itsm"], (target, host, seen)
            assert "evil.example" not in str(seen["headers"]), (target, host, seen)
        else:
            assert judged(answer) is None, (target, host, judged(answer))


@pytest.mark.parametrize(
    "name", ["unknown.example", "", "paas.inner.example", "x.{d}", "{d}.evil.example", "localhost"]
)
def test_tls_is_refused_for_other_names(attacked: None, name):
    """A certificate shown to anyone who asks tells who is served here."""
    edge = Edge("tls")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    asked = name.replace("{d}", edge.domain("itsm")) or None
    for port in (443, 9001):
        with socket.create_connection((edge.address, port), timeout=5) as plain, pytest.raises((ssl.SSLError, OSError)):
            context.wrap_socket(plain, server_hostname=asked)


@pytest.mark.parametrize("protocol", ["http/1.1", "h2"])
def test_a_name_in_tls_opens_no_other_door(attacked: None, protocol):
    """Who connects for one site and asks for another gets that other as it is published, or nothing."""
    edge = Edge("tls")
    targets = {site: INSIDE[site] for site in SITES}
    for asked in SITES:
        with Wire(edge.door(asked)) as wire, Http2(edge.door(asked, "h2")) as http2:
            for site, target in [
                *targets.items(),
                ("itsm", "/admin/"),
                ("unknown", "/ok"),
                ("unknown", INSIDE["itsm"]),
            ]:
                if protocol == "h2":
                    body = http2.exchange([head(edge.domain(site), target.encode())])[0] or b""
                    seen = json.loads(body) if body.startswith(b"{") else None
                else:
                    seen = arrived(wire.one(request(edge.domain(site), target)))
                assert (seen is not None) == (targets.get(site) == target), (asked, site, target)
                assert seen is None or forgery(seen, expected(edge, site)) is None


@pytest.mark.parametrize("size", [8_192, 16_000, 32_000, 33_700, 33_792, 34_000, 70_000, 1_000_000])
def test_long_lines(edge: Edge, size):
    """Around and far beyond nginx's buffers: served or refused, never half of it."""
    domain = edge.domain("itsm")
    for case in (
        request(domain, INSIDE["itsm"] + "a" * size),
        request(domain, INSIDE["itsm"] + "?" + "a" * size),
        request(domain, INSIDE["itsm"], b"X-Plain: " + b"a" * size),
        request(domain, INSIDE["itsm"], b"a" * size + b": x"),
        request(domain, INSIDE["itsm"], b"Cookie: a=" + b"a" * size, b"X-Forwarded-For: 6.6.6.6"),
        request(domain, "/o/itsm/weixin/" + "a/../" * (size // 5) + "../../../admin"),
        request(domain + "." * size, INSIDE["itsm"]),
        b"G" * size + request(domain, INSIDE["itsm"]),
    ):
        with Wire(edge.door()) as wire:
            answer = wire.one(case)
        assert judged(answer) is None, (case[:80], judged(answer))
        if seen := arrived(answer):
            assert size < 33 * 1024
            assert forgery(seen, expected(edge, "itsm")) is None


@pytest.mark.parametrize(("count", "name"), [(90, b"X-Plain"), (90, b"X-%d"), (4_000, b"X-%d"), (20_000, b"X-Real-IP")])
def test_many_headers(edge: Edge, count, name):
    lines = [(name.replace(b"%d", b"%d" % number)) + b": 6.6.6.6" for number in range(count)]
    with Wire(edge.door()) as wire:
        answer = wire.one(request(edge.domain("card"), INSIDE["card"], *lines))
    assert judged(answer) is None
    if seen := arrived(answer):
        assert forgery(seen, expected(edge, "card")) is None
        assert len(seen["headers"]) <= count + 10


@pytest.mark.parametrize("name", [b"Content-Length", b"Content-Type", b"Cookie", b"Authorization", b"Expect", b"Range"])
def test_headers_given_twice(edge: Edge, name):
    """Two servers that each believe another one of two headers see two requests."""
    with Wire(edge.door()) as wire:
        answer = wire.one(request(edge.domain("card"), INSIDE["card"], name + b": 0", name + b": 1"))
    assert judged(answer) is None
    if seen := arrived(answer):
        lengths = [value for key, value in seen["headers"] if key.lower() == "content-length"]
        assert len(lengths) <= 1
        assert seen["body_length"] == int((lengths or ["0"])[0])


@pytest.mark.parametrize(
    "line",
    [
        *("GET {t}", "GET {t} ", "GET http://{d}{t}", "GET {t} HTTP/0.9", "GET {t} HTTP/2.0", "GET {t} HTTP/3", "{t}"),
        *("GET {t} HTTP/1.1 HTTP/1.1", "GET {t} http/1.1", "GET {t} HTTP/1.", "GET {t} HTTP/01.1", "GET {t} FTP/1.1"),
        *("PRI * HTTP/2.0", "GET\t{t} HTTP/1.1", "GET{t} HTTP/1.1", "G\0T {t} HTTP/1.1", "get {t} HTTP/1.1", "\0\0\0"),
        *(
            "TRACE {t} HTTP/1.1",
            "CONNECT {d}:443 HTTP/1.1",
            "CONNECT paas.inner.example:443 HTTP/1.1",
            " GET {t} HTTP/1.1",
        ),
    ],
)
def test_odd_request_lines(edge: Edge, line):
    """HTTP/0.9 has no host to choose a site by; what is no version must not be taken for one."""
    marker = f"/admin/odd-{time.time_ns():x}"
    for target, domain in ((marker, edge.domain("itsm")), (marker, "unknown.example")):
        text = line.replace("{t}", target).replace("{d}", domain)
        door = edge.door()
        payload = f"{text}\r\nHost: {domain}\r\n\r\n".encode("latin-1")
        client.raw(door.connect, door.port, payload, door.tls_name, timeout=1)
        client.raw(door.connect, door.port, f"{text}\r\n".encode("latin-1"), door.tls_name, timeout=0.3)
    log = client.request("http://platform/__lab__/log", connect=topology.address("platform")).json()
    assert not [entry["target"] for entry in log if marker in str(entry)]


def test_plain_http_on_the_tls_port_and_tls_on_the_plain_one(attacked: None):
    slb, tls = Edge("slb"), Edge("tls")
    with Wire(Door(tls.address, 443)) as wire:
        assert arrived(wire.one(request(tls.domain("itsm"), INSIDE["itsm"]))) is None
    with pytest.raises((ssl.SSLError, OSError)):
        Door(slb.address, 80, slb.domain("itsm")).open(3)
