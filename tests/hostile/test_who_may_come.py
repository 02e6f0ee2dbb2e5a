"""Whoever does not come by the load balancer, or is not one of those who may come, whatever he says of himself."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import struct
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import strategies as st

from lab import hosts, layer4, topology
from lab.wire import Door, Wire

from ..lab.test_who_may_come import FILE, HOST, OTHERS, PATH, PLAIN, serve
from .edges import request
from .explore import CASES, explore

WELCOME, STRANGER = "192.0.2.7", "203.0.113.7"
# Each takes a handshake, or nginx's patience.
_CONNECTIONS = max(25, CASES // 40)


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    try:
        serve(os.environ.get("WECOM_HOSTILE_SUITE", "bookworm"), tmp_path_factory.mktemp("who") / "checkout")
        yield
    finally:
        layer4.remove()
        hosts.remove([HOST])


_ADDRESSES = st.sampled_from(
    [WELCOME, STRANGER, "127.0.0.1", "10.0.0.1", "::1", "::ffff:192.0.2.7", "2001:db8:5::7", ""]
)


@st.composite
def _version_1(draw: st.DrawFn) -> bytes:
    start = draw(st.sampled_from(["PROXY", "PROXY", "PROXY", "proxy", " PROXY", "PROXY\t", "PROX"]))
    family = draw(st.sampled_from(["TCP4", "TCP6", "UNKNOWN", "UDP4", "tcp4", "", "TCP4 TCP6"]))
    ports = draw(st.sampled_from(["40000 443", "0 0", "65536 443", "443", "-1 443", "40000 443 x"]))
    gap = draw(st.sampled_from([" ", " ", " ", "  ", "\t", ","]))
    end = draw(st.sampled_from(["\r\n", "\r\n", "\n", "\r", "", "\r\n\r\n", "x" * 200 + "\r\n"]))
    return (gap.join([start, family, draw(_ADDRESSES), draw(_ADDRESSES), ports]) + end).encode()


@st.composite
def _version_2(draw: st.DrawFn) -> bytes:
    address = draw(st.sampled_from([WELCOME, STRANGER, "127.0.0.1", topology.address(layer4.NAME)]))
    body = socket.inet_aton(address) + socket.inet_aton(topology.address(HOST)) + struct.pack("!HH", 40000, 443)
    body += draw(st.sampled_from([b"", b"", b"\x04\x00\x04abcd", b"\x02\x00\x01a", b"\xff\xff\xff"]))
    command = draw(st.sampled_from([0x21, 0x21, 0x20, 0x22, 0x11, 0x31, 0x00]))
    family = draw(st.sampled_from([0x11, 0x11, 0x12, 0x21, 0x22, 0x31, 0x00, 0xFF]))
    length = len(body) + draw(st.sampled_from([0, 0, 0, -1, 1, -12, 4000]))
    return b"\r\n\r\n\x00\r\nQUIT\n" + struct.pack("!BBH", command, family, max(length, 0)) + body


_PREFACES = st.one_of(
    _version_1(),
    _version_2(),
    st.tuples(_version_1(), _version_2()).map(b"".join),
    st.tuples(_version_2(), _version_1()).map(b"".join),
    st.binary(max_size=120),
)


def _said_to(address: str, domain: str, preface: bytes) -> bytes:
    """What comes back as an answer to a request that follows on this; nothing where TLS does not begin."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    payload = request(domain, PATH, b"Connection: close")
    with (
        contextlib.suppress(OSError),
        socket.create_connection((address, 443), timeout=1) as plain,
    ):
        plain.sendall(preface)
        with context.wrap_socket(plain, server_hostname=domain) as connection:
            connection.sendall(payload)
            return connection.recv(65536)
    return b""


def test_no_header_opens_the_door_to_who_comes_past_the_load_balancer(behind, tally):
    def send(batch: Sequence[bytes], counts: Counter[str]) -> Iterator[str]:
        for preface in batch:
            counts["connections"] += 1
            if answer := _said_to(topology.address(HOST), OTHERS, preface):
                yield f"{preface!r}: answered {answer[:80]!r}"

    _, told = explore(_PREFACES, send, _CONNECTIONS)
    tally(told)


def test_nor_a_second_header_through_the_load_balancer(behind, tally):
    """It writes its own first; what the client writes then is no header any more."""
    balancer = topology.address(layer4.NAME)
    assert b" 403 " in _said_to(balancer, OTHERS, b"")

    def send(batch: Sequence[bytes], counts: Counter[str]) -> Iterator[str]:
        for preface in batch:
            answer = _said_to(balancer, OTHERS, preface)
            counts["refused" if answer else "closed"] += 1
            if answer and b" 403 " not in answer.partition(b"\r\n")[0] + b" ":
                yield f"{preface!r}: answered {answer[:80]!r}"

    _, told = explore(_PREFACES, send, _CONNECTIONS)
    tally(told)


_NAMES = st.sampled_from(
    [
        *(b"X-Forwarded-For", b"x-forwarded-for", b"X_Forwarded_For", b"X-Forwarded-For ", b" X-Forwarded-For"),
        *(b"X-Real-IP", b"Forwarded", b"X-Client-IP", b"True-Client-IP", b"X-Forwarded", b"X-Forwarded-For\x00"),
    ]
)
_CLAIMS = st.sampled_from(
    [
        *(b"192.0.2.7", b"192.0.2.7, 192.0.2.7", b"192.0.2.7,", b",192.0.2.7", b"192.0.2.7:443", b"[2001:db8:5::7]"),
        *(
            b"::ffff:192.0.2.7",
            b"for=192.0.2.7",
            b"192.0.2.7\t",
            b"192.0.2.7\r\n 192.0.2.7",
            b"127.0.0.1",
            b"unix:",
            b"",
        ),
    ]
)


def test_no_word_of_a_client_opens_a_site_that_is_not_for_him(behind, tally):
    """The load balancer adds the client's address at the end, in a line of its own or in the last one."""
    lines = st.lists(st.tuples(_NAMES, _CLAIMS), max_size=4)
    wanted = st.tuples(lines, st.booleans(), st.sampled_from([PATH, FILE[:-1], "/", "/o/itsm/weixin"]))

    def whole(case: tuple[list[tuple[bytes, bytes]], bool, str]) -> bytes:
        claims, joined, path = case
        said = [name + b": " + value for name, value in claims]
        told = STRANGER.encode()
        last = b"X-Forwarded-For: 192.0.2.7, " + told if joined else b"X-Forwarded-For: " + told
        return request(PLAIN, path, *said, last)

    with Wire(Door(topology.address(HOST), 80)) as wire:

        def send(batch: Sequence[bytes], counts: Counter[str]) -> Iterator[str]:
            for case, answer in zip(batch, wire.exchange(batch), strict=True):
                status = answer.status if answer else None
                counts[str(status)] += 1
                if status not in (403, 400, None):
                    yield f"{case!r}: {status}"

        counts, told = explore(wanted.map(whole), send)
    tally(told)
    assert counts["403"] > counts["cases"] / 5
