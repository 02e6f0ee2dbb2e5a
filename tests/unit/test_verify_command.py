"""`python -m gateway verify` as an operator types it, without a site to ask: options, exit codes, reports."""

from __future__ import annotations

import ipaddress
import json
from datetime import UTC, datetime
from html.parser import HTMLParser

import gevent
import pytest
from click.testing import CliRunner

from gateway import product
from gateway.cli.main import main
from gateway.fleet.loading import load
from gateway.inventory.model import Egress
from gateway.outside import egress_check, places, report, whole_fleet
from gateway.outside.findings import Finding, Result
from gateway.outside.probe import Tls, Unanswered

from .conftest import REPO

SLB = {"domain": "a.edu.cn", "edge": "slb", "platform": "wanxiao_prod"}
GOOD = Result("a.edu.cn", ("h1",), "203.0.113.1", (Finding("certificate", "https://a.edu.cn", "passed", days=60),))
BAD = Result(
    "b.edu.cn",
    ("h1", "h2"),
    "203.0.113.1",
    (
        Finding("route", "https://b.edu.cn/<script>alert(1)</script>", "failed", "said 502 & <b>", "look"),
        Finding("certificate", "https://b.edu.cn", "warning", "9 days", "renew", days=9),
    ),
)


@pytest.fixture
def inventory(tmp_path, monkeypatch):
    """Writes hosts into inventory/own.py of a checkout and moves there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "group_data").symlink_to(REPO / "group_data")

    def write(**hosts):
        entries = [(name.replace("_", "-"), data) for name, data in hosts.items()]
        (tmp_path / "own.py").write_text(f"hosts = {entries!r}\n")
        # pyinfra reads a file of one name once
        return str(tmp_path / "own.py")

    return write


@pytest.fixture
def verify(inventory, monkeypatch):
    """Runs the command on an inventory of one site, with these results instead of asking."""

    def start(*options, results=(GOOD,)):
        monkeypatch.setattr(whole_fleet, "ask", lambda *_: list(results))
        return CliRunner().invoke(main, ["verify", inventory(h1={"sites": [SLB]}), *options], catch_exceptions=False)

    return start


def test_all_passed_is_exit_0_and_a_failure_1(verify):
    assert verify().exit_code == 0
    done = verify(results=[GOOD, BAD])
    assert done.exit_code == 1
    assert "failed: b.edu.cn: route" in done.output
    assert "next: look" in done.output
    assert "\x1b[" not in done.output


def test_a_warning_is_no_failure(verify):
    warned = Result("b.edu.cn", ("h1",), "203.0.113.1", BAD.findings[1:])
    done = verify(results=[warned])
    assert done.exit_code == 0
    assert "warning: b.edu.cn: certificate" in done.output


def test_what_could_not_be_asked_is_told_once_for_all_sites(verify):
    finding = Finding("x", "x", "skipped", "no way", "walk")
    done = verify(results=[Result(f"s{number}.edu.cn", (), "", (finding, finding)) for number in range(300)])
    assert done.output.count("no way") == 1
    assert "and 295 more" in done.output


def test_json_alone_is_on_standard_output(verify):
    done = verify("--json", results=[BAD])
    told = json.loads(done.stdout)
    assert told["passed"] is False
    assert told["results"][0]["outcome"] == "failed"
    assert told["results"][0]["certificate_days"] == 9
    assert told["results"][0]["findings"][0]["remedy"] == "look"


def test_a_faulty_inventory_is_a_failure_even_where_all_sites_pass(inventory, monkeypatch):
    monkeypatch.setattr(whole_fleet, "ask", lambda *_: [GOOD])
    path = inventory(h1={"sites": [SLB]}, h2={"sites": [{**SLB, "edge": "x"}]})
    done = CliRunner().invoke(main, ["verify", path])
    assert done.exit_code == 1
    assert "error: h2: a.edu.cn: edge" in done.stderr
    assert "1 problem in the inventory" in done.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--resolve", "nowhere"], "right would be"),
        (["--resolve", "a.edu.cn:nowhere"], "right would be"),
        (["--resolve", "z.edu.cn:203.0.113.1"], "no chosen host has a site z.edu.cn"),
        (["--ca", "no-such.pem"], "no certificates can be read from it"),
        (["--ca", "own.py"], "no certificates can be read from it"),
        (["--ca", "."], "no certificates can be read from it"),
        (["--report", "no/such/folder.html"], "cannot be written"),
    ],
)
def test_a_wrong_option_is_one_line(verify, options, said):
    done = verify(*options)
    assert done.exit_code == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_addresses_are_given_for_a_domain_or_for_all_of_one_host(inventory):
    path = inventory(h1={"sites": [SLB, {**SLB, "domain": "b.edu.cn"}]}, h2={"sites": [{**SLB, "domain": "c.edu.cn"}]})
    fleet = load(path)
    given = places.overrides(fleet.hosts, ["a.edu.cn:203.0.113.7", "c.edu.cn:[2001:db8::1]"])
    assert given == {"a.edu.cn": "203.0.113.7", "c.edu.cn": "2001:db8::1"}
    with pytest.raises(ValueError, match="2 are chosen"):
        places.overrides(fleet.hosts, ["203.0.113.7"])
    one = load(path, limit=["h1"])
    assert places.overrides(one.hosts, ["2001:db8::1"]) == dict.fromkeys(["a.edu.cn", "b.edu.cn"], "2001:db8::1")


def test_a_site_on_two_hosts_is_asked_once_and_straight_only_at_a_hosts_own_address(inventory):
    fleet = load(inventory(h1={"sites": [SLB], "ssh_hostname": "203.0.113.1"}, h2={"sites": [SLB]}))
    (target,) = places.targets(fleet.hosts, {})
    assert (target.hosts, target.straight) == (("h1", "h2"), False)
    for address, straight in (("203.0.113.1", True), ("203.0.113.2", False)):
        (target,) = places.targets(fleet.hosts, {"a.edu.cn": address})
        assert target.straight is straight


def test_a_name_that_does_not_resolve_is_a_finding(inventory):
    fleet = load(inventory(h1={"sites": [{**SLB, "domain": "nowhere.invalid"}]}))
    seen = []
    (result,) = whole_fleet.ask(fleet, {}, None, lambda done, total: seen.append((done, total)))
    assert result.outcome == "failed"
    assert "does not resolve" in result.findings[0].reason
    assert seen == [(0, 1), (1, 1)]


def test_hundreds_of_sites_are_asked_at_once_but_not_all(inventory, monkeypatch):
    """One after the other takes minutes, all together more sockets than a load balancer likes of one client."""
    fleet = load(inventory(h1={"sites": [{**SLB, "domain": f"s{number}.edu.cn"} for number in range(200)]}))
    monkeypatch.setattr(places, "lookup", lambda domain: ["203.0.113.1"])
    now, most = 0, 0

    class Silent:
        def greet(self, door, domain):
            nonlocal now, most
            now += 1
            most = max(most, now)
            gevent.sleep(0.001)
            now -= 1
            raise Unanswered("unreachable", "no connection")

    results = whole_fleet.ask(fleet, {}, Silent(), lambda done, total: None)
    assert len(results) == 200
    assert {one.outcome for one in results} == {"failed"}
    assert 40 <= most <= 50


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags = []
        self.attributes = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs


def test_the_page_is_self_contained_and_escapes_what_servers_said():
    page = report.page([GOOD, BAD], [], "inventory/<x>.py", datetime.now(UTC))
    assert f" by {product.full_name()}<" in page
    seen = _Tags()
    seen.feed(page)
    assert "script" not in seen.tags
    assert not {"src", "href"} & {name for name, _ in seen.attributes}
    assert "&lt;script&gt;alert(1)" in page
    assert "url(" not in page
    assert ("name", "viewport") in seen.attributes
    # failures first, and open
    assert page.index("b.edu.cn") < page.index(">a.edu.cn")
    assert seen.tags.count("details") == 2
    assert [value for name, value in seen.attributes if name == "open"] == [None]


def test_the_page_is_written(verify, tmp_path):
    assert verify("--report", "out.html").exit_code == 0
    assert "a.edu.cn" in (tmp_path / "out.html").read_text()


EGRESS = Egress(listen="10.0.0.5:443", allow=["10.0.0.0/24"])


class _Gateway:
    """Lets through what `passes` says, as egress would; else fails as `why`."""

    def __init__(self, passes, why="handshake"):
        self.passes, self.why = passes, why

    def greet(self, door, name):
        if not self.passes(name):
            raise Unanswered(self.why, "no")
        return Tls("TLSv1.3", None)


@pytest.mark.parametrize(
    ("here", "gateway", "outcomes"),
    [
        ("10.0.0.9", _Gateway(lambda name: name.endswith(".weixin.qq.com")), ["passed"] * 3),
        ("10.0.0.9", _Gateway(lambda name: True), ["passed", "passed", "failed"]),
        ("10.0.0.9", _Gateway(lambda name: False), ["failed", "failed", "passed"]),
        ("192.0.2.1", _Gateway(lambda name: False), ["passed"]),
        ("192.0.2.1", _Gateway(lambda name: True), ["failed"]),
        ("192.0.2.1", _Gateway(lambda name: False, "unreachable"), ["skipped"]),
    ],
)
def test_egress_is_judged_by_where_this_machine_stands(monkeypatch, here, gateway, outcomes):
    monkeypatch.setattr(egress_check, "own_address", lambda door: ipaddress.ip_address(here))
    found = egress_check.findings(EGRESS, gateway)
    assert [one.outcome for one in found] == outcomes
    assert all(one.remedy for one in found if one.outcome in ("failed", "skipped"))
