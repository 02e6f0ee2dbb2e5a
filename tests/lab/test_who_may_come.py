"""A host behind a load balancer of layer 4, and sites that not everybody may use. tests/matrix: on each Debian."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import lab
from lab import client, hosts, layer4, topology

from . import checkout as own
from .checkout import Checkout

HOST = "t44"
CODE = "WhoMayComeHere01"
FILE = f"/WW_verify_{CODE}.txt"
BK = {"upstream": "https://paas.inner.example", "apps": ["itsm"]}
INSIDE, ELSEWHERE = [str(topology.subnet()), "2001:db8:5::/48"], ["192.0.2.0/24"]
PATH = "/o/itsm/weixin/x"
OPEN, FRIENDS, OTHERS = "open.who.example", "friends.who.example", "others.who.example"
PLAIN = "plain.who.example"
WANXIAO = "card.who.example"


def _sites() -> list[dict[str, Any]]:
    bk = {"platform": "bkitsm", "bk": BK}
    return [
        {"domain": OPEN, "edge": "tls", **bk},
        {"domain": FRIENDS, "edge": "tls", "allow": INSIDE, **bk},
        {"domain": OTHERS, "edge": "tls", "allow": ELSEWHERE, **bk},
        {"domain": WANXIAO, "edge": "tls", "platform": "wanxiao_prod", "allow": INSIDE},
        # whoever runs the tests is the load balancer here
        {"domain": PLAIN, "edge": "slb", "slb_cidrs": [f"{topology.own_address()}/32"], "allow": ELSEWHERE, **bk},
    ]


def _write(checkout: Checkout, header: bool) -> None:
    more = {"proxy_protocol": [f"{topology.address(layer4.NAME)}/32"]} if header else {}
    checkout.write_hosts({HOST: _sites()}, **more)


def serve(suite: str, folder: Path) -> Checkout:
    """The host with all sites, deployed without the header and then with it, and the load balancer."""
    lab.up()
    hosts.remove([HOST])
    lab.up([HOST], suite)
    folder.mkdir()
    checkout = Checkout.make(folder, HOST)
    for site in _sites():
        checkout.verification(site["domain"], CODE)
        if site["edge"] == "tls":
            checkout.certificate(site["domain"])
    layer4.ensure(HOST)
    _write(checkout, header=False)
    checkout.deploy_well()
    _write(checkout, header=True)
    checkout.deploy_well()
    return checkout


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    try:
        yield serve(topology.DEFAULT_SUITE, tmp_path_factory.mktemp("who") / "checkout")
    finally:
        layer4.remove()
        hosts.remove([HOST])


def _ask(domain: str, path: str = PATH, port: int = 443, version: int = 1, **options: Any) -> client.Response:
    """By the load balancer, which sends that version of the header."""
    listener = port + (layer4.VERSION_2 if version == 2 else 0)
    options["headers"] = {"Host": domain if port == 443 else f"{domain}:{port}", **options.get("headers", {})}
    return client.request(f"https://{domain}:{listener}{path}", connect=topology.address(layer4.NAME), **options)


def _answered(domain: str, preface: bytes, port: int = 443) -> bytes:
    """What the host itself answers to who connects to it straight, and says this before TLS."""
    request = f"GET {FILE} HTTP/1.1\r\nHost: {domain}\r\nConnection: close\r\n\r\n".encode()
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        return client.raw(topology.address(HOST), port, request, domain, preface=preface)
    return b""


def test_the_first_requests_after_the_deploy_that_said_so_are_right(behind):
    """The flag is the socket's, which the running nginx hands on when it reloads."""
    assert _ask(OPEN, FILE).body == CODE.encode()
    assert _answered(OPEN, b"") == b""


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(("domain", "path", "port"), [(OPEN, PATH, 443), (FRIENDS, PATH, 443), (WANXIAO, "/x", 9001)])
def test_the_platform_learns_who_the_client_is(behind, domain, path, port, version):
    forged = {"X-Forwarded-For": "6.6.6.6", "X-Real-IP": "6.6.6.6"}
    answer = _ask(domain, path, port, version, headers=forged)
    assert answer.status == 200
    seen = {name.lower(): value for name, value in answer.json()["headers"]}
    assert seen["x-forwarded-for"] == seen["x-real-ip"] == topology.own_address()
    place = f'"site":"{domain}","port":{port},'
    assert topology.own_address() in own.on_host(HOST, f"sleep 1.5; grep -F '{place}' {_LOG} | tail -n 1")


_LOG = "/var/log/nginx/wecom-gateway.access.log"


def test_a_websocket_passes(behind):
    url = f"https://{OPEN}{PATH}"
    assert client.websocket_echo(url, topology.address(layer4.NAME), b"ping") == b"ping"


