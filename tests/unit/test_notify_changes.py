"""What of a run a group robot is told: what is new, what has ended, and in which words."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from gateway.deploys import concerns as of_hosts
from gateway.deploys.drift import HostStatus
from gateway.notify import changes, message
from gateway.notify.changes import Changes, Concern, Seen
from gateway.outside import concerns as of_sites
from gateway.outside.findings import Finding, Outcome
from gateway.outside.findings import Result as Visited
from gateway.problems import Problem

from .concerning import DOWN, saw

LATE = Concern("gw-b: wx.b.edu.cn", "the certificate expires soon: 20 days left")


def _visited(*checks: tuple[str, Outcome]) -> Seen:
    """What a run of verify saw of one site."""
    findings = tuple(Finding(name, "https://a.edu.cn", outcome, "because", "look") for name, outcome in checks)
    return of_sites.seen([Visited("a.edu.cn", ("gw-a",), "192.0.2.1", findings)], [], True)


class TestChanges:
    def test_only_what_is_new_or_over_is_a_change(self) -> None:
        assert changes.changes([DOWN], saw(DOWN, LATE)).new == (LATE,)
        assert changes.changes([DOWN, LATE], saw(LATE)).ended == (DOWN,)
        assert not changes.changes([DOWN, LATE], saw(LATE, DOWN))

    def test_a_concern_with_other_numbers_is_the_same(self) -> None:
        assert not changes.changes([LATE], saw(replace(LATE, text=LATE.text.replace("20", "19"))))
        old, new = (
            Concern("gw-a", f"the running nginx still serves {one}; deploy") for one in ("0a1b2c3d4e", "ff00ff00ff")
        )
        assert not changes.changes([old], saw(new))

    @pytest.mark.parametrize(
        ("one", "another"),
        [
            ("the certificate expires soon: 20 days left", "the certificate expires soon: 1 day left"),
            ("https://d.cn:9001/: came after 1.3 s", "https://d.cn:9001/: came after 12 s"),
            (
                "the renewal fails, since 2026-11-01T05:10Z: refused",
                "the renewal fails, since 2026-11-02T17:10Z: refused",
            ),
            (
                "it failed: 2026/11/28 14:29:58 [emerg] 77#77: bind() failed",
                "it failed: 2026/11/29 04:09:08 [emerg] 8#8: bind() failed",
            ),
            ("release 0123456789abcdef; deploy", "release fedcba9876543210; deploy"),
            (
                "which li deployed on 2026-11-01 from commit 0a1b2c3d4e5f",
                "which li deployed on 2026-11-09 from commit ffffffffffff",
            ),
            (
                "Fetching http://d.cn/.well-known/acme-challenge/Ab-_9: refused",
                "Fetching http://d.cn/.well-known/acme-challenge/x7: refused",
            ),
            ("<HTTPSConnection object at 0x7f2b1c3d>: refused", "<HTTPSConnection object at 0x7f00aa3d>: refused"),
            ("/etc: the disk is full, 12 MB are left", "/etc: the disk is full, 3 MB are left"),
            ("answers 502 (pid 12)", "answers 504 (pid 99)"),
        ],
    )
    def test_what_is_another_at_every_run_makes_no_other_concern(self, one: str, another: str) -> None:
        assert Concern("gw-a", one).key == Concern("gw-a", another).key

    @pytest.mark.parametrize(
        ("one", "another"),
        [
            ("node1.inner.cn does not resolve there", "node2.inner.cn does not resolve there"),
            ("17.cn does not resolve there", "163.cn does not resolve there"),
            ("https://d.cn:9001/: answers 502", "https://d.cn:9002/: answers 502"),
            ("https://d.cn/app/1/: answers 502", "https://d.cn/app/2/: answers 502"),
            ("https://d.cn/WW_verify_1.txt: answers 404", "https://d.cn/WW_verify_2.txt: answers 404"),
            ("10.0.0.5:443 takes no connection", "10.0.0.6:443 takes no connection"),
            ("10.0.0.5 takes no connection", "10.0.0.6 takes no connection"),
            ("2001:db8::5 takes no connection", "2001:db8::6 takes no connection"),
            ("port 443 is held by apache2", "port 80 is held by apache2"),
            ("node-0a0b0c0d0e.cn does not resolve there", "node-0f0f0f0f0f.cn does not resolve there"),
        ],
    )
    def test_two_names_ports_or_addresses_are_two_concerns(self, one: str, another: str) -> None:
        both = [Concern("gw-a", one), Concern("gw-a", another)]
        assert len(changes.changes([], saw(*both)).new) == 2
        moved = changes.changes(both[:1], saw(both[1]))
        assert (moved.new, moved.ended) == (tuple(both[1:]), tuple(both[:1]))

    def test_a_place_that_was_not_asked_or_did_not_answer_says_nothing_of_its_concerns(self) -> None:
        found = changes.changes([DOWN], saw(asked=False))
        assert not found
        assert list(found.open.values()) == [DOWN]

    def test_what_left_the_inventory_has_ended(self) -> None:
        assert changes.changes([DOWN], saw(asked=False, exists=False)).ended == (DOWN,)


class TestConcerns:
    def test_of_a_host_are_its_findings_certificates_names_and_renewals(self) -> None:
        status = HostStatus(
            "gw-a",
            True,
            problem="nothing is published; deploy",
            further=("two",),
            unresolved=("hub.17wanxiao.com",),
            certificate_days={"a.edu.cn": 6, "b.edu.cn": 20, "c.edu.cn": 21, "d.edu.cn": -1},
            renewal_failed={"a.edu.cn": "since 2026-11-01: refused"},
            warnings=("not told",),
        )
        assert [(one.place, one.text) for one in of_hosts.seen([status], [], True).concerns] == [
            ("gw-a", "nothing is published; deploy"),
            ("gw-a", "two"),
            ("gw-a: a.edu.cn", "the certificate is about to expire: 6 days left"),
            ("gw-a: b.edu.cn", "the certificate expires soon: 20 days left"),
            ("gw-a", "hub.17wanxiao.com does not resolve there"),
            ("gw-a: a.edu.cn", "the renewal of the certificate fails, since 2026-11-01: refused"),
        ]

    def test_the_second_threshold_of_a_certificate_is_a_change_for_the_worse(self) -> None:
        def run(days: int) -> Seen:
            return of_hosts.seen([HostStatus("gw-a", True, certificate_days={"a.edu.cn": days})], [], True)

        assert not changes.changes(run(20).concerns, run(7))
        worse = changes.changes(run(7).concerns, run(6))
        assert [one.text for one in worse.new] == ["the certificate is about to expire: 6 days left"]

    def test_a_host_that_cannot_be_reached_ends_no_other_concern_of_it(self) -> None:
        away = of_hosts.seen([HostStatus("gw-a", False, problem="connect failed")], [], True)
        found = changes.changes([DOWN], away)
        assert ([one.text for one in found.new], found.ended) == (["connect failed"], ())
        back = changes.changes(found.open.values(), of_hosts.seen([HostStatus("gw-a", True)], [], True))
        assert len(back.ended) == 2

    def test_part_of_a_fleet_says_nothing_of_the_others(self) -> None:
        some = of_hosts.seen([HostStatus("gw-b", True)], [], False)
        assert not changes.changes([DOWN], some)
        assert changes.changes([DOWN], of_hosts.seen([HostStatus("gw-b", True)], [], True)).ended == (DOWN,)

    def test_where_the_inventory_has_errors_what_is_left_out_has_not_ended(self) -> None:
        wrong = Problem("gw-a", "a.edu.cn", "edge", "is missing")
        told = changes.changes([DOWN], of_hosts.seen([HostStatus("gw-b", True)], [wrong], True))
        assert (len(told.new), told.ended) == (1, ())
        site = Visited("b.edu.cn", ("gw-b",), "192.0.2.1", (Finding("route", "https://b.edu.cn/", "passed"),))
        before = [Concern("a.edu.cn at 192.0.2.2: route", "https://a.edu.cn/: 502")]
        told = changes.changes(before, of_sites.seen([site], [wrong], True))
        assert (len(told.new), told.ended) == (1, ())
        assert changes.changes(before, of_sites.seen([site], [], True)).ended == tuple(before)

    def test_part_of_a_fleet_says_nothing_of_errors_elsewhere_in_the_inventory(self) -> None:
        before = [Concern("inventory", "gw-a: a.edu.cn: edge: is missing")]
        for seen in (of_hosts.seen, of_sites.seen):
            assert not changes.changes(before, seen([], [], False))
            assert changes.changes(before, seen([], [], True)).ended == tuple(before)

    def test_errors_of_the_inventory_are_told(self) -> None:
        wrong = Problem("gw-a", "a.edu.cn", "edge", "is missing")
        assert of_hosts.seen([], [wrong], True).concerns == (Concern("inventory", "gw-a: a.edu.cn: edge: is missing"),)

    @pytest.mark.parametrize("check", ["port", "TLS", "certificate", "hosts", "address"])
    def test_what_has_a_finding_only_while_it_fails_ends_when_all_works_again(self, check: str) -> None:
        before = _visited((check, "failed"))
        well = _visited(("certificate", "passed"), ("verification file", "passed"), ("route", "passed"))
        assert changes.changes(before.concerns, well).ended == before.concerns

    @pytest.mark.parametrize(
        ("before", "now", "over"),
        [
            ("certificate", "port", False),
            ("certificate", "TLS", False),
            ("TLS", "port", False),
            ("hosts", "port", False),
            ("hosts", "certificate", False),
            ("port", "TLS", True),
            ("port", "certificate", True),
            ("TLS", "certificate", True),
        ],
    )
    def test_it_does_not_end_while_nobody_can_get_that_far(self, before: str, now: str, over: bool) -> None:
        known = _visited((before, "failed")).concerns
        assert changes.changes(known, _visited((now, "failed"))).ended == (known if over else ())

    def test_of_a_site_are_its_failed_checks_and_one_that_could_not_be_made_goes_on(self) -> None:
        def site(*findings: Finding, address: str = "192.0.2.1") -> Seen:
            return of_sites.seen([Visited("a.edu.cn", ("gw-a",), address, findings)], [], True)

        failed = Finding("verification file", "https://a.edu.cn/WW_verify_x.txt", "failed", "404", "deploy")
        before = site(failed, Finding("mapping", "https://a.edu.cn/", "warning", "slow", "wait")).concerns
        assert before == (Concern("a.edu.cn at 192.0.2.1: verification file", "https://a.edu.cn/WW_verify_x.txt: 404"),)
        refused = Finding("reach", "https://a.edu.cn", "failed", "connection refused", "look")
        found = changes.changes(before, site(refused, replace(failed, outcome="skipped")))
        assert (len(found.new), found.ended) == (1, ())
        assert changes.changes(before, site(replace(failed, outcome="passed"))).ended == before
        # its address has changed for good, or is not known just now
        assert changes.changes(before, site(replace(failed, outcome="passed"), address="192.0.2.2")).ended == before
        assert not changes.changes(before, site(address=""))


class TestMessage:
    def test_it_says_what_is_new_and_what_has_ended_in_both_languages(self) -> None:
        found = Changes((DOWN,), (LATE,), {DOWN.key: DOWN, "another": LATE})
        assert message.message(found, "status inventory/prod.py").splitlines() == [
            "**wecom-gateway**　`status inventory/prod.py`",
            '<font color="warning">新出现的问题 · New: 1</font>',
            f"> **gw-a**: {DOWN.text} [WG3021]",
            '<font color="info">已恢复 · Ended: 1</font>',
            f"> **gw-b: wx.b.edu.cn**: {LATE.text}",
            "此前的问题还有 1 个 · still open: 1",
        ]

    def test_findings_are_in_the_operators_language_and_a_long_one_keeps_its_code(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GATEWAY_LANG", "zh")
        failed = Concern("a.edu.cn at 192.0.2.1: verification file", f"nginx is not running: {'x' * 5000}")
        found = Changes((DOWN, failed), (), {DOWN.key: DOWN, failed.key: failed})
        _, _, down, long = message.message(found, "status inventory/prod.py").splitlines()
        assert down == "> **gw-a**: nginx 没有应答；在主机上看 journalctl -u nginx，再部署 [WG3021]"
        assert re.fullmatch(
            r"> \*\*a\.edu\.cn at 192\.0\.2\.1: 校验文件\*\*: nginx 没有运行：x+\.\.\. \[WG\d{4}\]", long
        )

    @pytest.mark.parametrize("length", [10, 400, 5000])
    @pytest.mark.parametrize("number", [1, 40, 3000])
    def test_it_is_never_longer_than_a_robot_takes_and_says_what_is_left_out(self, length: int, number: int) -> None:
        many = tuple(Concern(f"gw-{one}", "坏" * length) for one in range(number))
        text = message.message(Changes(many, many, {one.key: one for one in many}), "status inventory/prod.py")
        assert len(text.encode()) <= message.LONGEST
        told = text.count("**: ")
        left_out = sum(int(line.split()[2]) for line in text.splitlines() if "未列出" in line)
        assert told + left_out == 2 * number

    def test_it_fits_whatever_the_inventorys_path_is(self) -> None:
        text = message.message(Changes((DOWN,), (), {DOWN.key: DOWN}), "status " + "长" * 2000)
        assert len(text.encode()) <= message.LONGEST
        assert DOWN.text in text

    def test_nothing_that_a_host_says_is_markup(self) -> None:
        said = Concern("gw-a", "</font><@all> **x** `y`\n# z\x1b[2J [a](https://b.cn)")
        text = message.message(Changes((said,), (), {said.key: said}), "status x")
        assert text.splitlines()[2] == "> **gw-a**: ＜/font＞＜@all＞ ＊＊x＊＊ 'y'?# z?[2J [a]（https://b.cn)"
