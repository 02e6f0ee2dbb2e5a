"""Two entries of an inventory that are one machine are refused, and those that only look like it are not."""

from __future__ import annotations

import pytest

from gateway.fleet.loading import load


def _at(*hosts: str) -> str:
    """An inventory of one school for each host, given as name and data in its source."""
    entries = [
        f'("{name}", {{{data}"sites": [{{"domain": "wx{number}.a.edu.cn", "edge": "slb"}}]}}),'
        for number, (name, _, data) in enumerate(host.partition(" ") for host in hosts)
    ]
    return f"wanxiao_prod = [{' '.join(entries)}]\n"


def _errors(fleet):
    return [str(problem) for problem in fleet.problems if problem.severity == "error"]


@pytest.mark.parametrize(
    "hosts",
    [
        ('gw-a "ssh_hostname": "203.0.113.10", ', 'gw-b "ssh_hostname": "203.0.113.10", '),
        ("203.0.113.10", 'gw-b "ssh_hostname": "203.0.113.10", '),
        ("203.0.113.10", 'gw-b "ssh_hostname": "203.0.113.10", "ssh_port": 22, "ssh_user": "ops", '),
        ('a "ssh_hostname": "127.0.0.1", "ssh_port": 2222, ', 'b "ssh_hostname": "127.0.0.1", "ssh_port": 2222, '),
        ("gw.a.edu.cn", "GW.a.edu.cn."),
        ("gw.a.edu.cn", "@ssh/gw.a.edu.cn"),
        ("2001:db8::10", "2001:DB8:0::10"),
    ],
)
def test_two_names_for_one_address_are_refused_because_each_deploy_would_undo_the_other(inventory, hosts):
    wrong = _errors(load(inventory(_at(*hosts))))
    names = [host.partition(" ")[0] for host in hosts]
    assert [text.partition(": ssh_hostname: ")[0] for text in wrong] == names
    for text, other in zip(wrong, reversed(names), strict=True):
        assert f" is the address of {other} too" in text
        assert "put all its sites into one entry" in text


def test_the_other_name_of_an_address_may_lie_outside_the_limit(inventory):
    """A host's release is the whole tree: a deploy of the one would take away the sites of the other."""
    path = inventory(_at("203.0.113.10", 'gw-b "ssh_hostname": "203.0.113.10", ', "203.0.113.12"))
    (wrong,) = _errors(load(path, limit=["gw-b"]))
    assert wrong.startswith('gw-b: ssh_hostname: "203.0.113.10" is the address of 203.0.113.10 too')
    assert _errors(load(path, limit=["203.0.113.12"])) == []


@pytest.mark.parametrize(
    "hosts",
    [
        # behind one NAT, as Vagrant's machines are
        ('a "ssh_hostname": "127.0.0.1", "ssh_port": 2222, ', 'b "ssh_hostname": "127.0.0.1", "ssh_port": 2200, '),
        ("127.0.0.1", 'b "ssh_hostname": "127.0.0.1", "ssh_port": 2222, '),
        # the same inner address in two schools, each behind a jump host of its own
        ('a "ssh_hostname": "10.0.0.5", "ssh_config_file": "a", ', 'b "ssh_hostname": "10.0.0.5", '),
        ("@docker/one", "@docker/two"),
        ('@docker/one "ssh_hostname": "h", ', '@docker/two "ssh_hostname": "h", '),
        ("@local", "127.0.0.1"),
    ],
)
def test_hosts_that_only_look_alike_are_no_error(inventory, hosts):
    assert _errors(load(inventory(_at(*hosts)))) == []


def test_an_address_that_is_none_is_told_once(inventory):
    wrong = _errors(load(inventory(_at('a "ssh_hostname": 5, ', 'b "ssh_hostname": 5, '))))
    assert [text.partition(": is of type int")[0] for text in wrong] == ["a: ssh_hostname", "b: ssh_hostname"]
