"""One mistake in a platform or in a group's data is told once, with how many hosts or sites it concerns."""

from __future__ import annotations

import pytest

from gateway.fleet.loading import load

from .conftest import REPO

SITES = '{"sites": [{"domain": "wx%d.a.edu.cn", "edge": "slb"}, {"domain": "wx%d.b.edu.cn", "edge": "slb"}]}'
HOSTS = ", ".join(f'("h{number}", {SITES % (number, number)})' for number in range(5))


@pytest.fixture
def told(tmp_path, monkeypatch):
    """What is told of an inventory with one group, but for verification files that are missing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "group_data").mkdir()

    def check(everybody: str, group: str, hosts: str = HOSTS) -> list[str]:
        shipped = (REPO / "group_data/all.py").read_text()
        (tmp_path / "group_data/all.py").write_text(f"{shipped}\n{everybody}\n")
        (tmp_path / "group_data/own.py").write_text(group)
        (tmp_path / "prod.py").write_text(f"own = [{hosts}]\n")
        return [str(one) for one in load("prod.py").problems if one.field != "verify"]

    return check


BROKEN = 'platforms["mine"] = {"routes": [%s, %s]}' % (
    ('{"port": "entry", "path": "/", "upstream": "https://a.example/"}',) * 2
)


@pytest.mark.parametrize(
    ("everybody", "group", "wanted"),
    [
        (
            'platforms["mine"] = {"routes": "bk", "max_bod": "1m"}',
            'platform = "wanxiao_prod"',
            'platforms["mine"].max_bod: unknown key; did you mean "max_body"? (it concerns 5 hosts, like h0)',
        ),
        (
            "",
            'platform = "wanxiao_prd"',
            "platform: 'wanxiao_prd' is unknown; did you mean \"wanxiao_prod\"? "
            "(it concerns 10 sites, like wx0.a.edu.cn)",
        ),
        (
            BROKEN,
            'platform = "mine"',
            "platform: two routes for / on port 80; keep one (it concerns 10 sites, like wx0.a.edu.cn)",
        ),
        (
            "",
            'platform = "wanxiao_prod"\nssh_port = "22"',
            "ssh_port: is of type str; right would be a number without quotes, like 22 (it concerns 5 hosts, like h0)",
        ),
        (
            "",
            'platform = "wanxiao_prod"\nfirewal = True',
            'firewal: is read by nobody; did you mean "firewall"? (it concerns 5 hosts, like h0)',
        ),
    ],
)
def test_it_is_told_once(told, everybody, group, wanted):
    assert told(everybody, group) == [wanted]


def test_of_one_host_it_keeps_its_place(told):
    hosts = f'("h0", {SITES % (0, 0)})'
    assert told("", 'platform = "wanxiao_prod"\nfirewal = True', hosts) == [
        'h0: firewal: is read by nobody; did you mean "firewall"?'
    ]


def test_what_hosts_have_themselves_is_told_at_each(told):
    hosts = HOSTS.replace('{"sites"', '{"firewal": True, "sites"')
    found = told("", 'platform = "wanxiao_prod"', hosts)
    assert found == [f'h{number}: firewal: is read by nobody; did you mean "firewall"?' for number in range(5)]
