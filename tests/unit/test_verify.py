"""What `verify` makes of a site's answers: a right site passes, and each way to be wrong is named with a next step."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from gateway.checkout.verify_files import VerifyFile
from gateway.outside import checks
from gateway.outside.places import Target
from gateway.outside.probe import Answer, Tls, Unanswered
from gateway.outside.visit import Visit

BK = {"upstream": "https://paas.inner.example", "apps": ["itsm"], "envs": ["o"]}
SITES = {
    "card-slb": {"domain": "wx.school.edu.cn", "edge": "slb", "platform": "wanxiao_prod"},
    "test-tls": {"domain": "wx.school.edu.cn", "edge": "tls", "platform": "wanxiao_test"},
    "itsm-slb": {"domain": "wx.school.edu.cn", "edge": "slb", "platform": "bkitsm", "bk": BK},
    "itsm-tls": {"domain": "wx.school.edu.cn", "edge": "tls", "platform": "bkitsm", "bk": BK},
}
FILE = VerifyFile("WW_verify_54wuPnLpuTWkAF0Z.txt", b"54wuPnLpuTWkAF0Z")
DAY = 86400


def answer(status=200, body=b"", seconds=0.1, **headers) -> Answer:
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body, seconds)


def own_page(status: int) -> Answer:
    return answer(status, json.dumps({"status": status, "message_zh": "x", "request_id": "x"}).encode())


@dataclass
class World:
    """A site that answers as it must; `wrong` is asked before, and may answer or raise instead."""

    target: Target
    days: float = 60.5
    wrong: Callable | None = None
    unopened: dict[int, Unanswered] = field(default_factory=dict)
    asked: list = field(default_factory=list)

    def greet(self, door, domain):
        if door.port in self.unopened:
            raise self.unopened[door.port]
        return Tls("TLSv1.3", time.time() + self.days * DAY) if door.tls else None

    def ask(self, door, domain, target, *, host=None, accept="*/*", version="1.1", believe=True):
        self.asked.append((door, domain, target, host))
        if self.wrong and (said := self.wrong(door=door, domain=domain, target=target, host=host)):
            return said
        site = self.target.site
        if target == "/healthz":
            return answer(200, b"ok\n")
        if host or domain != site.domain:
            raise Unanswered("closed", "closed")
        local = {443: site.entry_port}.get(door.port, door.port)
        if target == f"/{FILE.name}" and door.port != 9001:
            return answer(200, FILE.body)
        if door.port == 80 and not self.target.straight:
            return answer(301, location=f"https://{domain}{target}")
        for route in site.routes:
            if route.port == local and target.startswith(route.path):
                url = f"https://{route.upstream.authority}{route.upstream_path}{target.removeprefix(route.path)}"
                return answer(x_lab_arrived=url)
        return own_page(404)

    def findings(self):
        return list(checks.findings(Visit(self.target, "203.0.113.10", self)))

    def failed(self):
        return [(one.check, one.reason, one.remedy) for one in self.findings() if one.outcome == "failed"]


@pytest.fixture(params=sorted(SITES))
def world(request, parse, store_pair):
    return _world(request.param, parse, store_pair)


@pytest.fixture
def make(parse, store_pair):
    return lambda kind: _world(kind, parse, store_pair)


def _world(kind, parse, store_pair, straight=False):
    entry = SITES[kind]
    if entry["edge"] == "tls":
        store_pair(entry["domain"])
    host, problems = parse(entry)
    assert not problems
    return World(Target(host.sites[0], ("h1",), (FILE,), straight=straight))


def test_a_right_site_passes(world):
    found = world.findings()
    assert {one.outcome for one in found} == {"passed"}, found
    checks = {one.check for one in found}
    assert {"certificate", "verification file", "route", "other names"} <= checks
    assert "redirect" in checks
    assert ("allow-list" in checks) == (world.target.site.platform != "wanxiao_prod")


def test_every_route_on_its_public_port_is_asked(make):
    world = make("card-slb")
    world.findings()
    asked = {(door.port, door.tls, target) for door, _, target, host in world.asked if not host}
    assert {(443, True, "/"), (9001, True, "/"), (443, True, f"/{FILE.name}")} <= asked


def test_nothing_that_could_be_secret_is_sent(world):
    world.findings()
    for _, _, target, _ in world.asked:
        assert not {"code", "state", "token"} & set(target.replace("=", "&").replace("?", "&").split("&"))


def _on(predicate, said):
    return lambda **asked: said if predicate(**asked) else None


FILE_FAULTS = [
    (answer(200, b"\xef\xbb\xbf" + FILE.body), "other bytes than in the checkout (19 bytes came, 16"),
    (answer(301, location="https://wx.school.edu.cn/"), "301, a redirect"),
    (own_page(404), "the answer is 404"),
    (answer(200, FILE.body, seconds=1.4), "came after 1.4 s"),
]


@pytest.mark.parametrize(("said", "reason"), FILE_FAULTS)
@pytest.mark.parametrize("port", [443, 80])
def test_a_wrong_verification_file_is_named(make, said, reason, port):
    world = make("test-tls")
    world.wrong = _on(lambda door, target, **_: door.port == port and target.endswith(".txt"), said)
    ((check, told, remedy),) = world.failed()
    assert check == "verification file"
    assert reason in told
    assert remedy


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_load_balancer_has_no_listener_for_plain_http_or_one_that_redirects(make, status):
    world = make("card-slb")
    world.unopened = {80: Unanswered("refused", "x")}
    assert {one.outcome for one in world.findings()} == {"passed"}
    world.unopened = {}

    def redirected(door, domain, target, **_):
        return answer(status, location=f"https://{domain}{target}") if door.port == 80 else None

    world.wrong = redirected
    assert {one.outcome for one in world.findings()} == {"passed"}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (answer(200, b"x"), "the answer is 200, not a 301 to https"),
        (answer(x_lab_arrived="https://hub.17wanxiao.com/x"), "the answer is 200, not a 301 to https"),
        (answer(301, location="https://wx.school.edu.cn/"), "another URL than https://wx.school.edu.cn/..."),
        (answer(302, location="http://wx.school.edu.cn/x"), "plain http"),
    ],
)
def test_a_login_in_the_clear_behind_a_load_balancer_is_a_failure(make, said, reason):
    world = make("card-slb")
    world.wrong = _on(lambda door, **_: door.port == 80, said)
    ((check, told, remedy),) = world.failed()
    assert check == "redirect"
    assert reason in told
    assert "slb_cidrs" in remedy or "https" in remedy


ROUTE_FAULTS = [
    (own_page(502), "the gateway itself answers 502", "does not answer the gateway"),
    (own_page(404), "the gateway itself answers 404", "deploy"),
    (answer(x_lab_arrived="https://hub.17wanxiao.com//x?code=1"), "arrived at https://hub.17wanxiao.com//x,", "deploy"),
    (answer(502, b"<html>"), "502, not from the gateway", "reaches no host"),
    (answer(302, location="https://evil.example/?code=secret"), "away from wx.school.edu.cn", "find out who"),
    (answer(302, location="http://wx.school.edu.cn/a"), "plain http", "https"),
    (answer(302, location="https://wx.school.edu.cn:80/a"), "compares the port", "port"),
    (answer(302, location="https://hub.17wanxiao.com/a"), "the platform's own name", "route"),
]


@pytest.mark.parametrize(("said", "reason", "remedy"), ROUTE_FAULTS)
def test_a_wrong_route_is_named(make, said, reason, remedy):
    world = make("card-slb")
    world.wrong = _on(lambda door, target, host, **_: door.port == 443 and target == "/" and not host, said)
    ((check, told, next_step),) = world.failed()
    assert check == "route"
    assert reason in told
    assert remedy in next_step
    assert "secret" not in told + next_step
    assert "code" not in told


@pytest.mark.parametrize("status", [200, 302, 401, 404, 500])
def test_where_the_platform_tells_nothing_any_answer_of_its_own_counts(make, status):
    world = make("card-slb")
    said = answer(status, b"{}", location="/login")
    world.wrong = _on(lambda door, target, host, **_: target == "/" and not host, said)
    assert world.failed() == []


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
def test_a_port_that_cannot_be_used_is_told_once(make, why, check, remedy):
    world = make("card-slb")
    world.unopened = {9001: why}
    ((told, reason, next_step),) = world.failed()
    assert (told, reason) == (check, str(why))
    assert remedy in next_step
    assert not [door for door, *_ in world.asked if door.port == 9001]


def test_a_stopped_nginx_without_a_load_balancer_fails_on_every_port(make):
    world = make("test-tls")
    world.unopened = {port: Unanswered("refused", "refused") for port in (80, 443, 9001)}
    failed = world.failed()
    assert [check for check, *_ in failed] == ["port"] * 3
    assert all("whether nginx runs" in remedy for *_, remedy in failed)


@pytest.fixture(params=["card-slb", "itsm-slb"])
def balanced(request, make):
    """A site behind a load balancer, on two ports; BlueKing's stands for those with an allow-list."""
    return make(request.param)


