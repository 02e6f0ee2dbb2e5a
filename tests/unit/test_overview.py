"""The pages of `overview`: what they say of whom nobody asked, what needs somebody, and whose files stay."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from gateway.cli import outside
from gateway.cli import overview as command
from gateway.cli.main import main
from gateway.deploys import state
from gateway.deploys.drift import HostStatus
from gateway.deploys.origin import Origin, PastRelease
from gateway.fleet.loading import load
from gateway.handover.sheet import sheets
from gateway.outside.findings import Finding, Result
from gateway.overview import folder, pages
from gateway.overview.view import fleet_view
from gateway.problems import Problem

from .conftest import REPO

NOW = datetime(2026, 11, 28, 7, 0, tzinfo=UTC)
A, B = "a.edu.cn", "b.edu.cn"
ORIGIN = Origin("ab" * 20, "", "main", False, "li@office", "2026-11-27T06:00:00Z")
FINE = HostStatus("h1", True, certificate_days={A: 60, B: 60}, history=(PastRelease("aaaa", ORIGIN, "0.3.0"),))
NASTY = "said <script>alert(1)</script> & 502"


def answered(domain, outcome="passed", reason=""):
    return Result(domain, ("h1",), "203.0.113.1", (Finding("route", f"https://{domain}/", outcome, reason),))


@pytest.fixture
def inventory(tmp_path, monkeypatch):
    """Writes an inventory with these sites on one host into a checkout, and moves there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "group_data").symlink_to(REPO / "group_data")

    def write(*domains):
        sites = [{"domain": one, "edge": "slb", "platform": "wanxiao_prod"} for one in domains]
        (tmp_path / "own.py").write_text(f"hosts = [('h1', {{'sites': {sites!r}}})]\n")
        return str(tmp_path / "own.py")

    return write


@pytest.fixture
def view(inventory):
    """The view of two sites on one host with these answers."""
    found = sheets(load(inventory(A, B)).hosts)

    def make(statuses=(FINE,), results=(), problems=()):
        return fleet_view("own.py", found, statuses, list(results), problems)

    return make


def states(fleet):
    return {one.domain: one.state for one in fleet.schools}


def test_all_is_fine_only_where_all_was_asked(view):
    both = [answered(A), answered(B)]
    assert view(results=both).state == "passed"
    assert states(view(results=[answered(A)])) == {A: "passed", B: "unasked"}
    assert view(results=[answered(A)]).state == "unasked"
    assert view(statuses=(), results=both).state == "unasked"
    assert states(view([HostStatus("h1", False, problem="unreachable: timed out")], both)) == dict.fromkeys(
        (A, B), "unasked"
    )
    partly = Result(A, ("h1",), "203.0.113.1", (*answered(A).findings, *answered(A, "skipped").findings))
    assert states(view(results=[partly, answered(B)]))[A] == "unasked"
    assert view(results=both, problems=[Problem("h2", "", "edge", "is missing")]).state == "failed"


def test_a_site_that_is_kept_from_this_machine_as_configured_is_fine(view):
    """A site with `allow` would never be, wherever the machine stands that asks."""
    answers = answered(A).findings
    kept = Finding("route", f"https://{A}/x", "skipped", "answers 403", "run it from there", expected=True)
    fleet = view(results=[Result(A, ("h1",), "203.0.113.1", (*answers, kept)), answered(B)])
    assert (fleet.state, states(fleet)) == ("passed", {A: "passed", B: "passed"})
    page = dict(pages.render(fleet, NOW))[f"{A}.html"]
    assert "kept from this machine, as configured" in page
    assert "run it from there" in page
    assert "not all asked" not in page
    unknown = replace(kept, expected=False)
    for findings in ((*answers, kept, unknown), (kept,)):
        assert states(view(results=[Result(A, ("h1",), "203.0.113.1", findings)]))[A] == "unasked"
    expired = Result(A, ("h1",), "203.0.113.1", (*answered(A, "failed").findings, kept))
    assert states(view(results=[expired]))[A] == "failed"


def test_no_page_says_all_fine_of_what_nobody_asked(view):
    for text in dict(pages.render(view(), NOW)).values():
        assert "nothing to do" not in text
        assert "not all asked" in text


