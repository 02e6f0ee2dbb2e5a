"""Whole inventories: loaded as pyinfra does, checked before anything is connected to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.fleet.loading import InventoryError, load

from .conftest import REPO

TWO = """
wanxiao_prod = [("a1", {"sites": [{"domain": "wx.a.edu.cn", "edge": "slb"}]})]
wanxiao_test = [("b1", {"sites": [{"domain": "wx.b.edu.cn", "edge": "slb"}]}),
                ("b2", {"sites": [{"domain": "wx.c.edu.cn", "edge": "slb", "platform": "wanxiao_prod"}]})]
"""


def test_the_group_picks_the_platform_and_a_site_may_differ(inventory):
    fleet = load(inventory(TWO))
    assert {host.name: host.sites[0].platform for host in fleet.hosts} == {
        "a1": "wanxiao_prod",
        "b1": "wanxiao_test",
        "b2": "wanxiao_prod",
    }


@pytest.mark.parametrize(
    ("limit", "names"),
    [(["wanxiao_test"], {"b1", "b2"}), (["b*"], {"b1", "b2"}), (["a1", "b2"], {"a1", "b2"})],
)
def test_limit_means_what_it_means_to_pyinfra(inventory, limit, names):
    assert {host.name for host in load(inventory(TWO), limit=limit).hosts} == names


def test_exclude_leaves_hosts_out(inventory):
    assert {host.name for host in load(inventory(TWO), exclude=["wanxiao_test"]).hosts} == {"a1"}


def test_a_limit_that_names_nothing_is_an_error(inventory):
    with pytest.raises(InventoryError, match="--limit nope"):
        load(inventory(TWO), limit=["nope"])


def test_problems_outside_the_limit_do_not_stop_the_rest(inventory):
    text = TWO.replace("wx.a.edu.cn", "WX.a.edu.cn")
    assert any(problem.severity == "error" for problem in load(inventory(text)).problems)
    assert not any(problem.severity == "error" for problem in load(inventory(text), limit=["b1"]).problems)


def test_a_host_with_two_entries_is_refused_because_one_would_be_lost(inventory):
    text = TWO.replace('("b1"', '("a1"')
    (problem,) = [one for one in load(inventory(text)).problems if one.severity == "error"]
    assert str(problem).startswith("a1: sites: has two entries with data")


@pytest.mark.parametrize("name", ["prod", "test", "demo"])
def test_the_shipped_inventories_lack_nothing_but_certificates(monkeypatch, name):
    monkeypatch.chdir(REPO)
    wrong = [problem for problem in load(f"inventory/{name}.py").problems if problem.severity == "error"]
    assert all(problem.field == "cert" and "is missing" in problem.text for problem in wrong), wrong


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).parent / arguments[0]), *arguments[1:]],
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_bad_inventory_stops_pyinfra_before_it_connects_with_every_problem(inventory):
    text = TWO.replace("wx.a.edu.cn", "WX.a.edu.cn").replace("wx.b.edu.cn", "*.b.edu.cn")
    # a host that would hang if it were connected to
    text += 'bkitsm = [("192.0.2.1", {"sites": [{"domain": "wx.d.edu.cn", "edge": "xxx"}]})]'
    done = _run("pyinfra", "-y", inventory(text), "deploy.py")
    assert done.returncode == 1
    for place in ("a1: WX.a.edu.cn: domain:", "b1: *.b.edu.cn: domain:", "192.0.2.1: wx.d.edu.cn: edge:"):
        assert place in done.stderr
    assert "Connecting" not in done.stderr
    assert "Traceback" not in done.stderr
    assert "4 problems" in done.stderr  # and its platform needs "bk"


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("bad..name", "", 'bad..name: "bad..name" is no host name or address'),
        ("192.0.2.1", '"ssh_port": "2222", ', "192.0.2.1: ssh_port: is of type str"),
        ("", "", "bkitsm[0]: is no host"),
    ],
)
def test_a_deploy_stops_at_a_host_that_it_could_not_connect_to(inventory, name, data, message):
    text = f'{TWO}bkitsm = [("{name}", {{{data}"sites": [{{"domain": "wx.d.edu.cn", "edge": "slb"}}]}})]\n'
    done = _run("pyinfra", "-y", inventory(text), "deploy.py")
    assert done.returncode == 1
    assert message in done.stderr
    assert "no host was contacted" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_deploy_to_a_name_that_is_none_is_one_message():
    done = _run("pyinfra", "-y", "a..b", "deploy.py")
    assert done.returncode == 1
    assert "a..b: no hosts can be read from it" in done.stderr
    assert "Traceback" not in done.stderr


def test_debugging_an_inventory_works_even_when_it_is_wrong(inventory):
    done = _run("pyinfra", inventory(TWO.replace("wx.a.edu.cn", "WX.a.edu.cn")), "debug-inventory")
    assert done.returncode == 0, done.stderr
    assert "WX.a.edu.cn" in done.stdout + done.stderr


def test_check_exits_with_what_it_found(inventory):
    good = _run("python", "-m", "gateway", "check", inventory(TWO))
    assert good.returncode == 0
    assert "3 sites can be deployed, 0 errors, 3 warnings" in good.stdout
    bad = _run("python", "-m", "gateway", "check", inventory(TWO.replace("wx.a", "WX.a")), "--json")
    assert bad.returncode == 1
    assert '"field": "domain"' in bad.stdout
    broken = _run("python", "-m", "gateway", "check", inventory("x = ["))
    assert broken.returncode == 1
    assert "Traceback" not in broken.stderr
