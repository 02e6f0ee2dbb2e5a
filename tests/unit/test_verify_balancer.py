"""What `verify` says of a load balancer before the hosts: how it redirects, and that it reaches them."""

from __future__ import annotations

import pytest

from gateway.outside.probe import Unanswered

from .answering import answer, on, own_page


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_load_balancer_has_no_listener_for_plain_http_or_one_that_redirects(answering, status):
    site = answering("card-slb")
    site.unopened = {80: Unanswered("refused", "x")}
    assert {one.outcome for one in site.findings()} == {"passed"}
    site.unopened = {}

    def redirected(door, domain, target, **_):
        return answer(status, location=f"https://{domain}{target}") if door.port == 80 else None

    site.wrong = redirected
    assert {one.outcome for one in site.findings()} == {"passed"}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (answer(200, b"x"), "the answer is 200, not a 301 to https"),
        (answer(x_lab_arrived="https://hub.17wanxiao.com/x"), "the answer is 200, not a 301 to https"),
        (answer(301, location="https://wx.school.edu.cn/"), "another URL than https://wx.school.edu.cn/..."),
        (answer(302, location="http://wx.school.edu.cn/x"), "plain http"),
    ],
)
def test_a_login_in_the_clear_behind_a_load_balancer_is_a_failure(answering, said, reason):
    site = answering("card-slb")
    site.wrong = on(lambda door, **_: door.port == 80, said)
    ((check, told, remedy),) = site.failed()
    assert check == "redirect"
    assert reason in told
    assert "slb_cidrs" in remedy or "https" in remedy


@pytest.fixture(params=["card-slb", "itsm-slb"])
def balanced(request, answering):
    """A site behind a load balancer, on two ports; BlueKing's stands for those with an allow-list."""
    return answering(request.param)


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


def test_a_listener_that_alone_reaches_no_host_is_one_finding_for_its_port(answering):
    site = answering("card-slb")
    site.wrong = _said(answer(502, b"<html>"), (9001,))
    ((check, reason, remedy),) = site.failed()
    assert check == "hosts"
    assert reason == "the load balancer reaches no host by this port: it answers 502"
    assert "9001" in remedy
    # a name that it has no rule for is not asked of the hosts
    site.wrong = lambda door, host, **_: answer(400 if host else 502, b"<html>") if door.port == 9001 else None
    assert [check for check, *_ in site.failed()] == ["hosts"]
    site.wrong = _said(answer(502, b"<html>"), (80, 443))
    assert [check for check, *_ in site.failed()] == ["hosts"]


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_platform_that_is_down_is_no_load_balancer_that_reaches_nobody(answering, status):
    site = answering("card-slb")
    site.wrong = on(lambda target, host, **_: target == "/" and not host, own_page(status))
    assert {(check, reason) for check, reason, _ in site.failed()} == {
        ("route", f"the gateway itself answers {status}")
    }


def test_nor_is_a_platform_whose_own_front_says_so(answering):
    """What the load balancer says of a name that the hosts do not answer to is another page."""
    site = answering("card-slb")
    pages = {False: answer(502, b"the platform's"), True: answer(502, b"the load balancer's")}
    site.wrong = lambda target, host, **_: pages[host is not None] if target == "/" else None
    assert [check for check, *_ in site.failed()] == ["route", "route"]


def test_a_moment_without_a_host_is_no_finding(answering):
    site = answering("card-slb")
    seen = []

    def once(door, target, **_):
        if (door.port, target) not in seen:
            seen.append((door.port, target))
            return answer(502, b"<html>")
        return None

    site.wrong = once
    assert [check for check, *_ in site.failed() if check == "hosts"] == []


def test_straight_to_a_host_behind_a_load_balancer_plain_http_is_asked(answering):
    """Before DNS or the load balancer is set up; what could not be seen is said."""
    site = answering("card-slb", straight=True)
    found = site.findings()
    assert {(door.port, door.tls) for door, *_ in site.asked} == {(80, False), (9001, False)}
    assert [one.check for one in found if one.outcome == "skipped"] == ["certificate"]
    assert {one.outcome for one in found} == {"passed", "skipped"}
    assert "health check" in {one.check for one in found}