SILENT = Unanswered("slow", "no whole answer within 10 s")
CLOSED = Unanswered("closed", "the connection was closed without an answer")


def _said(said, ports=(80, 443, 9001)):
    """The same to everything on these ports."""

    def wrong(door, **_):
        if door.port not in ports:
            return None
        if isinstance(said, Unanswered):
            raise said
        return said

    return wrong


@pytest.mark.parametrize("said", [*(answer(status, b"<html>") for status in (502, 503, 504)), CLOSED])
def test_a_load_balancer_that_reaches_no_host_is_one_finding(balanced, said):
    """A request of each kind fails in its own way, and none of it is a fault of the site."""
    balanced.wrong = _said(said)
    ((check, reason, remedy),) = balanced.failed()
    assert check == "hosts"
    assert reason.startswith("the load balancer reaches no host: ")
    assert "systemctl status nginx" in remedy
    assert not [one for one in balanced.findings() if one.outcome == "warning"]


def test_one_that_waits_for_its_hosts_is_not_waited_for_again_and_again(balanced):
    balanced.wrong = _said(SILENT, (80, 443))
    checks = [check for check, *_ in balanced.failed()]
    assert checks == ["hosts"]
    assert len([door for door, *_ in balanced.asked if door.port == 443]) == 2


def test_a_listener_that_alone_reaches_no_host_is_one_finding_for_its_port(make):
    world = make("card-slb")
    world.wrong = _said(answer(502, b"<html>"), (9001,))
    ((check, reason, remedy),) = world.failed()
    assert check == "hosts"
    assert reason == "the load balancer reaches no host by this port: it answers 502"
    assert "9001" in remedy
    # a name that it has no rule for is not asked of the hosts
    world.wrong = lambda door, host, **_: answer(400 if host else 502, b"<html>") if door.port == 9001 else None
    assert [check for check, *_ in world.failed()] == ["hosts"]
    world.wrong = _said(answer(502, b"<html>"), (80, 443))
    assert [check for check, *_ in world.failed()] == ["hosts"]


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_platform_that_is_down_is_no_load_balancer_that_reaches_nobody(make, status):
    world = make("card-slb")
    world.wrong = _on(lambda target, host, **_: target == "/" and not host, own_page(status))
    assert {(check, reason) for check, reason, _ in world.failed()} == {
        ("route", f"the gateway itself answers {status}")
    }


