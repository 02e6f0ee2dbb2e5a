"""The page of `verify` in a real browser, as wide as a phone."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

import lab
from gateway.outside import report
from gateway.outside.findings import Finding, Result
from lab import hosts, topology
from lab.engine import docker

from . import checkout as own

HOST = "t81"
CHROMIUM = "chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=500,1500"
LONG = "https://a-very-long-name-without-a-place-to-break-it.wx.school-a.edu.cn:9001/" + "x" * 120


@pytest.fixture(scope="module")
def browser():
    hosts.remove([HOST])
    lab.up([HOST])
    own.on_host(HOST, "apt-get update -q")
    if "Candidate:" not in own.on_host(HOST, "apt-cache policy chromium"):
        hosts.remove([HOST])
        pytest.skip("this Debian has no Chromium")
    install = "apt-get install -q -y --no-install-recommends chromium fonts-dejavu-core"
    hosts.exec_in(HOST, ["env", "DEBIAN_FRONTEND=noninteractive", *install.split()], timeout=900)
    yield
    hosts.remove([HOST])


@pytest.fixture
def page(tmp_path):
    """A page with every outcome, and a script of the test's that notes how wide it became."""
    findings = tuple(
        Finding("route", LONG, outcome, "said <b>502</b> & more", "look at it", days=9)
        for outcome in ("passed", "failed", "warning", "skipped")
    )
    results = [
        Result("wx.school-a.edu.cn", ("gw-a", "gw-b"), "203.0.113.10", findings),
        Result("wx.school-b.edu.cn", ("gw-a",), "2001:db8::1", findings[:1]),
    ]
    text = report.page(results, [], "inventory/prod.py", datetime.now(UTC))
    note = (
        "<script>document.title = [document.documentElement.scrollWidth, innerWidth, "
        "document.querySelectorAll('details[open]').length, "
        "performance.getEntriesByType('resource').length].join(' ')</script>"
    )
    (tmp_path / "report.html").write_text(text.replace("</body>", f"{note}</body>"))
    return tmp_path / "report.html"


def test_it_fits_a_phone_and_fetches_nothing(browser, page):
    docker("cp", str(page), f"{topology.container(HOST)}:/root/report.html")
    dom = own.on_host(HOST, f"cd /root && timeout 60 {CHROMIUM} --dump-dom file:///root/report.html 2>/dev/null")
    (title,) = re.findall(r"<title>([0-9 ]+)</title>", dom)
    width, window, opened, fetched = map(int, title.split())
    assert width <= window <= 500
    assert opened == 1
    assert fetched == 0
    assert "&lt;b&gt;502&lt;/b&gt;" in dom
    own.on_host(HOST, f"cd /root && timeout 60 {CHROMIUM} --screenshot=/root/report.png file:///root/report.html 2>&1")
    docker("cp", f"{topology.container(HOST)}:/root/report.png", str(page.with_suffix(".png")))
    assert page.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
