"""Upstreams of every kind behind a real nginx: http and https, addresses, nodes, private authorities, headers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.conftest import make_pair

from .test_real_nginx import _why_not
from .upstreams_here import Answer, Question, answers

pytestmark = pytest.mark.skipif(bool(_why_not()), reason=_why_not())

DOMAIN = "wx.a.edu.cn"


def _echo(address: str, port: int = 8080, kind: str = "echo", **more: Any) -> dict[str, Any]:
    return {"address": address, "port": port, "kind": kind, **more}


@pytest.fixture
def visit(parse, tmp_path, files):
    """Asks a site of these routes; DNS gives paas.inner.example 10.0.0.20."""

    def ask(
        routes: list[dict[str, Any]],
        upstreams: list[dict[str, Any]],
        *questions: Question,
        theirs: str = "",
        **more: Any,
    ) -> list[Answer]:
        platform = {"routes": [{"port": "entry", "path": "/", **route} for route in routes], **more}
        entry = {"domain": DOMAIN, "edge": "slb", "platform": "own"}
        host, problems = parse(entry, platforms={"own": platform})
        assert host, problems
        folder = tmp_path / "room"
        folder.mkdir()
        known = {f"paas.inner.example_{port}": f"10.0.0.20:{port}" for port in (443, 8081)}
        return answers(host, folder, upstreams, list(questions), known, theirs.replace("FOLDER", str(folder)))

    return ask


def get(target: str, *headers: tuple[str, str], method: str = "GET") -> Question:
    return Question(DOMAIN, target, headers, method)


def test_plain_http_by_address_by_name_and_under_a_path(visit):
    routes = [
        {"path": "/a/", "upstream": "http://10.0.0.8:8080/ctx/"},
        {"path": "/b/", "upstream": "http://paas.inner.example:8081/"},
        {"path": "/", "upstream": "http://10.0.0.9:8080/", "host": "domain"},
    ]
    upstreams = [_echo("10.0.0.8"), _echo("10.0.0.20", 8081), _echo("10.0.0.9")]
    a, b, rest = visit(routes, upstreams, get("/a/x?q=%2F"), get("/b/x"), get("/x//y?q"))
    assert (a.told()["server"], a.told()["target"], a.sent("host")) == (
        "10.0.0.8:8080",
        "/ctx/x?q=%2F",
        ["10.0.0.8:8080"],
    )
    assert (b.told()["server"], b.told()["target"], b.sent("host")) == (
        "10.0.0.20:8081",
        "/x",
        ["paas.inner.example:8081"],
    )
    assert (rest.told()["server"], rest.told()["target"], rest.sent("host")) == ("10.0.0.9:8080", "/x//y?q", [DOMAIN])
    for one in (a, b, rest):
        assert one.sent("x-forwarded-proto") == ["https"]
        assert one.sent("x-forwarded-host") == [DOMAIN]


# What a panel's nginx.conf has for all sites, and more of the kind.
_THEIRS = """
    proxy_cache_path FOLDER/cache levels=1:2 keys_zone=cache_one:1m;
    proxy_cache cache_one;
    proxy_cache_valid any 10m;
    proxy_store off;
    proxy_intercept_errors on;
    error_page 404 = @theirs;
    auth_basic "theirs";
    auth_basic_user_file /etc/hostname;
    auth_request /theirs;
    set_real_ip_from 0.0.0.0/0;
    real_ip_header X-Forwarded-For;
"""


def test_what_others_say_at_http_level_for_their_own_sites_counts_for_none_of_ours(visit, files):
    """By HEAD a cache asks as by GET, and an answer that is kept is a visitor's that another gets."""
    failing = get("/gone", ("X-Status", "404 Not Found"))
    asked = [get("/x", method="HEAD"), get("/x"), get("/x"), failing]
    forged = get("/x", ("X-Forwarded-For", "192.0.2.66"))
    body = "AbCdEfGhIjKlMnOp"
    file = f"WW_verify_{body}.txt"
    (files / "verify" / DOMAIN).mkdir(parents=True)
    (files / "verify" / DOMAIN / file).write_text(body)
    verified = [get(f"/{file}"), get(f"/{file}", ("If-None-Match", '"x"'))]
    head, first, second, gone, claimed, *served = visit(
        [{"upstream": "http://10.0.0.8:8080/"}], [_echo("10.0.0.8")], *asked, forged, *verified, theirs=_THEIRS
    )
    assert [(one.status, one.body) for one in served] == [(200, body)] * 2
    assert [one.status for one in (head, first, second, gone)] == [200, 200, 200, 404]
    assert head.arrived == ["10.0.0.8:8080 HEAD /x"]
    assert first.arrived == second.arrived == ["10.0.0.8:8080 GET /x"]
    assert gone.told()["target"] == "/gone"
    for header in ("x-real-ip", "x-forwarded-for"):
        assert claimed.sent(header) == first.sent(header) != ["192.0.2.66"], header


