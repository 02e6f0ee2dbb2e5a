"""One check tells everything: no mistake of an entry hides another, and each says where it belongs."""

from __future__ import annotations

import pytest

from .conftest import PLATFORMS

TLS = {"domain": "wx.school.edu.cn", "edge": "tls", "platform": "wanxiao_prod"}
SLB = {**TLS, "edge": "slb"}
BK = {"upstream": "https://paas.inner.example", "apps": ["bk_itsm"]}
ROW = {"port": "entry", "path": "/", "upstream": "https://a.example/"}


def _fields(problems):
    return [text.split(": ")[2] for text in problems]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"hsts": "1"}, "hsts"),
        ({"slb_cidr": []}, "slb_cidr"),
        ({"platform": "nope"}, "platform"),
        ({"platform": "bkitsm"}, "bk"),
        ({"platform": "bkitsm", "bk": {**BK, "apps": []}}, "bk.apps"),
        ({"bk": BK}, "bk"),
        ({"wecom": {"secret": "x"}}, "wecom.secret"),
    ],
)
def test_a_missing_certificate_and_a_wrong_verification_file_are_told_beside_another_mistake(
    files, parse, change, field
):
    folder = files / "verify" / TLS["domain"]
    folder.mkdir(parents=True)
    (folder / "WW_verify_54wuPnLpuTWkAF0Z.txt").write_bytes(b"<html>login</html>")
    host, problems = parse({**TLS, **change})
    assert host is None
    assert _fields(problems) == [field, str(folder / "WW_verify_54wuPnLpuTWkAF0Z.txt"), "cert", "cert"]
    assert "fullchain.pem is missing" in problems[2]
    assert "privkey.pem is missing" in problems[3]


def test_a_broken_platform_hides_nothing_of_its_sites(parse):
    _, problems = parse({**TLS, "platform": "own", "hsts": "1"}, platforms={"own": {"routes": []}})
    assert _fields(["h1: " + one if "platforms" in one else one for one in problems])[1:] == ["hsts", "cert", "cert"]


def test_what_hangs_on_a_wrong_key_is_not_made_up(parse):
    assert _fields(parse({**TLS, "edge": "x"})[1]) == ["edge"]
    assert _fields(parse({**TLS, "cert": "acme"})[1]) == ["cert"]
    assert _fields(parse({**TLS, "domain": "WX.school.edu.cn"})[1]) == ["domain"]
    assert _fields(parse({**SLB, "platform": "bkitsm", "bk": {}})[1]) == ["bk.upstream", "bk.apps"]


def test_rules_across_sites_hold_beside_another_mistake(parse, store_pair):
    store_pair("wx.b.edu.cn")
    _, problems = parse({**SLB, "hsts": "1"}, {**TLS, "domain": "wx.b.edu.cn"}, SLB)
    assert [text.split(": ")[1:3] for text in problems] == [
        ["wx.school.edu.cn", "hsts"],
        ["wx.school.edu.cn", "domain"],
        ["wx.b.edu.cn", "edge"],
    ]


def test_one_site_without_brackets_is_judged_all_the_same(parse):
    for sites in ({**SLB, "hsts": "1"}, {}):
        _, problems = parse(sites=sites)
        assert problems[0].startswith("h1: sites: is a dict, not a list; right would be [")
        assert len(problems) == (2 if sites else 1)
    _, problems = parse(sites=None, egress={"listen": "10.0.0.5:443"})
    assert [text.split(": ")[1] for text in problems] == ["sites", "egress.allow"]


def test_brackets_in_brackets_are_called_by_their_name(parse):
    _, (problem,) = parse([SLB])
    assert problem == "h1: sites[0]: is a list of sites inside the list of sites; take one pair of brackets away"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"corp_id": "ww1"}, 'corp_id: unknown key; it belongs into wecom: "wecom": {"corp_id": ...}'),
        ({"apps": ["a"]}, 'apps: unknown key; it belongs into bk: "bk": {"apps": ...}'),
        ({"email": "a@b.cn"}, 'email: unknown key; it belongs into cert.acme: "cert": {"acme": {"email": ...}}'),
        ({"wecom": {"hsts": 1}}, "wecom.hsts: unknown key; it belongs beside 'wecom', not into it"),
        ({"ssh_user": "a"}, 'ssh_user: unknown key; it belongs to the host, beside "sites"'),
        ({"egress": {}}, 'egress: unknown key; it belongs to the host, beside "sites"'),
        (
            {"read_timeout": 9},
            "read_timeout: unknown key; it belongs to the platform, in group_data/all.py",
        ),
    ],
)
def test_a_key_in_the_wrong_dict_is_told_where_it_belongs(parse, entry, message):
    assert parse({**SLB, **entry})[1] == [f"h1: wx.school.edu.cn: {message}"]


def test_a_sites_key_in_a_platform_is_told_where_it_belongs(parse):
    _, problems = parse(SLB, platforms={**PLATFORMS, "own": {"routes": [ROW], "hsts": 1}})
    assert problems == ['h1: platforms["own"].hsts: unknown key; it belongs into each site\'s dict, in the inventory']


def test_no_route_has_the_port_of_ssh(parse):
    own = {"routes": [ROW, {**ROW, "port": 22}]}
    host, (problem,) = parse({**SLB, "platform": "own"}, platforms={"own": own})
    assert host is None
    assert problem.startswith('h1: platforms["own"].routes[1].port: 22 is SSH\'s port')
    own = {"routes": [ROW, {**ROW, "port": 2222}]}
    host, (problem,) = parse({**SLB, "platform": "own"}, platforms={"own": own}, ssh_port=2222)
    assert host is None
    assert problem.startswith("h1: wx.school.edu.cn: platform: port 2222 is SSH's on this host")
    assert parse({**SLB, "platform": "own"}, platforms={"own": own}, ssh_port=2200)[1] == []


@pytest.mark.parametrize(("listen", "ssh_port"), [(22, 22), (22, 2222), (2222, 2222)])
def test_the_way_to_wecom_has_not_the_port_of_ssh_either(parse, listen, ssh_port):
    _, (problem,) = parse(SLB, ssh_port=ssh_port, egress={"listen": f"10.0.0.5:{listen}", "allow": ["10.0.0.0/24"]})
    assert problem.startswith(f"h1: egress.listen: port {listen} is SSH's on this host")
