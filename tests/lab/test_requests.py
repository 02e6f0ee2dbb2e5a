"""What reaches an upstream, and how."""

from __future__ import annotations

import hashlib
import uuid

import pytest

from lab import client, demo, topology
from lab.client import UpgradeRefused

SITES = {"card-test": "/bserver/x", "card": "/x", "itsm": "/o/itsm/weixin/x"}
UPSTREAMS = {"card-test": "api.17wanxiao.com", "card": "hub.17wanxiao.com", "itsm": "paas.inner.example"}


def _headers(answer):
    found: dict[str, list[str]] = {}
    for name, value in answer.json()["headers"]:
        found.setdefault(name.lower(), []).append(value)
    return found


@pytest.mark.parametrize("site", SITES)
def test_the_gateway_says_who_is_asking_and_nobody_else_does(ask, edge, site):
    """Inner systems decide by these headers; a client's own copies would be an open door."""
    forged = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Weixin-Host": "evil.example",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-For": "6.6.6.6",
        "X-Real-IP": "6.6.6.6",
        "X_Forwarded_Host": "evil.example",
        "Forwarded": "for=6.6.6.6",
        "X-Forwarded-User": "admin",
        "X-Forwarded-Port": "1",
        "X-Forwarded-Ssl": "off",
        "X-Forwarded-Protocol": "http",
        "X-Original-URI": "/admin",
        "Proxy-Path": "/admin",
        "Proxy": "evil.example",
        "Staffname": "admin",
        "X-Bkapi-JWT": "forged",
        "X-Bkapi-Authorization": "forged",
        "X-Request-Id": "evil",
    }
    seen = _headers(ask(site, SITES[site], headers=forged))
    domain = f"{site}.{edge}.demo.example"
    assert seen["host"] == [UPSTREAMS[site]]
    assert seen["x-forwarded-host"] == [domain]
    assert seen["x-forwarded-proto"] == ["https"]
    assert seen["x-forwarded-for"] == [topology.own_address()]
    assert seen["x-real-ip"] == [topology.own_address()]
    assert seen.get("x-forwarded-weixin-host") == ([domain] if site == "itsm" else None)
    told = {"host", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-for", "x-real-ip", "x-request-id"}
    assert set(seen) == told | ({"x-forwarded-weixin-host"} if site == "itsm" else set())
    assert "evil" not in str(seen)
    assert "6.6.6.6" not in str(seen)


def test_only_the_load_balancer_is_believed_about_addresses(demo_lab):
    """Straight to the gateway, past the load balancer, an X-Forwarded-For is worth nothing."""
    answer = client.request(
        "http://card.slb.demo.example/x",
        connect=topology.address("gw-slb"),
        headers={"X-Forwarded-For": "6.6.6.6"},
    )
    assert _headers(answer)["x-forwarded-for"] == [topology.own_address()]


@pytest.mark.parametrize("host", ["CARD.{edge}.demo.example", "card.{edge}.demo.example:443"])
def test_the_forwarded_host_is_literal_whatever_the_client_writes(ask, edge, host):
    """BlueKing compares it as an exact string: capitals or a port make it a desktop visit."""
    seen = _headers(ask("card", "/x", headers={"Host": host.format(edge=edge)}))
    assert seen["x-forwarded-host"] == [f"card.{edge}.demo.example"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_methods_and_bodies_pass(ask, method):
    body = None if method in ("GET", "OPTIONS") else b"\x00\xff" * 50_000
    seen = ask("card", "/x", method=method, body=body, headers={"Content-Type": "application/x-custom"}).json()
    assert seen["method"] == method
    assert seen["body_length"] == len(body or b"")
    assert seen["body_sha256"] == hashlib.sha256(body or b"").hexdigest()


def test_head_has_no_body(ask):
    answer = ask("card", "/x", method="HEAD")
    assert (answer.status, answer.body) == (200, b"")


def test_chunked_uploads_pass(ask):
    body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (b"a" * 70_000, b"b" * 10)) + b"0\r\n\r\n"
    seen = ask("card", "/x", method="POST", body=body, headers={"Transfer-Encoding": "chunked"}).json()
    assert seen["body_sha256"] == hashlib.sha256(b"a" * 70_000 + b"b" * 10).hexdigest()


@pytest.mark.parametrize(("site", "limit"), [("card", 50), ("itsm", 200)])
def test_uploads_pass_up_to_the_platforms_limit_and_no_further(ask, site, limit):
    """The BlueKing upload page allows 200 MiB."""
    size = limit * 1024 * 1024
    seen = ask(site, SITES[site], method="POST", body=b"x" * size, timeout=60).json()
    assert seen["body_length"] == size
    refused = ask(site, SITES[site], method="POST", body=b"x", headers={"Content-Length": str(size + 1)})
    assert refused.status == 413


@pytest.mark.parametrize("site", SITES)
def test_websockets_pass(edge, site):
    url = f"https://{site}.{edge}.demo.example{SITES[site]}"
    message = b"ping" * 1000
    assert client.websocket_echo(url, topology.address(demo.PUBLIC[edge]), message) == message


def test_only_websockets_are_upgraded(ask):
    """An h2c upgrade would be a tunnel past every rule."""
    headers = {
        "Connection": "Upgrade, HTTP2-Settings",
        "Upgrade": "h2c",
        "HTTP2-Settings": "AAMAAABkAARAAAAAAAIAAAAA",
    }
    seen = _headers(ask("card", "/x", headers=headers))
    assert "upgrade" not in seen
    assert "connection" not in seen or "upgrade" not in seen["connection"][0].lower()


def test_a_refused_websocket_says_so(edge):
    with pytest.raises(UpgradeRefused):
        client.websocket_echo(f"https://itsm.{edge}.demo.example/o/", topology.address(demo.PUBLIC[edge]), b"x")


def test_old_clients_are_served(ask):
    assert ask("card", "/x", http_version="1.0").status == 200


def test_connections_to_the_platform_are_kept(ask):
    """One TLS handshake per request is what the hand-written samples cost."""
    answers = [ask("card", "/x").json() for _ in range(8)]
    assert max(answer["request_number_on_connection"] for answer in answers) > 1


@pytest.mark.parametrize("delay", [1.5, 20])
def test_slow_answers_and_long_polls_are_waited_for(ask, delay):
    assert ask("card", "/x", headers={"X-Lab-Delay": str(delay)}, timeout=delay + 10).status == 200


def test_a_closed_connection_is_not_asked_twice_with_a_body(ask):
    """An OAuth code is good for one request: a POST that may have arrived is never sent again."""
    marker = f"/once-{uuid.uuid4()}"  # the log of the platform outlives this test
    assert ask("card", marker, method="POST", body=b"code=1", headers={"X-Lab-Close": "1"}).status == 502
    log = client.request("http://platform/__lab__/log", connect=topology.address("platform")).json()
    assert sum(marker in str(entry) for entry in log) == 1