def _given(*lines: str) -> tuple[tuple[str, str], ...]:
    return tuple(("X-Give", line) for line in lines)


def test_redirects_cookies_and_origins_of_any_upstream_come_back(visit):
    routes = [{"path": "/app/", "upstream": "http://10.30.211.116:8080/ctx/", "host": "domain"}]
    written = {
        "http://10.30.211.116:8080/ctx/x?y#z": f"https://{DOMAIN}/app/x?y#z",
        "HTTP://10.30.211.116:8080/ctx": f"https://{DOMAIN}/app/",
        "http://10.30.211.116:8080/ctx?y=1": f"https://{DOMAIN}/app/?y=1",
        "/ctx": "/app/",
        "/ctx?y": "/app/?y",
        "/ctx#/home": "/app/#/home",
        "/ctx/x": "/app/x",
        "/ctxx": "/ctxx",
        f"http://{DOMAIN}/ctx/x": f"https://{DOMAIN}/app/x",
        f"http://{DOMAIN.upper()}:8080/ctx/x": f"https://{DOMAIN}/app/x",
        f"https://{DOMAIN}/app/x": f"https://{DOMAIN}/app/x",
        "//10.30.211.116:8080.evil.example/ctx/": "//10.30.211.116:8080.evil.example/ctx/",
        "http://10.30.211.1160:8080/ctx/": "http://10.30.211.1160:8080/ctx/",
        "?page=2": "?page=2",
        "x/y": "x/y",
    }
    questions = [get("/app/", ("X-Status", "302 Found"), *_given(f"Location: {one}")) for one in written]
    extra = get(
        "/app/",
        *_given(
            "Set-Cookie: a=1; Path=/ctx; Domain=10.30.211.116",
            "Set-Cookie: b=2; Path=/ctx/x",
            f"Set-Cookie: c=3; Domain={DOMAIN}; Path=/",
            "Access-Control-Allow-Origin: http://10.30.211.116:8080",
        ),
    )
    others = [get("/app/", *_given(f"Access-Control-Allow-Origin: {one}")) for one in ("*", "https://o.example")]
    found = visit(routes, [_echo("10.30.211.116")], *questions, extra, *others, get("/app/"))
    assert {one: answer.all("location")[0] for one, answer in zip(written, found, strict=False)} == written
    cookies, star, other, none = found[len(written) :]
    assert cookies.all("set-cookie") == [
        f"a=1; Path=/app; Domain={DOMAIN}",
        "b=2; Path=/app/x",
        f"c=3; Domain={DOMAIN}; Path=/",
    ]
    assert cookies.all("access-control-allow-origin") == [f"https://{DOMAIN}"]
    assert star.all("access-control-allow-origin") == ["*"]
    assert other.all("access-control-allow-origin") == ["https://o.example"]
    assert none.all("access-control-allow-origin") == []


NODES = {"upstream": "http://app.inner.example/", "nodes": ["10.0.0.8:8080", "10.0.0.9:8080"]}


def test_a_node_that_is_off_costs_one_wait_and_then_nobody_anything(visit):
    questions = [get(f"/{number}", method="POST" if number % 2 else "GET") for number in range(8)]
    found = visit([NODES], [_echo("10.0.0.8", kind="off"), _echo("10.0.0.9")], *questions, read_timeout=4)
    assert [one.status for one in found] == [200] * 8
    assert sum(one.seconds > 1 for one in found) <= 1
    assert max(one.seconds for one in found) < 3.2 + 1
    assert [len(one.arrived) for one in found] == [1] * 8