def test_what_visitors_meet_goes_first_and_certificates_last(view):
    host = HostStatus("h1", True, certificate_days={A: 5, B: 60}, problem="nginx does not answer")
    told = view([host], [answered(A), answered(B, "failed", "said 502")], [Problem("h2", "", "edge", "is missing")])
    texts = [one.text for one in told.concerns]
    assert told.concerns[0].place == "inventory: h2: edge"
    assert [text.partition(":")[0] for text in texts] == [
        "is missing",
        "https",
        "nginx does not answer",
        "the certificate is about to expire",
    ]
    mine = {one.domain: [text.text for text in one.concerns] for one in told.schools}
    assert mine[A] == ["nginx does not answer", "the certificate is about to expire: 5 days left"]
    assert mine[B] == [f"https://{B}/: said 502", "nginx does not answer"]
    assert [one for one, _ in told.by_days] == [5, 60]


def test_the_certificate_of_another_site_there_is_no_matter_of_this_one(view):
    host = HostStatus("h1", True, certificate_days={A: 5, B: 60})
    assert states(view([host], [answered(A), answered(B)])) == {A: "warning", B: "passed"}


def test_certificates_go_by_days(view):
    host = HostStatus("h1", True, certificate_days={A: 15, B: 9})
    assert [one.text[-12:] for one in view([host]).concerns] == [" 9 days left", "15 days left"]


def test_a_page_has_state_sheet_and_history_and_loads_nothing(view):
    made = dict(pages.render(view(results=[answered(A), answered(B, "failed", NASTY)]), NOW))
    assert [*made] == [f"{B}.html", f"{A}.html", "index.html"]
    assert "aaaa" in made[f"{A}.html"]
    assert "li@office" in made[f"{A}.html"]
    assert "WeCom app handover sheet" in made[f"{A}.html"]
    assert f'href="{A}.html"' in made["index.html"]
    assert "nothing to do" not in made["index.html"]
    assert "nothing to do" in made[f"{A}.html"]
    for text in made.values():
        assert '<time id="made" datetime="2026-11-28T07:00:00Z">2026-11-28 07:00 UTC' in text
        assert not re.search(r"""(src|href)=["']?(https?:|//)|@import|url\(""", text)
        assert text.count("<script>") == 1
    assert "said &lt;script&gt;alert(1)&lt;/script&gt; &amp; 502" in made["index.html"]
    assert "said &lt;script&gt;" in made[f"{B}.html"]


def test_a_host_tells_where_its_releases_came_from():
    line = f"{ORIGIN.line()} {ORIGIN.at}"
    known = state.read(["history aaaa bbbb", f"origin:aaaa {line}", "version:aaaa 0.3.0", "origin:bbbb <script>"])
    assert known.past == (PastRelease("aaaa", ORIGIN, "0.3.0"), PastRelease("bbbb"))


@pytest.fixture
def run(inventory, monkeypatch):
    """Runs the command on these sites, with answers in place of asking."""

    def start(*domains, options=()):
        monkeypatch.setattr(command, "ask_hosts", lambda *_: [FINE])
        monkeypatch.setattr(outside.balancers, "days_left", lambda _: {})
        monkeypatch.setattr(outside.whole_fleet, "ask", lambda *_: [answered(one) for one in domains])
        arguments = ["overview", inventory(*domains), "--out", "out", *options]
        return CliRunner().invoke(main, arguments, catch_exceptions=False)

    return start


def test_pages_of_sites_that_have_gone_are_removed_and_others_files_stay(run, tmp_path):
    assert run(A, B).exit_code == 0
    out = tmp_path / "out"
    assert sorted(one.name for one in out.iterdir()) == [f"{A}.html", f"{B}.html", "index.html"]
    (out / "own.html").write_text("mine")
    (out / "notes.txt").write_text("mine")
    done = run(A)
    assert (done.exit_code, "1 removed" in done.stdout) == (0, True)
    assert sorted(one.name for one in out.iterdir()) == [f"{A}.html", "index.html", "notes.txt", "own.html"]
    assert (out / "own.html").read_text() == "mine"


def test_somebody_elses_page_of_a_name_is_not_replaced(run, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / f"{A}.html").write_text("mine")
    done = run(A)
    assert done.exit_code == 1
    assert (
        done.stderr
        == f"error: out/{A}.html: is not a page of overview and stays; name another folder, or move it away\n"
    )
    assert [one.name for one in (tmp_path / "out").iterdir()] == [f"{A}.html"]


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "there.html").write_text(folder.MARK)
    (tmp_path / "index.html").symlink_to("there.html")
    with pytest.raises(folder.OthersFileError):
        folder.write(tmp_path, [("index.html", "new")])
    assert folder.remove_gone(tmp_path, ["there.html"]) == []


