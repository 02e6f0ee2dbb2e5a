"""`verify --compare`: two real servers answer, and each way to differ is told with who is right."""

from __future__ import annotations

import itertools
import ssl
from datetime import timedelta

import pytest

from gateway.outside import compare
from gateway.outside.places import Target

from .answering import FILE
from .comparing import GATEWAY, LocalServer, Pair, right, said
from .pki import ROOT, issue

DOMAIN = "wx.school.edu.cn"
LEAF = issue(DOMAIN, ROOT)
HTML = "Content-Type: text/html; charset=utf-8"
UPSTREAM = "api.17wanxiao.com"
APP = "/bserver/bsacs/qyweixin.action"


def pages(**more):
    """What the upstreams of wanxiao_test answer."""
    login = (
        f"Location: https://open.weixin.qq.com/connect/oauth2/authorize?appid=x&redirect_uri=https%3A%2F%2F{DOMAIN}%2Fb"
    )
    return {
        "/bserver/": said(200, b"<html>card", HTML, "Set-Cookie: SESSION=1; Path=/bserver/; HttpOnly"),
        APP: said(302, b"", login),
        "9001/": said(200, b"{}", "Content-Type: application/json"),
        **more,
    }


@pytest.fixture
def pair(parse, tmp_path):
    """A host behind a load balancer and an old server that do the same, rightly so, and without TLS."""
    host, _ = parse({"domain": DOMAIN, "edge": "slb", "platform": "wanxiao_test"})
    target = Target(host.sites[0], ("h1",), (FILE,), straight=True)
    return Pair(tmp_path, target, ROOT, *(_server("slb") for _ in range(2)))


@pytest.fixture
def by_tls(answering, tmp_path):
    """The same where TLS ends in nginx."""
    return Pair(tmp_path, answering("test-tls").target, ROOT, *(_server("tls") for _ in range(2)))


def _server(edge):
    tls = {443: True, 9001: True, 80: False} if edge == "tls" else {80: False, 9001: False}
    return LocalServer(right(DOMAIN, pages(), edge), LEAF, tls)


def instead(server, wrong):
    """Has the server answer what `wrong` gives for (target, host, tls), where that is anything."""
    rightly = server.handle
    server.handle = lambda *asked: rightly(*asked) if (got := wrong(*asked)) is None else got


def at(path, answer):
    """For `instead`: the answer for a path."""
    return lambda target, host, tls: answer if target.partition("?")[0] == path else None


@pytest.mark.parametrize(("kind", "questions"), [("pair", 11), ("by_tls", 14)])
def test_two_that_do_the_same_are_alike(request, kind, questions):
    pair = request.getfixturevalue(kind)
    compared = pair.compare()
    assert compared.differences == ()
    assert compared.alike
    assert compared.asked == questions
    assert all(line.startswith("GET ") for line in pair.old.asked)
    assert sorted(pair.old.asked) == sorted(pair.gateway.asked)


def test_what_changes_each_time_is_no_difference(pair):
    numbers = itertools.count()

    def page():
        number = next(numbers)
        body = f"<html>nonce {number}, at 12:00:{number:02}".encode()
        more = [f"Set-Cookie: SESSION=value{number}; Path=/bserver/", f"X-Request-Id: {number}", f"Server: {number}"]
        return said(200, body, HTML, *more)

    def login():
        return said(302, b"", f"Location: https://{DOMAIN}/bserver/in;jsessionid={next(numbers)}?state={next(numbers)}")

    for server in (pair.gateway, pair.old):
        instead(server, lambda target, host, tls: page() if target == "/bserver/" else None)
        instead(server, lambda target, host, tls: login() if target.startswith(APP) else None)
    assert pair.told() == {}


def test_one_hiccup_is_no_difference(pair):
    seen = []

    def once(target, host, tls):
        if target == "/bserver/" and not seen:
            seen.append(target)
            return said(502)
        return None

    instead(pair.old, once)
    assert pair.told() == {}
    assert seen


def test_a_status_that_changes_each_time_is_told(pair):
    statuses = itertools.cycle([500, 503])
    instead(pair.old, lambda target, *_: said(next(statuses)) if target == "/bserver/" else None)
    assert ("route", "answer") in pair.told()


ROUTE = "/bserver/"
OLD_FAULTS = [
    (f"http://{DOMAIN}/bserver/x", "plain http"),
    (f"https://{DOMAIN}:8443/bserver/x", "compares the port"),
    (f"https://{DOMAIN}/bserver//x", "double slash"),
    (f"https://{UPSTREAM}/b-server/x", "the platform's own name"),
    ("https://evil.example/x?code=secret", "away from"),
]


