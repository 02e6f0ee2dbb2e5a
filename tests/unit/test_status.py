"""What status makes of certificates, wherever they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway import status
from gateway.outside import balancers, places
from gateway.outside.probe import EXPIRED, Client, Tls, Unanswered
from gateway.status import HostStatus


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