def test_nor_is_a_platform_whose_own_front_says_so(make):
    """What the load balancer says of a name that the hosts do not answer to is another page."""
    world = make("card-slb")
    pages = {False: answer(502, b"the platform's"), True: answer(502, b"the load balancer's")}
    world.wrong = lambda target, host, **_: pages[host is not None] if target == "/" else None
    assert [check for check, *_ in world.failed()] == ["route", "route"]


def test_a_moment_without_a_host_is_no_finding(make):
    world = make("card-slb")
    seen = []

    def once(door, target, **_):
        if (door.port, target) not in seen:
            seen.append((door.port, target))
            return answer(502, b"<html>")
        return None

    world.wrong = once
    assert [check for check, *_ in world.failed() if check == "hosts"] == []


@pytest.mark.parametrize("kind", ["itsm-tls", "itsm-slb"])
def test_an_error_on_the_way_is_not_more_than_the_allow_list(make, kind):
    world = make(kind)
    world.wrong = _on(lambda target, host, **_: target == "/" and not host, answer(502, b"<html>"))
    ((_, reason, _),) = [one for one in world.failed() if one[0] == "allow-list"]
    assert "more is published" not in reason
    world.wrong = _on(lambda target, host, **_: target == "/" and not host, own_page(502))
    assert any("more is published" in reason for _, reason, _ in world.failed())