def test_pages_stay_where_the_inventory_has_errors(run, inventory, tmp_path, monkeypatch):
    """An entry with a mistake is left out; its site is there all the same."""
    assert run(A, B).exit_code == 0
    real = command.load_or_stop

    def with_error(*args, **options):
        fleet = real(*args, **options)
        return replace(fleet, problems=[*fleet.problems, Problem("h2", B, "edge", "is missing")])

    monkeypatch.setattr(command, "load_or_stop", with_error)
    assert run(A).exit_code == 0
    assert (tmp_path / "out" / f"{B}.html").exists()


def test_where_nothing_can_be_written_it_fails(run, tmp_path):
    (tmp_path / "out").write_text("")
    done = run(A)
    assert (done.exit_code, "--out out: cannot be written: Not a directory" in done.stderr) == (1, True)


def test_without_asking_from_outside_nothing_is_fine(run, tmp_path):
    assert run(A, options=["--no-outside"]).exit_code == 0
    assert "nobody asked from outside" in (tmp_path / "out" / f"{A}.html").read_text()


@pytest.mark.skipif(not shutil.which("chromium"), reason="no Chromium here; tests/lab/test_verify_page.py has one")
def test_pages_fit_a_phone(view, tmp_path):
    """In a frame as wide as a phone, since a window of Chromium's is never under 500 px."""
    host = HostStatus("h1", True, certificate_days={A: 5, B: -1}, problem="x" * 200, history=FINE.history * 3)
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    made = pages.render(view([host], [answered(A), answered(B, "failed", f"{NASTY} {'y' * 200}")]), long_ago)
    names = folder.write(tmp_path, made)
    measured = """<body style=margin:0><script>onmessage = e => { document.title += e.data + ';' }</script>"""
    probe = """<script>onload = () => {
      document.querySelectorAll('details').forEach(one => one.open = true);
      const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      let least = 99;
      while (texts.nextNode()) {
        const around = texts.currentNode.parentNode;
        if (texts.currentNode.textContent.trim() && around.tagName != 'SCRIPT')
          least = Math.min(least, parseFloat(getComputedStyle(around).fontSize));
      }
      parent.postMessage([document.documentElement.scrollWidth, least, document.getElementById('old').hidden,
        performance.getEntriesByType('resource').length].join(' '), '*');
    }</script></body>"""
    for name in names:
        (tmp_path / f"probe-{name}").write_text((tmp_path / name).read_text().replace("</body>", probe))
        measured += f'<iframe src="probe-{name}" width=390 height=800 style=border:0></iframe>'
    (tmp_path / "frames.htm").write_text(f"<!DOCTYPE html><meta charset=utf-8><title>=</title>{measured}")
    start = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    start += ["--virtual-time-budget=5000", "--dump-dom", f"file://{tmp_path}/frames.htm"]
    dom = subprocess.run(start, check=True, capture_output=True, text=True, timeout=60).stdout
    (title,) = re.findall(r"<title>=([^<]*);</title>", dom)
    for text in title.split(";"):
        width, least, hidden, fetched = text.split()
        assert int(width) <= 390
        assert float(least) >= 14
        assert (hidden, fetched) == ("false", "0"), "it says that it is old, and fetches nothing"
    assert title.count(";") == 2
    for name in names:
        for link in re.findall(r'href="([^"]+)"', (tmp_path / name).read_text()):
            assert (tmp_path / link).is_file()


def test_what_was_found_is_told_in_both_languages_whoever_writes_the_pages(view):
    host = HostStatus("h1", True, certificate_days={A: 5, B: 60}, problem="nginx does not answer")
    wrong = Problem("h2", "", "sites", "missing")
    made = dict(pages.render(view([host], [answered(A), answered(B, "failed", "timed out")], [wrong]), NOW))
    for english, chinese in (
        (">missing<", ">缺少<"),
        ("the certificate is about to expire: 5 days left", "证书马上到期：剩余 5 天"),
        ("1 of 1 check failed", "1 项失败（共 1 项检查）"),
    ):
        assert any(english in text for text in made.values()), english
        assert any(chinese in text for text in made.values()), chinese
