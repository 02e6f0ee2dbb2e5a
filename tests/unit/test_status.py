"""What status makes of certificates, wherever they are."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest
from click.testing import CliRunner
from pyinfra.api import Inventory

from gateway.cli.main import main
from gateway.deploys import state, status_words
from gateway.deploys.drift import HostStatus, Observation, expired_certificates, judged, late_renewals
from gateway.deploys.health import Health, Unit
from gateway.deploys.status import ask_hosts
from gateway.fleet.host import Host
from gateway.fleet.loading import Fleet
from gateway.nginx.release import Change
from gateway.outside import balancers, places
from gateway.outside.probe import EXPIRED, Client, Tls, Unanswered

from .conftest import REPO


@pytest.mark.parametrize(
    ("days", "column", "note"),
    [
        ({"a.edu.cn": 90, "b.edu.cn": 40}, "40 days", "in sync"),
        ({"a.edu.cn": 90, "b.edu.cn": 20}, "20 days", "in sync; b.edu.cn: certificate expires in 20 days [WG3028]"),
        ({"b.edu.cn": 1}, "1 days", "in sync; b.edu.cn: certificate expires in 1 day [WG3028]"),
        ({}, "-", "in sync"),
    ],
)
def test_the_table_tells_the_soonest_and_warns(days, column, note):
    row = status_words.table([HostStatus("h", True, certificate_days=days)])[1]
    assert row[-2:] == (column, note)


def test_the_table_tells_which_version_published_the_release_where_the_host_knows():
    header, new, old = status_words.table([HostStatus("h1", True, version="0.2.0"), HostStatus("h2", True)])
    assert header[3] == "version"
    assert (new[3], old[3]) == ("0.2.0", "-")
    assert HostStatus("h1", True, version="0.2.0").as_data()["version"] == "0.2.0"


def test_an_expired_certificate_is_told_with_whose_it_is():
    text = expired_certificates({"a.edu.cn": -1, "b.edu.cn": -3, "c.edu.cn": 5}, {"b.edu.cn"})
    assert text == "certificate expired: a.edu.cn, b.edu.cn (the load balancer's); renew it"
    assert expired_certificates({"c.edu.cn": 0}, ()) == ""
    assert not HostStatus("h", True, problem=text).in_sync


def test_a_renewal_that_fails_is_drift_with_under_14_days_left():
    """It began to fail more than two weeks before: nobody has looked."""
    text = late_renewals({"a.edu.cn": 13, "b.edu.cn": 14, "c.edu.cn": 1})
    assert text.startswith("certificate not renewed: a.edu.cn (13 days left), c.edu.cn (1 day left); ")
    assert not HostStatus("h", True, problem=text).in_sync
    assert late_renewals({"b.edu.cn": 14}) == ""


OWN, NEW = "own.b.edu.cn", "new.b.edu.cn"
_ACME = {"cert": {"acme": {"email": "ops@b.edu.cn"}}}


@pytest.fixture
def amiss(parse):
    """A host with everything amiss: a release that was rolled back, a stopped nginx, a certificate that never came and
    one that has expired without being renewed. `problem` and the others by what they begin with, in order."""
    host, problems = parse(*({"domain": one, "edge": "tls", **_ACME} for one in (OWN, NEW)), platform="wanxiao_prod")
    assert not problems
    now = datetime.now(UTC).replace(microsecond=0)
    known = state.read(
        [
            "version nginx version: nginx/1.22.1",
            "current releases/aaaa",
            "history aaaa bbbb",
            f"order:{OWN} x",
            f"ends:{OWN} {now - timedelta(days=2):%b %d %H:%M:%S %Y} GMT",
            f"failed:{OWN} then",
            f"failed:{NEW} now",
        ]
    )
    return lambda health: judged(host, Observation(known, health, "bbbb"), {"late.edu.cn": -1}, now)


def test_what_is_amiss_is_told_in_the_order_of_what_to_do_first(amiss):
    stopped = Health(units=(Unit("nginx.service", active="inactive"),))
    assert [one.partition(";")[0] for one in amiss(stopped).findings] == [
        "it was rolled back to release aaaa, the inventory wants another one",
        "nginx is not running, it was stopped",
        f"certificate not issued yet: {NEW} (now)",
        f"certificate expired: late.edu.cn, {OWN}",
        f"certificate not renewed: {OWN} (-2 days left)",
    ]
    assert amiss(stopped).renewal_failed == {OWN: "then"}


def test_a_host_that_does_not_say_how_it_is_is_told_as_that_and_everything_else_too(amiss):
    _, second, *others = amiss(Health()).findings
    assert second.startswith("how nginx and its timers are cannot be told: the host did not say within 60 seconds")
    assert len(others) == 3


def test_a_plain_container_is_told_as_that_alone(parse):
    host, problems = parse({"domain": OWN, "edge": "slb"}, platform="wanxiao_prod")
    assert not problems
    lines = ["version nginx version: nginx/1.22.1", "init nginx"]
    changes = (Change("closed.conf", "added"),)
    seen = judged(host, Observation(state.read(lines), Health(), "bbbb", changes), {}, datetime.now(UTC))
    (told,) = seen.findings
    assert told.startswith("a deploy would be refused: this host is not run by systemd (its process 1 is nginx)")
    assert seen.differences == ()


def test_every_site_s_certificate_has_a_line_the_soonest_first():
    found = [HostStatus("h1", True, certificate_days={"a.edu.cn": 90, "b.edu.cn": 1}), HostStatus("h2", False)]
    found.append(HostStatus("h3", True, certificate_days={"a.edu.cn": 90, "c.edu.cn": -1}))
    assert status_words.certificate_lines(found) == [
        "certificate: h3: c.edu.cn: expired",
        "certificate: h1: b.edu.cn: 1 day left",
        "certificate: h1: a.edu.cn: 90 days left",
        "certificate: h3: a.edu.cn: 90 days left",
    ]


def test_load_balancers_are_asked_and_silence_says_nothing(monkeypatch):
    def greet(self, door, domain):
        if domain == "late.edu.cn":
            raise Unanswered("certificate", "certificate has expired", EXPIRED)
        if domain == "shut.edu.cn":
            raise Unanswered("refused", "nothing listens there")
        return Tls("TLSv1.3", (datetime.now(UTC) + timedelta(days=30, hours=1)).timestamp())

    def lookup(domain):
        if domain == "new.edu.cn":
            raise OSError("no such name")
        return ["203.0.113.80"]

    monkeypatch.setattr(Client, "greet", greet)
    monkeypatch.setattr(places, "lookup", lookup)
    names = ["good.edu.cn", "late.edu.cn", "shut.edu.cn", "new.edu.cn", "good.edu.cn"]
    assert balancers.days_left(names) == {"good.edu.cn": 30, "late.edu.cn": -1}


def test_nothing_is_read_from_the_trust_store_where_no_load_balancer_is_asked(monkeypatch):
    """It takes a third of a second."""
    monkeypatch.setattr(balancers, "Client", pytest.fail)
    assert balancers.days_left([]) == {}


def _host(name):
    return Host(name, name, (), MappingProxyType({}), MappingProxyType({}))


def test_a_host_that_pyinfra_cannot_connect_to_is_told_and_the_others_are_asked():
    answer = {"state": "version nginx version: nginx/1.22.1\nipv6 yes\n"}
    hosts = [
        ("bad..name", {}),
        ("h1", {"ssh_port": "2222"}),
        ("h2", {"ssh_port": 70000, "ssh_hostname": "127.0.0.1"}),
        ("@fake/one", {"fake_delay": 0, "fake_delay_jitter": 0, "fake_responses": answer}),
        # not asked for: of the inventory, but with errors
        ("h3", {"ssh_user": 5}),
    ]
    asked = tuple(_host(name) for name, _ in hosts[:4])
    seen = []
    found = ask_hosts(Fleet(asked, (), Inventory((hosts, {}))), lambda *done: seen.append(done))
    assert seen == [(done, 4) for done in range(5)]
    assert [one.host for one in found] == [name for name, _ in hosts[:4]]
    assert [one.reachable for one in found] == [False, False, False, True]
    assert all(one.problem.startswith("unreachable: ") for one in found[:3])
    assert "ssh_port" in found[1].problem


def test_status_tells_load_balancers_certificates_unless_told_not_to(tmp_path, monkeypatch):
    monkeypatch.chdir(REPO)
    path = tmp_path / "balanced.py"
    path.write_text(
        'wanxiao_prod = [("h1", {"ssh_hostname": "127.0.0.1", "ssh_port": 1, "sites": ['
        '{"domain": "a.edu.cn", "edge": "slb"}, {"domain": "b.edu.cn", "edge": "slb"}]})]'
    )

    def greet(self, door, domain):
        left = timedelta(days={"a.edu.cn": 30, "b.edu.cn": 9}[domain], hours=1)
        return Tls("TLSv1.3", (datetime.now(UTC) + left).timestamp())

    monkeypatch.setattr(Client, "greet", greet)
    monkeypatch.setattr(places, "lookup", lambda domain: ["203.0.113.80"])
    for options, days in (([], {"a.edu.cn": 30, "b.edu.cn": 9}), (["--no-outside"], {})):
        done = CliRunner().invoke(main, ["status", str(path), "--json", *options])
        (host,) = json.loads(done.stdout)["hosts"]
        assert host["certificate_days"] == days
