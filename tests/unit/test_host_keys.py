"""Keys of a host that were meant to be others."""

from __future__ import annotations

import pytest

from gateway.fleet import load
from gateway.host_keys import warnings

from .conftest import REPO


@pytest.mark.parametrize(("key", "meant"), [("ssh_usr", "ssh_user"), ("sudo", "_sudo"), ("SSH_PORT", "ssh_port")])
def test_a_slip_is_named(key, meant):
    (problem,) = warnings("h1", [key, "sites"])
    assert str(problem) == f'h1: {key}: is read by nobody; did you mean "{meant}"?'
    assert problem.severity == "warning"


@pytest.mark.parametrize("keys", [["sites", "ssh_user", "_sudo", "platforms", "name"], ["rack", "owner_of_this"]])
def test_known_keys_and_an_operators_own_are_left_alone(keys):
    assert warnings("h1", keys) == []


def test_an_inventory_tells_it(tmp_path, monkeypatch):
    monkeypatch.chdir(REPO)
    path = tmp_path / "slip.py"
    path.write_text('wanxiao_prod = [("h1", {"ssh_prot": 22, "sites": [{"domain": "wx.a.edu.cn", "edge": "slb"}]})]')
    assert any(problem.field == "ssh_prot" for problem in load(str(path)).problems)