@pytest.mark.parametrize(("location", "reason"), OLD_FAULTS)
def test_a_redirect_that_breaks_a_rule_is_wrong_on_either_side(pair, location, reason):
    good = said(302, b"", f"Location: https://{DOMAIN}/bserver/x")
    for server in (pair.gateway, pair.old):
        instead(server, at(ROUTE, good))
    instead(pair.old, at(ROUTE, said(302, b"", f"Location: {location}")))
    (told,) = pair.compare().differences
    assert (told.check, told.trait, told.right) == ("route", "Location", "gateway")
    assert reason in told.reason
    assert "secret" not in str(told)
    pair.gateway.handle, pair.old.handle = pair.old.handle, pair.gateway.handle
    assert pair.told()["route", "Location"][0] == "old"


def test_what_a_server_says_steers_no_terminal(pair):
    odd = f"Location: https://{DOMAIN}/\x1b[31m" + "x" * 5000
    instead(pair.old, at(ROUTE, said(302, b"", odd, "Set-Cookie: \x1b[2J=1; Path=/bserver/")))
    instead(pair.gateway, at(ROUTE, said(302, b"", "Location: /bserver/in")))
    told = pair.compare().differences
    assert {one.trait for one in told} == {"Location", "cookie ?[2J"}
    assert all(text.isprintable() and len(text) < 1000 for one in told for text in (one.trait, one.old, one.reason))


def test_a_page_is_right_beside_a_wrong_redirect_and_an_error_is_to_be_looked_at(pair):
    wrong = said(302, b"", f"Location: http://{DOMAIN}/bserver/x")
    instead(pair.old, at(ROUTE, wrong))
    assert pair.told()["route", "answer"] == (
        "gateway",
        f"the old server: redirects to http://{DOMAIN}/bserver/x, plain http: a phone would leave TLS",
    )
    instead(pair.old, at(ROUTE, said(302, b"", f"Location: https://{DOMAIN}/bserver/x")))
    assert pair.told()["route", "answer"][0] == "open"
    # nginx's own, where the gateway has nothing
    instead(pair.old, at(ROUTE, pages()[ROUTE]))
    instead(pair.old, at(ROUTE[:-1], wrong))
    who, why = pair.told()["redirect", "answer"]
    assert who == "open"
    assert "plain http" in why


def test_a_relative_redirect_is_like_the_whole_url(pair):
    instead(pair.gateway, at(ROUTE, said(302, b"", "Location: /bserver/x?a=1")))
    instead(pair.old, at(ROUTE, said(302, b"", f"Location: https://{DOMAIN}/bserver/x?a=2")))
    assert pair.told() == {}


def test_two_wrong_redirects_are_not_half_right(pair):
    instead(pair.gateway, at(ROUTE, said(302, b"", f"Location: http://{DOMAIN}/x")))
    instead(pair.old, at(ROUTE, said(302, b"", f"Location: https://{UPSTREAM}/x")))
    assert pair.told()["route", "Location"][0] == "neither"


@pytest.mark.parametrize(
    ("cookie", "verdict", "reason"),
    [
        (f"SESSION=1; Domain={UPSTREAM}; Path=/bserver/; HttpOnly", "gateway", "browsers drop it"),
        ("SESSION=1; Path=/b-server/; HttpOnly", "gateway", "browsers never send it back"),
        ("SESSION=1; Path=/bserver/", "open", "login"),
        ("SESSION=1; Domain=school.edu.cn; Path=/bserver/; HttpOnly", "open", "login"),
    ],
)
def test_a_cookie_that_gets_lost_is_wrong(pair, cookie, verdict, reason):
    instead(pair.old, at(ROUTE, said(200, b"<html>card", HTML, f"Set-Cookie: {cookie}")))
    told = pair.told()
    assert list(told) == [("route", "cookie SESSION")]
    assert told["route", "cookie SESSION"][0] == verdict
    assert reason in told["route", "cookie SESSION"][1]


FILE_FAULTS = [
    (said(301, b"", f"Location: https://{DOMAIN}/{FILE.name}"), "answer", "redirect"),
    (said(404), "answer", "404, not 200"),
    (said(200, FILE.body + b"\n"), "content", "other bytes"),
]


