"""How long certificates last: told by `check`, in the way of a deploy unless the operator says otherwise."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta

import click
import pytest
from click.testing import CliRunner

from gateway.cli.main import main
from gateway.deploys import checked, preflight

from .conftest import REPO

INVENTORY = """
wanxiao_prod = [
    ("a1", {"sites": [{"domain": "wx.a.edu.cn", "edge": "tls"}]}),
    ("b1", {"sites": [{"domain": "wx.b.edu.cn", "edge": "tls"}]}),
]
"""


@pytest.fixture
def checkout(files, monkeypatch):
    """A checkout with two schools at edge tls, as the current folder."""
    monkeypatch.chdir(files.parent)
    (files.parent / "group_data").symlink_to(REPO / "group_data")
    (files.parent / "prod.py").write_text(INVENTORY)
    return files.parent


def _check(*options: str):
    done = CliRunner().invoke(main, ["check", "prod.py", *options])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


def test_check_tells_the_days_left_soonest_first(checkout, store_pair):
    store_pair("wx.a.edu.cn", end=timedelta(days=60, minutes=1))
    store_pair("wx.b.edu.cn", end=timedelta(days=5, minutes=1))
    done = _check()
    assert done.exit_code == 0
    told = [line for line in done.stdout.splitlines() if line.startswith("certificate: ")]
    assert [line.partition(", until")[0] for line in told] == [
        "certificate: b1: wx.b.edu.cn: 5 days left",
        "certificate: a1: wx.a.edu.cn: 60 days left",
    ]
    assert "warning: b1: wx.b.edu.cn: cert: expires in 5 days" in done.stdout
    listed = json.loads(_check("--json").stdout)["certificates"]
    assert [(one["host"], one["domain"], one["days"]) for one in listed] == [
        ("b1", "wx.b.edu.cn", 5),
        ("a1", "wx.a.edu.cn", 60),
    ]


def test_check_refuses_an_expired_certificate_and_a_key_in_git(checkout, store_pair):
    store_pair("wx.a.edu.cn")
    store_pair("wx.b.edu.cn", end=timedelta(hours=-1))
    for command in (["init", "-q"], ["add", "-f", "files"]):
        subprocess.run(["git", *command], check=True, capture_output=True)
    done = _check()
    assert done.exit_code == 1
    assert "error: b1: wx.b.edu.cn: cert: expired on" in done.stdout
    assert "error: wx.a.edu.cn: cert: git tracks the private key files/certs/wx.a.edu.cn/privkey.pem" in done.stdout


@pytest.mark.parametrize(
    ("data", "stopped"), [((), True), (("allow_expired=0",), True), (("x=y", "allow_expired=1"), False)]
)
def test_a_deploy_with_an_expired_certificate_stops_unless_it_is_told_to_go_on(
    checkout, store_pair, capsys, data, stopped
):
    store_pair("wx.a.edu.cn")
    store_pair("wx.b.edu.cn", end=timedelta(hours=-1))
    given = {"inventory": "prod.py", "operations": ("deploy.py",), "data": data}
    with click.Context(click.Command("pyinfra")) as context:
        context.params.update(given)
        checked.keep([])
        if stopped:
            with pytest.raises(SystemExit) as ended:
                preflight.stop_on_problems()
            assert ended.value.code == 1
        else:
            preflight.stop_on_problems()
            assert checked.host("b1").certs["wx.b.edu.cn"].key
    checked.keep([])
    label = "error" if stopped else "warning"
    assert f"--> {label}: b1: wx.b.edu.cn: cert: expired on" in capsys.readouterr().err
