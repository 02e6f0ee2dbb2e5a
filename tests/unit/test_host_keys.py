"""Keys of a host that were meant to be others."""

from __future__ import annotations

import pytest
from pyinfra.api import Inventory

from gateway.fleet.host_keys import errors, warnings
from gateway.fleet.loading import load

from .conftest import REPO


@pytest.mark.parametrize(("key", "meant"), [("ssh_usr", "ssh_user"), ("sudo", "_sudo"), ("SSH_PORT", "ssh_port")])
def test_a_slip_is_named(key, meant):
    (problem,) = warnings("h1", [key, "sites"])
    assert str(problem) == f'h1: {key}: is read by nobody; did you mean "{meant}"?'
    assert problem.severity == "warning"


@pytest.mark.parametrize(
    ("key", "beside"), [("site", "sites"), ("Sites", "sites"), ("metric", "metrics"), ("egres", "egress")]
)
def test_a_slip_beside_the_key_itself_is_named(key, beside):
    (problem,) = warnings("h1", [key, beside, "sites"])
    assert str(problem) == f'h1: {key}: is read by nobody; did you mean "{beside}"?'


def test_a_slip_in_place_of_sites_is_an_error_of_its_own():
    assert warnings("h1", ["site"]) == []


@pytest.mark.parametrize(
    "keys", [["sites", "ssh_user", "_sudo", "platforms", "name"], ["rack", "owner_of_this", "side"]]
)
def test_known_keys_and_an_operators_own_are_left_alone(keys):
    assert warnings("h1", keys) == []


def test_an_inventory_tells_it(tmp_path, monkeypatch):
    monkeypatch.chdir(REPO)
    path = tmp_path / "slip.py"
    path.write_text('wanxiao_prod = [("h1", {"ssh_prot": 22, "sites": [{"domain": "wx.a.edu.cn", "edge": "slb"}]})]')
    assert any(problem.field == "ssh_prot" for problem in load(str(path)).problems)


def _errors(name, data, **more):
    host = Inventory(([(name, data)], {}), **more).hosts
    return [str(problem) for one in host.values() for problem in errors(one)]


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("ssh_port", "2222", "is of type str; right would be a number without quotes, like 22"),
        ("ssh_port", None, "is of type NoneType; right would be a number without quotes, like 22"),
        ("ssh_port", 70000, "is no port; right would be a number from 1 to 65535, like 22"),
        ("ssh_port", -1, "is no port; right would be a number from 1 to 65535, like 22"),
        ("ssh_user", 5, "is of type int; right would be text in quotes"),
        ("ssh_key", ["~/.ssh/id_ed25519"], "is of type list; right would be text in quotes"),
        ("ssh_password", 123456, "is of type int; right would be text in quotes"),
        ("ssh_hostname", 5, "is of type int; right would be text in quotes"),
        ("ssh_allow_agent", "no", "is of type str; right would be True or False"),
        ("ssh_strict_host_key_checking", True, "is of type bool; right would be text in quotes"),
        ("ssh_connect_retry_min_delay", "1", "is of type str; right would be a number without quotes, like 0.5"),
    ],
)
def test_a_setting_of_the_wrong_kind_is_an_error_without_its_value(key, value, text):
    assert _errors("h1", {key: value}) == [f"h1: {key}: {text}"]


def test_settings_of_a_connector_of_its_own_are_judged_too():
    assert _errors("@docker/debian:12", {"docker_platform": 5}) == [
        "@docker/debian:12: docker_platform: is of type int; right would be text in quotes"
    ]
    assert _errors("@local", {"ssh_port": "of no use here"}) == []


@pytest.mark.parametrize(
    "name",
    [
        "bad..name",
        ".name",
        "a" * 64,
        "a." * 130,
        "h 1",
        "h1,",
        "ops@h1",
        "h1:22",
        "ssh://h1",
        "[::1]",
        "*",
        "h\n1",
        "300.0.113.10",
        "203.0.113.10.11",
        ".",
    ],
)
def test_a_name_that_nothing_can_have_is_an_error(name):
    for data in ({}, {"ssh_hostname": ""}):
        (problem,) = _errors(name, data)
        assert "is no host name or address; right would be" in problem
        assert "\n" not in problem
    (problem,) = _errors("h1", {"ssh_hostname": name})
    assert problem.startswith("h1: ssh_hostname: ")


@pytest.mark.parametrize(
    "name",
    ["h1", "gw_1", "203.0.113.10", "::1", "2001:db8::10", "fe80::1%eth0", "gw.example.com.", "学校.example.com", "-x"],
)
def test_any_other_name_may_stay(name):
    assert _errors(name, {}) == []
    assert _errors("The school's gateway", {"ssh_hostname": name}) == []


@pytest.mark.parametrize("name", ["@local", "@docker/debian:12", "@fake/any one", "@ssh/gw.example.com"])
def test_names_of_connectors_are_their_own(name):
    assert _errors(name, {}) == []


def test_the_address_in_the_name_of_a_connector_is_judged():
    (problem,) = _errors("@ssh/bad..name", {})
    assert problem.startswith("@ssh/bad..name: ssh_hostname: ")


def test_a_key_that_is_no_text_is_told():
    (problem,) = warnings("h1", [5, "sites"])
    assert str(problem) == "h1: 5: is read by nobody; keys are text in quotes"


def test_an_inventory_with_such_a_host_cannot_be_deployed(tmp_path, monkeypatch):
    monkeypatch.chdir(REPO)
    path = tmp_path / "settings.py"
    site = '"sites": [{"domain": "wx.a.edu.cn", "edge": "slb"}]'
    path.write_text(
        f'wanxiao_prod = [("h1", {{"ssh_port": "22", 5: 1, {site}}}), ("h..2", {{{site}}}), ("h3", {{{site}}})]'
    )
    fleet = load(str(path))
    assert [host.name for host in fleet.hosts] == ["h3"]
    assert {problem.host for problem in fleet.problems if problem.severity == "error"} == {"h1", "h..2"}