@pytest.mark.parametrize(("days", "outcome"), [(21.5, "passed"), (20.9, "warning")])
def test_a_certificate_that_expires_soon_is_a_warning(make, days, outcome):
    world = make("card-slb")
    world.days = days
    found = [one for one in world.findings() if one.check == "certificate"]
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
def test_a_redirect_to_https_that_loses_something_is_a_failure(make, said):
    world = make("test-tls")
    world.wrong = _on(lambda door, target, host, **_: door.port == 80 and "check" in target, said)
    ((check, reason, remedy),) = world.failed()
    assert check == "redirect"
    assert reason
    assert remedy


def test_more_than_the_allow_list_is_a_failure(make):
    world = make("itsm-tls")
    mine = "wx.school.edu.cn"
    world.wrong = _on(
        lambda door, target, domain, host: (door.port, target, domain, host) == (443, "/", mine, None), answer(200)
    )
    assert [check for check, *_ in world.failed()] == ["allow-list"]


@pytest.mark.parametrize("kind", sorted(SITES))
def test_a_name_that_nobody_has_must_not_be_served(make, kind):
    world = make(kind)
    unknown = "wecom-gateway-check.invalid"
    world.wrong = _on(lambda domain, host, **_: unknown in (domain, host), answer(200, b"catch-all"))
    assert {check for check, *_ in world.failed()} == {"other names"}
    # what a load balancer says itself is no service
    world.wrong = _on(lambda domain, host, **_: unknown in (domain, host), answer(404))
    assert world.failed() == []


def test_a_hiccup_is_asked_again(make):
    world = make("card-slb")
    seen = []

    def once(**asked):
        if asked["target"] == "/" and not asked["host"] and not seen:
            seen.append(asked)
            raise Unanswered("closed", "closed")

    world.wrong = once
    assert world.failed() == []
    assert seen


def test_straight_to_a_host_behind_a_load_balancer_plain_http_is_asked(parse, store_pair):
    """Before DNS or the load balancer is set up; what could not be seen is said."""
    world = _world("card-slb", parse, store_pair, straight=True)
    found = world.findings()
    assert {(door.port, door.tls) for door, *_ in world.asked} == {(80, False), (9001, False)}
    assert [one.check for one in found if one.outcome == "skipped"] == ["certificate"]
    assert {one.outcome for one in found} == {"passed", "skipped"}
    assert "health check" in {one.check for one in found}


def test_straight_to_a_host_the_next_step_is_at_the_host(parse, store_pair):
    """Whoever asks past the load balancer is not sent to look at it."""
    world = _world("card-slb", parse, store_pair, straight=True)
    world.unopened = {
        80: Unanswered("refused", "nothing listens there"),
        9001: Unanswered("unreachable", "no connection"),
    }
    remedies = [remedy for check, _, remedy in world.failed() if check == "port"]
    assert "systemctl status nginx on the host" in remedies[0]
    assert "security group of the host" in remedies[1]


def test_the_gateways_own_pages_are_told_from_a_platforms():
    assert own_page(502).is_gateways_own
    for body in (b"", b"<html>", b"[]", b'"request_id"', b'{"request_id": 1}', b"\xff\xfe"):
        assert not answer(502, body).is_gateways_own