@pytest.mark.parametrize(("answer", "trait", "reason"), FILE_FAULTS)
def test_a_wrong_verification_file_is_wrong(pair, answer, trait, reason):
    instead(pair.old, at(f"/{FILE.name}", answer))
    who, why = pair.told()["verification file", trait]
    assert who == "gateway"
    assert reason in why


def test_two_wrong_verification_files_that_differ_are_told(pair):
    instead(pair.gateway, at(f"/{FILE.name}", said(200, b"this")))
    instead(pair.old, at(f"/{FILE.name}", said(200, b"that")))
    assert pair.told()["verification file", "content"][0] == "neither"


def test_a_verification_file_is_asked_for_by_plain_http_too(by_tls):
    instead(by_tls.old, lambda target, host, tls: said(404) if target == f"/{FILE.name}" and not tls else None)
    (told,) = by_tls.compare().differences
    assert (told.subject, told.right) == (f"http://{DOMAIN}/{FILE.name}", "gateway")


def test_a_verification_file_that_the_gateway_has_not_is_the_old_servers_point(pair):
    instead(pair.gateway, at(f"/{FILE.name}", said(404)))
    assert pair.told()["verification file", "answer"][0] == "old"


def test_a_server_that_makes_verification_files_up_is_wrong(pair):
    def echo(target, host, tls):
        name = target.removeprefix("/WW_verify_").removesuffix(".txt")
        return said(200, name.encode()) if target.startswith("/WW_verify_") else None

    instead(pair.old, echo)
    who, why = pair.told()["verification file", "answer"]
    assert who == "gateway"
    assert "anybody can verify" in why


@pytest.mark.parametrize("kind", ["pair", "by_tls"])
def test_a_foreign_name_that_is_served_is_wrong(request, kind):
    pair = request.getfixturevalue(kind)
    pair.old.closed_names = False
    instead(pair.old, lambda target, host, tls: said(200, b"hello") if host.endswith(".invalid") else None)
    who, why = pair.told()["other names", "answer"]
    assert who == "gateway"
    assert "a name that nobody entered" in why


def test_a_foreign_name_is_refused_in_more_ways_than_one(pair):
    pair.old.closed_names = False
    instead(pair.old, lambda target, host, tls: said(404) if host.endswith(".invalid") else None)
    assert pair.told() == {}


def test_a_prefix_that_is_run_on_is_wrong_and_another_page_is_the_operators_to_say(pair):
    instead(pair.old, at("/bserver-wecom-gateway-check", said(200)))
    instead(pair.old, lambda target, host, tls: said(200) if (target, host) == ("/", DOMAIN) else None)
    told = {one.subject: one.right for one in pair.compare().differences}
    assert told == {
        f"http://{DOMAIN}/bserver-wecom-gateway-check": "gateway",
        f"http://{DOMAIN}/": "open",
    }


def test_where_an_inner_network_lies_behind_any_page_beside_is_wrong(answering, tmp_path):
    target = answering("itsm-tls").target
    found = {route.path: said(200, b"x", HTML) for route in target.site.routes}
    pair = Pair(tmp_path, target, ROOT, *(LocalServer(right(DOMAIN, found), LEAF) for _ in range(2)))
    assert pair.told() == {}
    instead(pair.old, lambda target, host, tls: said(200) if target == "/" and host == DOMAIN and tls else None)
    ((check, _), (who, why)) = next(iter(pair.told().items()))
    assert (check, who) == ("allow-list", "gateway")
    assert "more is published" in why


def test_plain_http_that_loses_the_query_is_wrong(by_tls):
    instead(by_tls.old, at("/wecom-gateway-check", said(301, b"", f"Location: https://{DOMAIN}/wecom-gateway-check")))
    assert by_tls.told()["redirect", "Location"][0] == "gateway"


def test_what_no_rule_judges_is_to_be_looked_at(pair):
    hsts = "Strict-Transport-Security: max-age=300"
    instead(pair.old, at(ROUTE, said(200, b"<html>other", "Content-Type: text/plain", hsts)))
    told = pair.told()
    assert {trait: who for (_, trait), (who, _) in told.items()} == {
        "cookie SESSION": "open",
        "HSTS": "open",
        "content type": "open",
        "content": "open",
    }
    assert "hsts" in told["route", "HSTS"][1]


def test_a_difference_on_many_pages_is_told_once(pair):
    for path in (ROUTE, APP, "/"):
        found = pages().get(path) or pages()["9001/"]
        with_hsts = found.replace(b"Date: now", b"Date: now\r\nStrict-Transport-Security: max-age=300")
        instead(
            pair.old,
            lambda target, host, tls, path=path, answer=with_hsts: (
                answer if target.partition("?")[0] == path and (path != "/" or ":" in host) else None
            ),
        )
    (told,) = pair.compare().differences
    assert (told.trait, len(told.others)) == ("HSTS", 2)