@pytest.mark.parametrize("version", [1, 2])
def test_a_stranger_gets_403_and_the_verification_file(behind, version):
    answers = [
        _ask(OTHERS, path, version=version) for path in (PATH, "/", "/o/itsm/weixin", "/o/itsm/weixin/%252e%252e/")
    ]
    assert [answer.status for answer in answers] == [403] * 4
    assert _ask(OTHERS, FILE, version=version).body == CODE.encode()
    said = _ask(OTHERS, version=version, headers={"Accept": "application/json"}).json()
    assert said["status"] == 403
    forged = {"X-Forwarded-For": "192.0.2.7", "X-Real-IP": "192.0.2.7", "Forwarded": "for=192.0.2.7"}
    assert _ask(OTHERS, version=version, headers=forged).status == 403
    with pytest.raises(client.UpgradeRefused) as refused:
        client.websocket_echo(f"https://{OTHERS}{PATH}", topology.address(layer4.NAME), b"x")
    assert refused.value.status == 403


def _version_2(client_address: str) -> bytes:
    addresses = socket.inet_aton(client_address) + socket.inet_aton(topology.address(HOST))
    body = addresses + struct.pack("!HH", 40000, 443)
    return b"\r\n\r\n\x00\r\nQUIT\n" + struct.pack("!BBH", 0x21, 0x11, len(body)) + body


@pytest.mark.parametrize("domain", [OPEN, OTHERS, WANXIAO])
@pytest.mark.parametrize("told", ["192.0.2.7", "127.0.0.1", None])
def test_whoever_comes_past_the_load_balancer_gets_nothing_whatever_he_says(behind, domain, told):
    """Else anybody could say in the header that he is one of those who may come."""
    if told is None:
        assert _answered(domain, b"") == b""
        return
    for port in (443, 9001) if domain == WANXIAO else (443,):
        for header in (f"PROXY TCP4 {told} 192.0.2.2 40000 443\r\n".encode(), _version_2(told)):
            assert _answered(domain, header, port) == b""


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("192.0.2.7", 200),
        ("203.0.113.7", 403),
        ("192.0.2.7, 203.0.113.7", 403),
        ("203.0.113.7, 192.0.2.7", 200),
        ("::ffff:192.0.2.7", 200),
        ("nobody", 403),
        (None, 403),
    ],
)
def test_at_the_other_edge_the_load_balancers_word_counts(behind, said, status):
    headers = {"X-Forwarded-For": said} if said else {}
    answer = client.request(f"http://{PLAIN}{PATH}", connect=topology.address(HOST), headers=headers)
    assert answer.status == status
    plain = {**headers, "X-Forwarded-Proto": "http"}
    answer = client.request(f"http://{PLAIN}{PATH}", connect=topology.address(HOST), headers=plain)
    assert answer.status == (301 if status == 200 else 403)
    answer = client.request(f"http://{PLAIN}{FILE}", connect=topology.address(HOST), headers=headers)
    assert answer.body == CODE.encode()


def test_nobody_else_is_believed_at_the_other_edge(behind):
    """From the load balancer of layer 4, which is none of that site's."""
    for name in ("X-Forwarded-For", "X-Real-IP"):
        headers = {name: "192.0.2.7"}
        answer = client.request(f"http://{PLAIN}{PATH}", connect=topology.address(layer4.NAME), headers=headers)
        assert answer.status == 403


def test_the_host_asks_itself_and_nginx_has_nothing_to_complain_about(behind):
    asked = f"curl -sk --resolve {OPEN}:443:127.0.0.1 https://{OPEN}{FILE}"
    assert own.on_host(HOST, asked) == CODE
    said = own.on_host(HOST, "nginx -t 2>&1")
    assert "warn" not in said, said
    code, report = behind.status()
    assert code == 0, report


def test_verify_asks_by_the_load_balancer_and_says_so_where_it_is_sent_past_it(behind):
    def run(*resolve: str) -> tuple[int, str]:
        words = [word for one in resolve for word in ("--resolve", one)]
        done = behind.run("python", "-m", "gateway", "verify", "inventory/own.py", "--ca", str(topology.CA), *words)
        return done.returncode, done.stdout

    balancer, plain = topology.address(layer4.NAME), f"{PLAIN}:{topology.address(HOST)}"
    domains = (OPEN, FRIENDS, OTHERS, WANXIAO)
    code, said = run(*(f"{domain}:{balancer}" for domain in domains), plain)
    assert code == 0, said
    assert 'the site is for its "allow" alone' in said
    code, said = run(*(f"{domain}:{topology.address(HOST)}" for domain in domains), plain)
    assert code == 0, said
    assert "answers its load balancer alone (proxy_protocol)" in said


def test_it_is_switched_off_again(behind):
    _write(behind, header=False)
    try:
        behind.deploy_well()
        assert CODE.encode() in _answered(OPEN, b"")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            _ask(OPEN)
    finally:
        _write(behind, header=True)
        behind.deploy_well()
    assert _ask(OPEN, FILE).body == CODE.encode()
