"""The pages of `verify` and `overview` in a real browser, as wide as a phone."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

import lab
from gateway.outside import report
from gateway.outside.findings import Finding, Result
from lab import hosts, topology
from lab.demo import PUBLIC
from lab.engine import docker

from ..conftest import REPO
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


@pytest.fixture
def pages(demo_lab, tmp_path):
    """What `overview` says of the demo's gateways: a folder of pages, with a script that notes how wide each became."""
    from inventory.demo import gateways

    wanted = [
        f"--resolve={site['domain']}:{topology.address(PUBLIC[site['edge']])}"
        for _, data in gateways
        for site in data["sites"]
    ]
    folder = tmp_path / "pages"
    done = own.run_product(
        REPO, "overview", "inventory/demo.py", "--out", str(folder), "--ca", str(topology.CA), *wanted
    )
    assert done.returncode == 0, done.stdout + done.stderr
    note = """<script>onload = () => parent.postMessage(document.documentElement.scrollWidth + ' ' +
        performance.getEntriesByType('resource').length, '*')</script>"""
    frames = "<!DOCTYPE html><meta charset=utf-8><title></title><body style=margin:0>"
    frames += "<script>onmessage = e => { document.title += e.data + ';' }</script>"
    for page in sorted(folder.iterdir()):
        (folder / f"noted-{page.name}").write_text(page.read_text().replace("</body>", f"{note}</body>"))
        frames += f'<iframe src="noted-{page.name}" width=390 height=800 style=border:0></iframe>'
    (folder / "frames.htm").write_text(frames)
    return folder


def test_the_overview_of_real_gateways_fits_a_phone_and_tells_what_they_serve(browser, pages):
    docker("cp", str(pages), f"{topology.container(HOST)}:/root/pages")
    shown = "--virtual-time-budget=5000 file:///root/pages/frames.htm"
    dom = own.on_host(HOST, f"timeout 60 {CHROMIUM} --dump-dom {shown} 2>/dev/null")
    (title,) = re.findall(r"<title>([0-9 ;]+)</title>", dom)
    measured = [tuple(map(int, one.split())) for one in title.split(";") if one]
    assert len(measured) == 7
    wide = CHROMIUM.replace("--window-size=500,1500", f"--window-size={390 * len(measured)},800")
    shot = "/root/overview.png"
    own.on_host(HOST, f"timeout 60 {wide} --screenshot={shot} {shown} 2>&1")
    docker("cp", f"{topology.container(HOST)}:{shot}", str(pages.with_suffix(".png")))
    picture = pages.with_suffix(".png").read_bytes()
    assert picture[16:20] == (390 * len(measured)).to_bytes(4, "big"), "as wide as all pages side by side"
    assert len(picture) > 50_000, "it has text in it"
    assert [one for one in measured if one[0] > 390 or one[1]] == []
    for edge in PUBLIC:
        serves = own.on_host(f"gw-{edge}", f"basename $(readlink {own.HOME}/current)").strip()
        page = (pages / f"card.{edge}.demo.example.html").read_text()
        assert serves in page
        assert serves in (pages / "index.html").read_text()
        assert "nobody asked" not in page