def test_obsolete_tls_is_wrong_on_either_side(by_tls):
    by_tls.old.oldest = ssl.TLSVersion.TLSv1
    who, why = by_tls.told()["TLS", "obsolete versions"]
    assert who == "gateway"
    assert "obsolete" in why
    by_tls.old.oldest, by_tls.gateway.oldest = by_tls.gateway.oldest, by_tls.old.oldest
    assert by_tls.told()["TLS", "obsolete versions"][0] == "old"


def test_a_server_without_tls_1_2_is_wrong(by_tls):
    by_tls.old.oldest = ssl.TLSVersion.TLSv1_3
    assert by_tls.told()["TLS", "versions"][0] == "gateway"


@pytest.mark.parametrize(
    ("leaf", "verdict"),
    [
        (issue(DOMAIN, ROOT, end=timedelta(days=300)), "neutral"),
        (issue(DOMAIN, ROOT, end=timedelta(days=9)), "gateway"),
        (issue(DOMAIN, ROOT, end=timedelta(hours=-1)), "gateway"),
        (issue(DOMAIN), "gateway"),
    ],
)
def test_certificates_are_compared_by_what_phones_make_of_them(by_tls, leaf, verdict):
    by_tls.old.certificate = leaf
    compared = by_tls.compare()
    (told,) = compared.differences
    assert (told.check, told.trait, told.right) == ("TLS", "certificate", verdict)
    assert told.others == (f"https://{DOMAIN}:9001",)
    assert compared.alike == (verdict == "neutral")
    by_tls.old.certificate, by_tls.gateway.certificate = by_tls.gateway.certificate, by_tls.old.certificate
    (told,) = by_tls.compare().differences
    assert told.right == {"gateway": "old"}.get(verdict, verdict)


def test_a_server_that_is_not_there_is_one_sentence(pair):
    pair.old.tls = {}
    (told,) = pair.compare().differences
    assert (told.right, told.gateway) == ("unasked", "answers")
    assert "connection refused" in told.old
    assert "is that its address" in told.reason
    pair.gateway.tls, pair.old.tls = {}, pair.gateway.tls
    assert [one.right for one in pair.compare().differences] == ["old"]


def test_where_neither_answers_it_is_one_sentence(pair):
    pair.old.tls = pair.gateway.tls = {}
    compared = pair.compare()
    (told,) = compared.differences
    assert told.right == "unasked"
    assert "neither can be asked" in told.reason
    assert not compared.alike


def test_plain_http_where_tls_is_expected_is_said(by_tls):
    by_tls.old.tls = {443: False, 9001: False, 80: False}
    told = by_tls.compare().differences
    assert [one.old for one in told] == [
        "speaks plain http on 443, where TLS is expected",
        "speaks plain http on 9001, where TLS is expected",
    ]
    assert all(one.right == "unasked" for one in told)


def test_tls_where_plain_http_is_expected_is_said(by_tls):
    by_tls.old.tls = {443: True, 9001: True, 80: True}
    (told,) = by_tls.compare().differences
    assert told.old == "speaks TLS on 80, where plain http is expected"


def test_an_old_server_on_other_ports_is_asked_there_by_the_public_name(by_tls):
    by_tls.old.tls = {8443: True, 9443: True, 8080: False}
    compared = by_tls.compare({443: 8443, 9001: 9443, 80: 8080})
    assert compared.alike, compared.differences
    assert compared.old == "203.0.113.5,443=8443,9001=9443,80=8080"


def test_on_one_host_a_port_that_is_not_said_to_differ_is_not_compared_with_itself(by_tls):
    by_tls.gateway.tls |= {8443: True, 9443: True}
    (told,) = by_tls.compare({443: 8443, 9001: 9443}, old=GATEWAY).differences
    assert (told.subject, told.right) == (f"http://{DOMAIN}", "unasked")
    assert "--compare ADDRESS,80=ITS" in told.reason


def test_the_questions_to_one_site_are_bounded(pair, monkeypatch):
    monkeypatch.setattr(compare, "_MOST", 3)
    compared = pair.compare()
    assert compared.asked == 3
    assert [one.right for one in compared.differences] == ["unasked"]
    monkeypatch.setattr(compare, "_LONGEST", -1)
    assert pair.compare().asked == 0