def test_a_node_that_refuses_costs_nobody_anything(visit):
    nodes = {**NODES, "nodes": ["10.0.0.7:8080", "10.0.0.8:8080", "10.0.0.9:8080"]}
    upstreams = [_echo("10.0.0.7", 1), _echo("10.0.0.8", 1), _echo("10.0.0.9")]
    found = visit([nodes], upstreams, *[get("/x") for _ in range(6)])
    assert [(one.status, one.seconds < 1) for one in found] == [(200, True)] * 6


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_whose_answer_does_not_come_is_never_sent_again(visit, method):
    """Not to another node, and not to the same: the login code in it is spent."""
    upstreams = [_echo("10.0.0.8", kind="silent"), _echo("10.0.0.9", kind="silent")]
    (found,) = visit([NODES], upstreams, get("/login?code=1", method=method), read_timeout=2)
    assert (found.status, len(found.arrived)) == (504, 1)


def test_a_post_that_may_have_arrived_is_never_sent_again(visit):
    upstreams = [_echo("10.0.0.8", kind="drops"), _echo("10.0.0.9", kind="drops")]
    found = visit([NODES], upstreams, get("/pay", method="POST"), get("/x", method="POST"))
    assert [(one.status, len(one.arrived)) for one in found] == [(502, 1), (502, 1)]


def test_a_page_that_breaks_every_node_does_not_take_the_others_away(visit):
    """Each failure counts against a node; when none is left they are all asked again."""
    upstreams = [_echo("10.0.0.8"), _echo("10.0.0.9")]
    found = visit([NODES], upstreams, get("/breaks"), *[get("/x") for _ in range(4)])
    assert [one.status for one in found] == [502, 200, 200, 200, 200]
    assert len(found[0].arrived) == 2


def test_a_private_authority_counts_alone_and_for_its_route_alone(visit, files):
    inner, foreign = make_pair("inner.a.edu.cn"), make_pair("inner.a.edu.cn")
    (files / "ca").mkdir()
    for name, (chain, key) in {"inner": inner, "foreign": foreign}.items():
        (files / "ca" / f"{name}.pem").write_bytes(chain)
        (files / f"{name}.key").write_bytes(key)
    routes = [
        {"path": "/right/", "upstream": "https://inner.a.edu.cn/", "nodes": ["10.0.0.8"], "ca": "files/ca/inner.pem"},
        {"path": "/wrong/", "upstream": "https://inner.a.edu.cn/", "nodes": ["10.0.0.8"], "ca": "files/ca/foreign.pem"},
        {"path": "/store/", "upstream": "https://inner.a.edu.cn/", "nodes": ["10.0.0.8"]},
        {"path": "/name/", "upstream": "https://other.a.edu.cn/", "nodes": ["10.0.0.8"], "ca": "files/ca/inner.pem"},
    ]
    server = _echo("10.0.0.8", 443, certificate=str(files / "ca/inner.pem"), key=str(files / "inner.key"))
    order = ("/right/", "/wrong/", "/store/", "/name/", "/right/", "/wrong/")
    found = visit(routes, [server], *[get(path) for path in order])
    assert [one.status for one in found] == [200, 502, 502, 502, 200, 502]
    assert found[0].sent("host") == ["inner.a.edu.cn"]


def test_one_authority_for_all_routes_of_a_server_counts_alone(visit, files):
    inner, foreign = make_pair("inner.a.edu.cn"), make_pair("inner.a.edu.cn")
    (files / "ca").mkdir()
    (files / "ca" / "inner.pem").write_bytes(inner[0])
    (files / "foreign.pem").write_bytes(foreign[0])
    for name, (_, key) in {"inner": inner, "foreign": foreign}.items():
        (files / f"{name}.key").write_bytes(key)
    row = {"upstream": "https://inner.a.edu.cn/", "ca": "files/ca/inner.pem"}
    routes = [
        {**row, "path": "/a/", "nodes": ["10.0.0.8"]},
        {**row, "path": "/b/", "nodes": ["10.0.0.9"]},
        {"path": "/c/", "upstream": "http://10.0.0.7:8080/"},
    ]
    servers = [
        _echo("10.0.0.8", 443, certificate=str(files / "ca/inner.pem"), key=str(files / "inner.key")),
        _echo("10.0.0.9", 443, certificate=str(files / "foreign.pem"), key=str(files / "foreign.key")),
        _echo("10.0.0.7"),
    ]
    found = visit(routes, servers, get("/a/"), get("/b/"), get("/c/"))
    assert [one.status for one in found] == [200, 502, 200]


