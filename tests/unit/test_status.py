"""What status makes of certificates, wherever they are."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest
from click.testing import CliRunner
from pyinfra.api import Inventory

from gateway.cli.main import main
from gateway.deploys import status
from gateway.deploys.status import HostStatus
from gateway.fleet.host import Host
from gateway.fleet.loading import Fleet
from gateway.outside import balancers, places
from gateway.outside.probe import EXPIRED, Client, Tls, Unanswered

from .conftest import REPO


@pytest.mark.parametrize(
    ("days", "column", "note"),
    [
        ({"a.edu.cn": 90, "b.edu.cn": 40}, "40 days", "in sync"),
        ({"a.edu.cn": 90, "b.edu.cn": 20}, "20 days", "in sync; b.edu.cn: certificate expires in 20 days"),
        ({"b.edu.cn": 1}, "1 days", "in sync; b.edu.cn: certificate expires in 1 day"),
        ({}, "-", "in sync"),
    ],
)
def test_the_table_tells_the_soonest_and_warns(days, column, note):
    row = status.table([HostStatus("h", True, certificate_days=days)])[1]
    assert row[4:] == (column, note)


def test_an_expired_certificate_is_told_with_whose_it_is():
    text = status._expired({"a.edu.cn": -1, "b.edu.cn": -3, "c.edu.cn": 5}, {"b.edu.cn"})
    assert text == "certificate expired: a.edu.cn, b.edu.cn (the load balancer's); renew it"
    assert status._expired({"c.edu.cn": 0}, ()) == ""
    assert not HostStatus("h", True, problem=text).in_sync


def test_a_renewal_that_fails_is_drift_with_under_14_days_left():
    """It began to fail more than two weeks before: nobody has looked."""
    text = status._not_renewed({"a.edu.cn": 13, "b.edu.cn": 14, "c.edu.cn": 1})
    assert text.startswith("certificate not renewed: a.edu.cn (13 days left), c.edu.cn (1 day left); ")
    assert not HostStatus("h", True, problem=text).in_sync
    assert status._not_renewed({"b.edu.cn": 14}) == ""


def test_every_site_s_certificate_has_a_line_the_soonest_first():
    found = [HostStatus("h1", True, certificate_days={"a.edu.cn": 90, "b.edu.cn": 1}), HostStatus("h2", False)]
    found.append(HostStatus("h3", True, certificate_days={"a.edu.cn": 90, "c.edu.cn": -1}))
    assert status.certificates(found) == [
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


def _host(name):
    return Host(name, (), MappingProxyType({}), MappingProxyType({}))


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
    found = status.of(Fleet(asked, (), Inventory((hosts, {}))))
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
