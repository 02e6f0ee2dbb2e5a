"""The `ca` files of upstreams: what `check` says of those that prove no server."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.fleet.parsing import parse_host
from gateway.problems import Problem

from .conftest import PLATFORMS
from .pki import LOWER, MIDDLE, ROOT, issue

LEAF = issue("library.inner.example", MIDDLE)
OWN = issue("library.inner.example")
OLD = issue("Old Root", ca=True, start=timedelta(days=-3000), end=timedelta(days=-1))
OLDER = issue("Older Root", ca=True, start=timedelta(days=-3000), end=timedelta(days=-400))

ROW = {"port": "entry", "path": "/", "upstream": "https://library.inner.example/", "ca": "files/ca/inner.pem"}
OWN_PLATFORM = {"own": {"routes": [ROW]}, "bkitsm": PLATFORMS["bkitsm"]}
SITE = {"domain": "wx.a.edu.cn", "edge": "slb", "platform": "own"}


@pytest.fixture
def told(files):
    """What is said of a `ca` file with this content."""
    (files / "ca").mkdir()

    def check(body: bytes, site: dict = SITE) -> list[Problem]:
        (files / "ca" / "inner.pem").write_bytes(body)
        _, problems = parse_host("h1", {"platforms": OWN_PLATFORM, "sites": [site]}, files)
        return [one for one in problems if "files/ca/inner.pem" in one.text]

    return check


@pytest.mark.parametrize("body", [ROOT.pem, OWN.pem, MIDDLE.pem + ROOT.pem, OLD.pem + ROOT.pem])
def test_who_signs_itself_proves_a_server(told, body):
    assert told(body) == []


@pytest.mark.parametrize("body", [LEAF.pem, MIDDLE.pem, LEAF.pem + LOWER.pem + MIDDLE.pem])
def test_without_one_that_signs_itself_no_server_is_proved(told, body):
    """nginx follows the chain to its end, and answers 502 where that is not in the file."""
    (one,) = told(body)
    assert one.severity == "warning"
    assert str(one).startswith('h1: wx.a.edu.cn: platforms["own"].routes: files/ca/inner.pem holds no certificate that')
    assert "502" in one.text


@pytest.mark.parametrize("body", [OLD.pem, OLD.pem + OLDER.pem, OLDER.pem + OLD.pem, OLD.pem + MIDDLE.pem])
def test_one_that_has_expired_is_told_with_its_date(told, body):
    (one,) = told(body)
    assert one.severity == "warning"
    assert f"expired on {OLD.certificate.not_valid_after_utc:%Y-%m-%d}" in one.text


def test_a_blueking_sites_own_is_told_at_its_key(told):
    bk = {"upstream": "https://paas.inner.example", "apps": ["bk_itsm"], "ca": "files/ca/inner.pem"}
    (one,) = told(LEAF.pem, {"domain": "wx.a.edu.cn", "edge": "slb", "platform": "bkitsm", "bk": bk})
    assert one.field == "bk.ca"


def test_it_is_told_once_for_a_file(told, files):
    (files / "ca" / "inner.pem").write_bytes(LEAF.pem)
    sites = [SITE, {**SITE, "domain": "wx.b.edu.cn"}]
    host, problems = parse_host("h1", {"platforms": OWN_PLATFORM, "sites": sites}, files)
    assert len([one for one in problems if "files/ca/" in one.text]) == 1
    # a warning refuses no host
    assert host
    assert host.upstream_cas["files/ca/inner.pem"] == LEAF.pem


def test_where_no_certificates_are_read_none_of_these_is(files):
    host, problems = parse_host("h1", {"platforms": OWN_PLATFORM, "sites": [SITE]}, files, certificates=False)
    assert host, problems
    assert not host.upstream_cas
    host, problems = parse_host("h1", {"platforms": OWN_PLATFORM, "sites": [SITE]}, files)
    assert host is None
