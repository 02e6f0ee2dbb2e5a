"""What people and programs are told when there is no answer to give them."""

from __future__ import annotations

import json
import re
import time

import pytest

from lab import client, topology

from . import checkout as own
from .checkout import SLB

CLOSED = {"headers": {"X-Lab-Close": "1"}, "method": "POST", "body": b"x"}
GATEWAYS = {"slb": "gw-slb", "tls": "gw-tls"}


def _id(body: bytes) -> str:
    (found,) = re.findall(r"\b[0-9a-f]{32}\b", body.decode())
    return found


def _logged(host: str, request_id: str) -> str:
    # It is written once a second.
    search = f'grep -F \'"request_id":"{request_id}"\' /var/log/nginx/wecom-gateway.access.log'
    return own.on_host(host, f"for _ in $(seq 40); do {search} && exit 0; sleep 0.25; done; exit 1")


def test_a_page_in_both_languages_with_the_id_of_the_log_line(ask, edge):
    answer = ask("card", "/x", **CLOSED)
    text = answer.body.decode()
    assert answer.status == 502
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    assert "服务暂时无法访问" in text
    assert "cannot be reached at the moment" in text
    assert "nginx" not in text
    assert len(answer.body) < 2000
    assert answer.header("X-Request-Id") == _id(answer.body)
    line = json.loads(_logged(GATEWAYS[edge], _id(answer.body)))
    assert (line["method"], line["path"], line["status"]) == ("POST", "/x", 502)


@pytest.mark.parametrize(
    "accept", ["application/json", "application/json, text/plain, */*", "application/problem+json"]
)
def test_who_asks_for_json_gets_json(ask, accept):
    answer = ask("card", "/x", **{**CLOSED, "headers": {"X-Lab-Close": "1", "Accept": accept}})
    assert answer.status == 502
    assert answer.header("Content-Type") == "application/json; charset=utf-8"
    told = answer.json()
    assert told["status"] == 502
    assert "cannot be reached" in told["message"]
    assert "服务暂时无法访问" in told["message_zh"]
    assert re.fullmatch("[0-9a-f]{32}", told["request_id"])


def test_the_ending_of_a_path_says_nothing_about_the_page(ask):
    assert ask("itsm", "/x.js").header("Content-Type") == "text/html; charset=utf-8"
    assert ask("itsm", "/x.js", headers={"Accept": "application/json"}).json()["status"] == 404


@pytest.mark.parametrize("accept", ["text/html,application/xhtml+xml,*/*;q=0.8", "text/html, application/json", "*/*"])
def test_a_browser_gets_the_page(ask, accept):
    answer = ask("itsm", "/", headers={"Accept": accept})
    assert (answer.status, answer.header("Content-Type")) == (404, "text/html; charset=utf-8")
    assert "页面不存在" in answer.body.decode()


def test_a_head_request_gets_no_body(ask):
    answer = ask("itsm", "/", method="HEAD")
    assert (answer.status, answer.body) == (404, b"")


@pytest.mark.parametrize("status", ["404", "500", "502"])
def test_what_the_platform_says_is_never_replaced(ask, status):
    answer = ask("card", "/x", headers={"X-Lab-Status": status})
    assert answer.status == int(status)
    assert "请求编号" not in answer.body.decode()


def test_refusals_before_a_platform_is_asked(ask):
    too_large = ask("card", "/x", method="POST", body=b"x", headers={"Content-Length": str(1 << 30)})
    assert too_large.status == 413
    assert "上传" in too_large.body.decode()


def test_a_path_too_long_to_be_read(demo_lab):
    request = b"GET /%s HTTP/1.1\r\nHost: card.tls.demo.example\r\nConnection: close\r\n\r\n" % (b"x" * 40_000)
    answer = client.raw(topology.address("gw-tls"), 443, request, "card.tls.demo.example")
    assert b" 414 " in answer.partition(b"\r\n")[0]
    assert "414" in _logged("gw-tls", _id(answer.partition(b"\r\n\r\n")[2]))


@pytest.mark.parametrize("ending", ["", ".html", ".json"])
def test_the_name_of_the_page_is_not_a_page(ask, ending):
    assert ask("card", f"/.wecom-gateway-error{ending}").status == 404


def test_plain_http_to_a_tls_port_is_told_so_by_no_stock_page(demo_lab):
    answer = client.raw(
        topology.address("gw-tls"), 9001, b"GET / HTTP/1.1\r\nHost: card.tls.demo.example\r\nConnection: close\r\n\r\n"
    )
    assert b"<center>" not in answer
    assert b" 400 " in answer.partition(b"\r\n")[0]


def test_a_request_that_cannot_be_read_gets_nothing(demo_lab):
    for host in ("gw-slb", "gw-tls"):
        assert client.raw(topology.address(host), 80, b"GARBAGE\r\n\r\n") == b""


@pytest.fixture
def own_platforms(packaged_host, checkout):
    """Sites on platforms that refuse and that are slow, and one that takes five requests a second."""
    platforms = checkout.path / "group_data" / "all.py"
    more = """
def _to(upstream, **more):
    return {"routes": [{"port": "entry", "path": "/", "upstream": upstream}], **more}

platforms["refusing"] = _to("https://hub.17wanxiao.com:4443/")
platforms["slow"] = _to("https://hub.17wanxiao.com/", read_timeout=1)
"""
    platforms.write_text(f"{platforms.read_text()}\n{more}")
    limited = {"domain": "limited.edu.example", "rate_limit": {"requests_per_second": 5, "burst": 10}}
    checkout.write_sites(
        SLB,
        {**SLB, **limited},
        {**SLB, "domain": "refusing.edu.example", "platform": "refusing"},
        {**SLB, "domain": "slow.edu.example", "platform": "slow"},
    )
    checkout.verification("limited.edu.example", "abcdefgh12345678")
    checkout.deploy_well()
    return checkout


def test_refused_slow_and_limited(own_platforms):
    refused = own.ask("t01", "http://refusing.edu.example/x")
    assert refused.status == 502
    assert _logged("t01", _id(refused.body))

    slow = own.ask("t01", "http://slow.edu.example/x", headers={"X-Lab-Delay": "3"})
    assert slow.status == 504
    assert "超时" in slow.body.decode()

    # A limit is the site's own: fifty at once from one address are fifty of one school.
    started = time.monotonic()
    limited = [own.ask("t01", "http://limited.edu.example/x").status for _ in range(50)]
    allowed = 11 + 5 * (time.monotonic() - started)
    assert set(limited) == {200, 429}
    assert 11 <= limited.count(200) <= allowed + 1
    assert [own.ask("t01", "http://a.edu.example/x").status for _ in range(50)] == [200] * 50
    verification = [
        own.ask("t01", "http://limited.edu.example/WW_verify_abcdefgh12345678.txt").status for _ in range(20)
    ]
    assert verification == [200] * 20
