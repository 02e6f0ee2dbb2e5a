"""What `verify` makes of a site's answers: a right site passes, and each way to be wrong is named with a next step."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest

from gateway.checkout import own_directives
from gateway.outside import visit
from gateway.outside.probe import Unanswered

from .answering import FILE, SITES, answer, on, own_page


@pytest.fixture(params=sorted(SITES))
def site(request, answering):
    return answering(request.param)


def test_a_right_site_passes(site):
    found = site.findings()
    assert {one.outcome for one in found} == {"passed"}, found
    checks = {one.check for one in found}
    assert {"certificate", "verification file", "route", "other names"} <= checks
    assert "redirect" in checks
    assert ("allow-list" in checks) == (site.target.site.platform != "wanxiao_prod")


def test_every_route_on_its_public_port_is_asked(answering):
    site = answering("card-slb")
    site.findings()
    asked = {(door.port, door.tls, target) for door, _, target, host in site.asked if not host}
    assert {(443, True, "/"), (9001, True, "/"), (443, True, f"/{FILE.name}")} <= asked


def test_nothing_that_could_be_secret_is_sent(site):
    site.findings()
    for _, _, target, _ in site.asked:
        assert not {"code", "state", "token"} & set(target.replace("=", "&").replace("?", "&").split("&"))


FILE_FAULTS = [
    (answer(200, b"\xef\xbb\xbf" + FILE.body), "other bytes than in the checkout (19 bytes came, 16"),
    (answer(301, location="https://wx.school.edu.cn/"), "301, a redirect"),
    (own_page(404), "the answer is 404"),
    (answer(200, FILE.body, seconds=1.4), "came after 1.4 s"),
]


@pytest.mark.parametrize(("said", "reason"), FILE_FAULTS)
@pytest.mark.parametrize("port", [443, 80])
def test_a_wrong_verification_file_is_named(answering, said, reason, port):
    site = answering("test-tls")
    site.wrong = on(lambda door, target, **_: door.port == port and target.endswith(".txt"), said)
    ((check, told, remedy),) = site.failed()
    assert check == "verification file"
    assert reason in told
    assert remedy


ROUTE_FAULTS = [
    (own_page(502), "the gateway itself answers 502", "the gateway gets no answer from hub.17wanxiao.com"),
    (own_page(404), "the gateway itself answers 404", "deploy"),
    (answer(x_lab_arrived="https://hub.17wanxiao.com//x?code=1"), "arrived at https://hub.17wanxiao.com//x,", "deploy"),
    (answer(502, b"<html>"), "502, not from the gateway", "reaches no host"),
    (answer(103, link="</x.css>; rel=preload"), "103 Early Hints", "nginx 1.29"),
    (answer(302, location="https://evil.example/?code=secret"), "away from wx.school.edu.cn", "find out who"),
    (answer(302, location="http://wx.school.edu.cn/a"), "plain http", "https"),
    (answer(302, location="https://wx.school.edu.cn:80/a"), "compares the port", "port"),
    (answer(302, location="https://hub.17wanxiao.com/a"), "the platform's own name", "route"),
]


@pytest.mark.parametrize(("said", "reason", "remedy"), ROUTE_FAULTS)
def test_a_wrong_route_is_named(answering, said, reason, remedy):
    site = answering("card-slb")
    site.wrong = on(lambda door, target, host, **_: door.port == 443 and target == "/" and not host, said)
    ((check, told, next_step),) = site.failed()
    assert check == "route"
    assert reason in told
    assert remedy in next_step
    assert "secret" not in told + next_step
    assert "code" not in told


@pytest.mark.parametrize("status", [200, 302, 401, 404, 500])
def test_where_the_platform_tells_nothing_any_answer_of_its_own_counts(answering, status):
    site = answering("card-slb")
    said = answer(status, b"{}", location="/login")
    site.wrong = on(lambda door, target, host, **_: target == "/" and not host, said)
    assert site.failed() == []


PORT_FAULTS = [
    (Unanswered("refused", "refused"), "port", "give the load balancer a listener on 9001"),
    (Unanswered("unreachable", "no connection"), "port", "open port 9001"),
    (Unanswered("handshake", "failed"), "TLS", "its listener on 9001 speaks https"),
    (Unanswered("outdated", "old TLS"), "TLS", "allow TLS 1.2 and 1.3 on the load balancer's listener on 9001"),
    (Unanswered("certificate", "certificate has expired", 10), "certificate", "renew it"),
    (Unanswered("certificate", "Hostname mismatch", 62), "certificate", "another site's certificate"),
    (Unanswered("certificate", "unable to get local issuer certificate", 20), "certificate", "intermediate"),
]


@pytest.mark.parametrize(("why", "check", "remedy"), PORT_FAULTS)
def test_a_port_that_cannot_be_used_is_told_once(answering, why, check, remedy):
    site = answering("card-slb")
    site.unopened = {9001: why}
    ((told, reason, next_step),) = site.failed()
    assert (told, reason) == (check, str(why))
    assert remedy in next_step
    assert not [door for door, *_ in site.asked if door.port == 9001]


def test_a_stopped_nginx_without_a_load_balancer_fails_on_every_port(answering):
    site = answering("test-tls")
    site.unopened = {port: Unanswered("refused", "refused") for port in (80, 443, 9001)}
    failed = site.failed()
    assert [check for check, *_ in failed] == ["port"] * 3
    assert all("whether nginx runs" in remedy for *_, remedy in failed)


@pytest.mark.parametrize("kind", ["itsm-tls", "itsm-slb"])
def test_an_error_on_the_way_is_not_more_than_the_allow_list(answering, kind):
    site = answering(kind)
    site.wrong = on(lambda target, host, **_: target == "/" and not host, answer(502, b"<html>"))
    ((_, reason, _),) = [one for one in site.failed() if one[0] == "allow-list"]
    assert "more is published" not in reason
    site.wrong = on(lambda target, host, **_: target == "/" and not host, own_page(502))
    assert any("more is published" in reason for _, reason, _ in site.failed())


@pytest.mark.parametrize(("days", "outcome"), [(21.5, "passed"), (20.9, "warning")])
def test_a_certificate_that_expires_soon_is_a_warning(answering, days, outcome):
    site = answering("card-slb")
    site.days = days
    found = [one for one in site.findings() if one.check == "certificate"]
    assert {(one.outcome, one.days) for one in found} == {(outcome, int(days))}
    if outcome == "warning":
        assert "load balancer's listeners" in found[0].remedy


@pytest.mark.parametrize(
    "said",
    [
        answer(302, location="https://wx.school.edu.cn/wecom-gateway-check?a=%2F&b=1"),
        answer(301, location="http://wx.school.edu.cn/wecom-gateway-check?a=%2F&b=1"),
        answer(301, location="https://wx.school.edu.cn:443/wecom-gateway-check?a=%2F&b=1"),
        answer(301, location="https://wx.school.edu.cn/wecom-gateway-check"),
        answer(301, location="https://evil.example/"),
        answer(301),
        answer(200, b"hello"),
    ],
)
def test_a_redirect_to_https_that_loses_something_is_a_failure(answering, said):
    site = answering("test-tls")
    site.wrong = on(lambda door, target, host, **_: door.port == 80 and "check" in target, said)
    ((check, reason, remedy),) = site.failed()
    assert check == "redirect"
    assert reason
    assert remedy


def test_more_than_the_allow_list_is_a_failure(answering):
    site = answering("itsm-tls")
    mine = "wx.school.edu.cn"
    site.wrong = on(
        lambda door, target, domain, host: (door.port, target, domain, host) == (443, "/", mine, None), answer(200)
    )
    assert [check for check, *_ in site.failed()] == ["allow-list"]


@pytest.mark.parametrize("kind", sorted(SITES))
def test_a_name_that_nobody_has_must_not_be_served(answering, kind):
    site = answering(kind)
    unknown = "wecom-gateway-check.invalid"
    site.wrong = on(lambda domain, host, **_: unknown in (domain, host), answer(200, b"catch-all"))
    assert {check for check, *_ in site.failed()} == {"other names"}
    # what a load balancer says itself is no service
    site.wrong = on(lambda domain, host, **_: unknown in (domain, host), answer(404))
    assert site.failed() == []


@pytest.mark.parametrize("port", [80, 443, 9001])
@pytest.mark.parametrize("kind", ["refused", "unreachable", "handshake"])
def test_a_port_that_cannot_be_used_once_is_tried_again(answering, kind, port):
    site = answering("test-tls")
    site.hiccups = {port: Unanswered(kind, "only this time")}
    assert site.failed() == []
    assert site.greeted.count(port) == 2


@pytest.mark.parametrize("kind", ["certificate", "outdated"])
def test_what_does_not_pass_by_itself_is_told_at_once(answering, kind):
    site = answering("test-tls")
    site.hiccups = {443: Unanswered(kind, "at once")}
    assert [reason for _, reason, _ in site.failed()] == ["at once"]


def test_a_host_that_is_off_is_waited_for_twice_only_at_its_first_port(answering):
    """Each attempt takes five seconds."""
    site = answering("test-tls")
    site.unopened = {port: Unanswered("unreachable", "no connection") for port in (80, 443, 9001)}
    assert len(site.failed()) == 3
    assert site.greeted == [443, 443, 9001, 80]


def test_a_load_balancer_without_plain_http_is_asked_for_it_once(answering):
    site = answering("card-slb")
    site.unopened = {80: Unanswered("refused", "refused")}
    assert site.failed() == []
    assert site.greeted.count(80) == 1


def test_a_hiccup_is_asked_again(answering):
    site = answering("card-slb")
    seen = []

    def once(**asked):
        if asked["target"] == "/" and not asked["host"] and not seen:
            seen.append(asked)
            raise Unanswered("closed", "closed")

    site.wrong = once
    assert site.failed() == []
    assert seen


def test_straight_to_a_host_the_next_step_is_at_the_host(answering):
    """Whoever asks past the load balancer is not sent to look at it."""
    site = answering("card-slb", straight=True)
    site.unopened = {
        80: Unanswered("refused", "nothing listens there"),
        9001: Unanswered("unreachable", "no connection"),
    }
    remedies = [remedy for check, _, remedy in site.failed() if check == "port"]
    assert "systemctl status nginx on the host" in remedies[0]
    assert "security group of the host" in remedies[1]


def test_the_gateways_own_pages_are_told_from_a_platforms():
    assert own_page(502).is_gateways_own
    for body in (b"", b"<html>", b"[]", b'"request_id"', b'{"request_id": 1}', b"\xff\xfe"):
        assert not answer(502, body).is_gateways_own


OWN = b"""
location = / { return 302 /bserver/bsacs/; }
location ^~ /wecom-gateway { return 204; }
location ~ ^/BSERVER- { return 204; }
location @named { return 204; }
"""


def _findings_of(site, check):
    return [one for one in site.findings() if one.check == check]


def test_what_directives_of_the_operators_own_answer_is_no_breach_of_the_allow_list(answering):
    site = answering("test-tls")
    site.wrong = on(lambda target, host, **_: target == "/" and not host, answer(302, location="/bserver/bsacs/"))
    assert [one.outcome for one in _findings_of(site, "allow-list")] == ["failed", "passed", "passed"]
    own = own_directives.parse("files/nginx/wx.school.edu.cn.conf", OWN)
    site.target = replace(site.target, directives=own)
    first, *others = _findings_of(site, "allow-list")
    assert (first.outcome, first.expected, first.reason) == (
        "skipped",
        True,
        "files/nginx/wx.school.edu.cn.conf may answer there, and the answer is 302",
    )
    assert [one.outcome for one in others] == ["passed", "passed"]
    # what they do not answer is as closed as ever
    site.wrong = on(lambda target, host, **_: "check" in target and not host, answer(200))
    other = own_directives.parse("files/nginx/wx.school.edu.cn.conf", b"location = /x { return 204; }\n")
    site.target = replace(site.target, directives=other)
    assert [one.outcome for one in _findings_of(site, "allow-list")] == ["passed", "failed", "failed"]


@pytest.mark.parametrize(
    ("kind", "here", "cidrs", "expected"),
    [
        ("card-slb", "192.0.2.1", ("10.0.0.0/24",), True),
        ("test-tls", "192.0.2.1", (), True),
        # those who may come would get a page
        ("test-tls", "198.51.100.7", (), False),
        # every visitor has the load balancer's address
        ("card-slb", "192.0.2.1", (), False),
        # no way there is known
        ("test-tls", None, (), False),
    ],
)
def test_that_a_site_is_closed_to_this_machine_is_expected_where_it_is_sure_to_be(
    answering, monkeypatch, kind, here, cidrs, expected
):
    monkeypatch.setattr(visit, "own_address", lambda _: here and ipaddress.ip_address(here))
    site = answering(kind)
    own = replace(site.target.site, allow=("198.51.100.0/24", "2001:db8::/32"), trusted_proxies=cidrs)
    site.target = replace(site.target, site=own)
    site.wrong = on(
        lambda target, host, **_: not host and FILE.name not in target and "healthz" not in target, own_page(403)
    )
    told = _findings_of(site, "route")
    assert {(one.outcome, one.expected) for one in told} == {("skipped", expected)}
    site.wrong = on(lambda target, host, **_: not host, own_page(502))
    assert {(one.outcome, one.expected) for one in _findings_of(site, "route")} == {("failed", False)}


@pytest.mark.parametrize(
    ("path", "may"),
    [
        ("/", True),
        ("/x", False),
        ("/wecom-gateway-check", True),
        ("/bserver-x", True),
        ("/named", False),
    ],
)
def test_which_paths_a_location_may_answer(path, may):
    assert own_directives.parse("x", OWN).may_answer(path, 200) == may


@pytest.mark.parametrize(
    ("text", "status", "may"),
    [
        (b"if ($x) { return 403; }\n", 403, True),
        # an upstream's page is none of theirs
        (b"if ($x) { return 403; }\n", 200, False),
        (b"deny 192.0.2.1;\nauth_basic x;\n", 200, False),
        (b"return https://other.school.edu.cn/;\n", 302, True),
        (b"rewrite ^/x /y permanent;\n", 301, True),
        (b"location ~ (?<!>a)( { return 404; }\n", 200, True),
        (b"gzip on;\n", 200, False),
    ],
)
def test_a_directive_of_the_whole_server_excuses_its_own_status(text, status, may):
    assert own_directives.parse("x", text).may_answer("/any", status) == may


@pytest.mark.parametrize("location", ["https://paas.inner.example/login/", "https://apps.elsewhere.example/login/"])
def test_who_is_sent_to_the_login_of_an_inner_platform_is_not_told_to_publish_it(answering, location):
    site = answering("itsm-tls")
    site.wrong = on(lambda target, host, **_: "weixin" in target and not host, answer(302, location=location))
    told = [one for one in site.findings() if one.check == "route" and one.outcome == "failed"]
    assert told
    for one in told:
        assert "have its own settings name the domain" in one.remedy
        assert "add one to the platform" not in one.remedy


def test_an_application_that_refuses_the_domain_is_worth_a_look(answering, parse, store_pair):
    rows = [{"port": "entry", "path": "/", "upstream": "https://app.inner.example/", "host": "domain"}]
    site = answering("test-tls")
    host, problems = parse({**SITES["test-tls"], "platform": "own"}, platforms={"own": {"routes": rows}})
    assert not problems
    site.target = replace(site.target, site=host.sites[0])
    refused = on(lambda target, host, **_: target == "/" and not host, answer(400))
    site.wrong = refused
    (told,) = _findings_of(site, "route")
    assert (told.outcome, told.reason) == (
        "warning",
        "the upstream itself answers 400, when asked for wx.school.edu.cn",
    )
    assert "ALLOWED_HOSTS" in told.remedy
    site = answering("card-slb")
    site.wrong = refused
    assert {one.outcome for one in _findings_of(site, "route")} == {"passed"}


def test_of_an_upstream_with_nodes_these_are_named(answering, parse):
    row = {"port": "entry", "path": "/", "upstream": "https://app.inner.example/", "nodes": ["10.0.0.8", "10.0.0.9"]}
    site = answering("card-slb")
    host, problems = parse({**SITES["card-slb"], "platform": "own"}, platforms={"own": {"routes": [row]}})
    assert not problems
    site.target = replace(site.target, site=host.sites[0])
    site.wrong = on(lambda target, host, **_: target == "/" and not host, own_page(502))
    (told,) = _findings_of(site, "route")
    assert "from 10.0.0.8:443, 10.0.0.9:443: on the host, tail " in told.remedy
    assert "upstreams/" not in told.remedy
