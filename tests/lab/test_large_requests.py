"""Single sign-on makes cookies and URLs of up to 32 kB: they pass, and what is larger is told so."""

from __future__ import annotations

import json

import pytest

from lab import client, topology
from lab.wire import Door

from ..hostile.h2 import Http2, head

MOST = 32 * 1024


def _line(size: int) -> str:
    """A path with a query that makes a request line of so many bytes."""
    return "/x?" + "q" * (size - len("GET /x? HTTP/1.1\r\n"))


def _arrived(answer: client.Response, name: str) -> str:
    (value,) = [value for key, value in answer.json()["headers"] if key.lower() == name]
    return value


@pytest.mark.parametrize("size", [9_000, MOST])
@pytest.mark.parametrize("port", ["", ":9001"])
def test_long_request_lines_and_headers_arrive_whole(ask, size, port):
    """nginx's own limit is 8 kB a line: everybody with such a cookie would get a 400, from every page."""
    target = _line(size)
    cookie, referer = "c" * size, "https://card.example/" + "r" * (size - 21)
    answer = ask("card", port + target, headers={"Cookie": cookie, "Referer": referer, "Accept": "*/*"})
    assert answer.status == 200
    assert answer.json()["target"] == target
    assert _arrived(answer, "cookie") == cookie
    assert _arrived(answer, "referer") == referer


@pytest.mark.parametrize("size", [9_000, MOST])
def test_and_over_http_2(demo_lab, size):
    """There nginx before 1.19.7 has limits of its own, of 4 kB a field."""
    door = Door(topology.address("gw-tls"), 443, "card.tls.demo.example", alpn=("h2",))
    target, cookie, referer = _line(size), "c" * size, "r" * size
    more = [(b"cookie", cookie.encode()), (b"referer", referer.encode())]
    fields = head("card.tls.demo.example", target.encode(), *more)
    with Http2(door) as http2:
        (body,) = http2.exchange([fields])
    assert body is not None
    seen = json.loads(body)
    assert seen["target"] == target
    assert {value for name, value in seen["headers"] if name.lower() in ("cookie", "referer")} == {cookie, referer}


@pytest.mark.parametrize("port", [80, 443, 9001])
@pytest.mark.parametrize("size", [40_000, 500_000])
@pytest.mark.parametrize("gateway", ["gw-slb", "gw-tls"])
def test_what_is_longer_is_told_so(demo_lab, gateway, port, size):
    """On a plain port nginx does not know yet whose it is: who asks must not see a connection that merely ends."""
    if (gateway, port) == ("gw-slb", 443):
        pytest.skip("nobody listens there")
    edge = gateway.removeprefix("gw-")
    domain = f"card.{edge}.demo.example"
    request = b"GET /%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % (b"x" * size, domain.encode())
    tls_name = domain if edge == "tls" and port != 80 else None
    answer = client.raw(topology.address(gateway), port, request, tls_name)
    assert b" 414" in answer.partition(b"\r\n")[0]
    assert "地址过长" in answer.decode()
    assert b"Request id" in answer
    assert b"nginx/" not in answer


@pytest.mark.parametrize("first", ["Host", "Cookie"])
@pytest.mark.parametrize("gateway", ["gw-slb", "gw-tls"])
def test_so_is_a_header_that_is_longer(demo_lab, gateway, first):
    edge = gateway.removeprefix("gw-")
    domain = f"card.{edge}.demo.example"
    lines = [f"Host: {domain}", f"Cookie: {'c' * 40_000}"]
    if first == "Cookie":
        lines.reverse()
    request = "\r\n".join(["GET /x HTTP/1.1", *lines, "Connection: close", "", ""]).encode()
    for port in (80, 443) if edge == "tls" else (80, 9001):
        answer = client.raw(topology.address(gateway), port, request, domain if port == 443 else None)
        assert b" 431" in answer.partition(b"\r\n")[0], (port, answer[:200])
        assert "Cookie" in answer.decode()
        assert b"Request id" in answer


@pytest.mark.parametrize("cookies", [["s=" + "c" * 30_000], [f"s{number}=" + "c" * 4_000 for number in range(8)]])
def test_an_upstream_may_set_such_cookies(ask, cookies):
    """What it says before its body has to fit into one buffer: beyond it everybody gets a 502."""
    answer = ask("card", "/x", headers={"X-Lab-Set-Cookie": cookies})
    assert answer.status == 200
    assert answer.all("Set-Cookie") == cookies