def test_further_headers_are_the_routes_own_and_never_a_visitors(visit):
    routes = [
        {
            "path": "/m/",
            "upstream": "http://10.0.0.8:8080/o/m/weixin/",
            "guarded": True,
            "headers": {"X-Original-URI": "{path}"},
        },
        {"path": "/n/", "upstream": "http://10.0.0.8:8080/o/n/", "headers": {"X-Site": "https://{domain}{path};a b"}},
        {"path": "/", "upstream": "http://10.0.0.8:8080/"},
    ]
    forged = (("X-Original-URI", "/admin"), ("X-Site", "evil"), ("x-original-uri", "/admin2"))
    m, n, rest = visit(routes, [_echo("10.0.0.8")], *[get(path, *forged) for path in ("/m/x", "/n/x", "/x")])
    assert (m.sent("x-original-uri"), m.sent("x-site")) == (["/m/"], [])
    assert (n.sent("x-original-uri"), n.sent("x-site")) == ([], [f"https://{DOMAIN}/n/;a b"])
    assert (rest.sent("x-original-uri"), rest.sent("x-site")) == ([], [])


def test_a_guarded_prefix_with_another_public_path_is_as_closed_as_blueking(visit):
    routes = [
        {"path": "/bkmonitor/", "upstream": "http://10.0.0.8:8080/o/bk_monitorv3/weixin/", "guarded": True},
        {"path": "/", "upstream": "http://10.0.0.9:8080/"},
    ]
    closed = [
        "/bkmonitor/x/%2e%2e;/%2e%2e;/admin",
        "/bkmonitor/%252e%252e/admin",
        "/bkmonitor/..;/admin",
        "/bkmonitor/x%5c..%5cy",
        "/bkmonitor",
    ]
    outside = ["/bkmonitor/../admin", "/bkmonitor/..%2fadmin", "/bkmonitorx", "/a;b/%2525"]
    inside = ["/bkmonitor/x?a=..;/%252e", "/bkmonitor//x"]
    found = visit(routes, [_echo("10.0.0.8"), _echo("10.0.0.9")], *[get(one) for one in [*closed, *outside, *inside]])
    for target, one in zip(closed, found, strict=False):
        assert not [line for line in one.arrived if line.startswith("10.0.0.8")], target
    assert found[0].status == found[1].status == found[2].status == found[3].status == 404
    others = found[len(closed) : len(closed) + len(outside)]
    assert [one.told()["server"] for one in others] == ["10.0.0.9:8080"] * 4, (
        "an open route takes what its upstream takes"
    )
    first, second = found[-2:]
    assert first.told()["target"] == "/o/bk_monitorv3/weixin/x?a=..;/%252e"
    assert second.told()["target"] == "/o/bk_monitorv3/weixin/x"


def test_no_path_is_too_long_to_be_judged(visit):
    """A regular expression that runs out of room matches nothing, and the wall would be open."""
    routes = [{"path": "/bkmonitor/", "upstream": "http://10.0.0.8:8080/o/bk_monitorv3/weixin/", "guarded": True}]
    most = 32_000
    blanks = ["%e3%80%80", "%c2%a0", "%20", ".", "%20."]
    closed = [f"/bkmonitor/.{one * ((most - 20) // len(one))}%e3%80%80/admin" for one in blanks]
    open_ones = [f"/bkmonitor/{'a' * most}", f"/bkmonitor/{'.' * most}a%e3%80%80/x"]
    found = visit(routes, [_echo("10.0.0.8")], *[get(one) for one in [*closed, *open_ones]])
    assert [one.status for one in found] == [404] * len(closed) + [200] * len(open_ones)


def test_a_location_of_the_operators_own_sends_its_upstreams_own_name(visit, files):
    (files / "nginx").mkdir()
    own = "location /office/ { proxy_pass http://10.0.0.9:8080/; }\n"
    (files / "nginx" / f"{DOMAIN}.conf").write_text(own)
    upstreams = [_echo("10.0.0.8"), _echo("10.0.0.9")]
    routes = [{"upstream": "http://10.0.0.8:8080/"}]
    office, rest = visit(routes, upstreams, get("/office/x", ("X-Forwarded-User", "root")), get("/x"))
    assert (office.sent("host"), office.sent("x-forwarded-user")) == (["10.0.0.9:8080"], [])
    assert rest.sent("host") == ["10.0.0.8:8080"]
