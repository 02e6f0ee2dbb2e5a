"""Values that no file can be called, and very long ones, are told in a line and end no command with a traceback."""

from __future__ import annotations

import pytest

from gateway.fleet import ssh_keys
from gateway.fleet.loading import load


@pytest.mark.parametrize("domain", ["'\\ud800'", "'a\\0b'", "'a' * 100_000", "'中文.example'"])
def test_a_domain(inventory, domain):
    fleet = load(inventory(f'wanxiao_prod = [("h", {{"sites": [{{"domain": {domain}, "edge": "slb"}}]}})]'))
    (problem,) = [one for one in fleet.problems if one.host == "h"]
    assert problem.field == "domain"
    assert len(str(problem)) < 500


@pytest.mark.parametrize("key", ["'\\ud800'", "'D:\\0keys'"])
def test_a_keys_file(inventory, key):
    fleet = load(inventory(f'wanxiao_prod = [("h", {{"sites": [], "ssh_key": {key}}})]'))
    (problem,) = ssh_keys.warnings(fleet)
    assert problem.text.endswith("No such file or directory; put the private key there, or correct `ssh_key`")


@pytest.mark.parametrize("key", ["slb_cidrs", "allow"])
@pytest.mark.parametrize("value", ["'a' * 100_000", "[1] * 100_000", "{'a': 1}", "[['10.0.0.0/24'] * 10_000]"])
def test_a_long_value_is_cut(inventory, key, value):
    site = f'{{"domain": "wx.a.edu.cn", "edge": "slb", "{key}": {value}}}'
    fleet = load(inventory(f'wanxiao_prod = [("h", {{"sites": [{site}]}})]'))
    assert all(len(str(one)) < 500 for one in fleet.problems)
