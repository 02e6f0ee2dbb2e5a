"""`verify --compare` as an operator types it: old servers, exit codes, what is printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.main import main
from gateway.fleet.loading import load
from gateway.outside import compare_fleet, places, probe
from gateway.outside.compare_difference import Comparison, Difference
from gateway.outside.compare_servers import Server, old_servers

from .conftest import REPO

SITE = {"domain": "a.edu.cn", "edge": "slb", "platform": "wanxiao_prod"}
OTHER = {"domain": "b.edu.cn", "edge": "slb", "platform": "wanxiao_test"}


def _difference(right, **more):
    return Difference("route", "https://a.edu.cn/", "Location", "https://a.edu.cn/x", "http://x", right, "why", **more)


def _compared(*differences):
    return Comparison("a.edu.cn", ("h1",), "203.0.113.1", "203.0.113.5", 9, differences)


@pytest.fixture
def path(tmp_path, monkeypatch):
    """An inventory of two hosts with a site each."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "group_data").symlink_to(REPO / "group_data")
    hosts = [("h1", {"sites": [SITE], "ssh_hostname": "203.0.113.1"}), ("h2", {"sites": [OTHER]})]
    (tmp_path / "own.py").write_text(f"hosts = {hosts!r}\n")
    return str(tmp_path / "own.py")


@pytest.fixture
def compare(path, monkeypatch):
    """Runs the command with these comparisons instead of asking."""

    def start(*options, results=()):
        monkeypatch.setattr(compare_fleet, "ask", lambda *_: list(results))
        arguments = ["verify", path, "--compare", "203.0.113.5", *options]
        return CliRunner().invoke(main, arguments, catch_exceptions=False)

    return start


@pytest.mark.parametrize(
    ("rights", "code"),
    [
        ([], 0),
        (["neutral"], 0),
        (["gateway"], 1),
        (["old"], 1),
        (["neither"], 1),
        (["open"], 1),
        (["unasked"], 1),
        (["neutral", "open"], 1),
    ],
)
def test_exit_0_is_alike_and_anything_that_differs_1(compare, rights, code):
    done = compare(results=[_compared(*map(_difference, rights))])
    assert done.exit_code == code
    assert f"1 place compared, {1 - code} alike" in done.output
    assert "\x1b[" not in done.output


def test_nothing_compared_is_not_alike(compare):
    assert compare(results=[]).exit_code == 1


def test_a_faulty_inventory_is_not_alike(compare, path):
    Path(path).write_text(f"hosts = {[('h1', {'sites': [SITE]}), ('h2', {'sites': [{**OTHER, 'edge': 'x'}]})]!r}\n")
    done = compare(results=[_compared()])
    assert done.exit_code == 1
    assert "error: h2: b.edu.cn" in done.stderr


def test_both_sides_are_shown_and_who_is_right(compare):
    done = compare(results=[_compared(_difference("gateway", others=("https://a.edu.cn:9001/",)))])
    assert "1 difference: 1 the gateway is right" in done.output
    assert "the gateway is right: a.edu.cn: route: https://a.edu.cn/ and 1 other: Location" in done.output
    assert "    gateway: https://a.edu.cn/x\n    old server: http://x\n    why\n" in done.output


def test_json_has_every_difference(compare):
    done = compare("--json", results=[_compared(_difference("old"))])
    told = json.loads(done.stdout)
    assert told["alike"] is told["comparisons"][0]["alike"] is False
    assert told["comparisons"][0]["differences"][0]["right"] == "old"
    assert done.exit_code == 1


def test_a_comparison_has_no_page(compare):
    done = compare("--report", "out.html")
    assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)
    assert "a comparison has no page" in done.stderr


WRONG = [
    ("203.0.113.5:8443", "203.0.113.5,443=8443"),
    ("", "right would be"),
    ("old_server", "right would be"),
    ("http://203.0.113.5", "right would be"),
    ("203.0.113.5,8443", "right would be"),
    ("203.0.113.5,443=99999", "right would be"),
    ("203.0.113.5,443=0", "right would be"),
    ("203.0.113.5,8443=443", "no site is asked on 8443"),
    ("b.edu.cn:203.0.113.5,22=23", "no site is asked on 22 but on 80, 443, 9001"),
    ("z.edu.cn:203.0.113.5", "no chosen host has a site z.edu.cn"),
    ("nowhere.invalid", "nowhere.invalid does not resolve"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_a_wrong_old_server_is_one_line(path, text, said):
    done = CliRunner().invoke(main, ["verify", path, f"--compare={text}"], catch_exceptions=False)
    assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)
    assert said in done.stderr


def test_an_old_server_is_for_all_sites_or_for_one(path, monkeypatch):
    hosts = load(path).hosts
    monkeypatch.setattr(places, "lookup", lambda name: {"old.edu.cn": ["203.0.113.6"]}[name])
    every, one = Server("203.0.113.5", {443: 8443, 80: 8080}), Server("203.0.113.6")
    texts = ["203.0.113.5,443=8443,80=8080", "b.edu.cn:old.edu.cn"]
    for order in (texts, texts[::-1]):
        assert old_servers(hosts, order) == {"a.edu.cn": every, "b.edu.cn": one}
    assert old_servers(hosts, ["b.edu.cn:[2001:db8::1]"]) == {"b.edu.cn": Server("2001:db8::1")}
    assert old_servers(hosts, ["2001:db8::1"])["a.edu.cn"] == Server("2001:db8::1")
    for twice in (["203.0.113.5", "203.0.113.6"], ["b.edu.cn:203.0.113.5", "b.edu.cn:203.0.113.6"]):
        with pytest.raises(ValueError, match="has been named before"):
            old_servers(hosts, twice)


def test_only_sites_that_have_an_old_server_are_compared(path, monkeypatch):
    monkeypatch.setattr(compare_fleet, "compare", lambda visit, old: _compared())
    seen = []
    addresses = {"a.edu.cn": "203.0.113.1", "b.edu.cn": "203.0.113.1"}
    old = {"b.edu.cn": Server("203.0.113.5")}
    found = compare_fleet.ask(load(path), addresses, old, None, lambda *n: seen.append(n))
    assert len(found) == 1
    assert seen == [(0, 1), (1, 1)]


def test_the_old_server_itself_is_not_taken_for_the_gateway(path, monkeypatch):
    """As long as DNS still names the old server, comparing it with itself would find both alike."""
    monkeypatch.setattr(places, "lookup", lambda name: ["203.0.113.5"])
    monkeypatch.setattr(probe.Client, "_connection", None)
    done = CliRunner().invoke(main, ["verify", path, "--compare", "203.0.113.5"], catch_exceptions=False)
    assert done.exit_code == 1
    assert "not compared: a.edu.cn" in done.stdout
    assert "--resolve a.edu.cn:ADDRESS" in done.stdout


def test_a_domain_that_does_not_resolve_is_a_sentence(path, monkeypatch):
    def fails(name):
        raise OSError("no")

    monkeypatch.setattr(places, "lookup", fails)
    done = CliRunner().invoke(main, ["verify", path, "--compare", "203.0.113.5"], catch_exceptions=False)
    assert done.exit_code == 1
    assert "does not resolve" in done.stdout
