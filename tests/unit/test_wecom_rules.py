"""What WeCom would refuse, told before it does."""

from __future__ import annotations

import pytest

from gateway.fleet.parsing import parse_host
from gateway.fleet.wecom_rules import warnings

from .conftest import PLATFORMS

SITE = {"domain": "wx.a.edu.cn", "edge": "slb", "platform": "wanxiao_prod"}


@pytest.fixture
def told(files):
    """The warnings about hosts, each given as its sites."""

    def check(*all_sites: list[dict], platforms=PLATFORMS) -> list[str]:
        hosts = []
        for number, sites in enumerate(all_sites):
            host, problems = parse_host(f"1.2.3.{number}", {"platforms": platforms, "sites": sites}, files)
            assert host, problems
            hosts.append(host)
        found = warnings(hosts)
        assert all(problem.severity == "warning" for problem in found)
        return [str(problem) for problem in found]

    return check


def test_the_shipped_platforms_have_nothing_to_warn_of(told):
    bk = {"upstream": "https://paas.inner.example", "apps": ["itsm"]}
    for name in PLATFORMS:
        assert told([{**SITE, "platform": name, **({"bk": bk} if name == "bkitsm" else {})}]) == []


@pytest.mark.parametrize("edge_port", [80, "entry"])
def test_a_route_on_the_default_port_is_enough_however_it_is_written(told, edge_port):
    platform = {"routes": [{"port": edge_port, "path": "/", "upstream": "https://a.example/"}]}
    assert told([{**SITE, "platform": "own"}], platforms={"own": platform}) == []


def test_an_app_on_9001_alone_would_need_a_domain_with_a_port(told):
    platform = {"routes": [{"port": 9001, "path": "/", "upstream": "https://a.example/"}]}
    (text,) = told([{**SITE, "platform": "own"}], platforms={"own": platform})
    assert text == (
        '1.2.3.0: wx.a.edu.cn: platform: "own" has routes on port 9001 only; a WeCom app opens on the default port, '
        'and a domain with a port can be no JS-SDK domain: give the app\'s route "port": "entry"'
    )


def test_the_gateway_itself_does_not_call_wecom(told):
    (text,) = told([{**SITE, "wecom": {"trusted_ips": ["1.2.3.0", "1.2.3.9"]}}])
    assert text.startswith("1.2.3.0: wx.a.edu.cn: wecom.trusted_ips: 1.2.3.0 is this gateway")


def test_a_gateway_that_passes_calls_on_to_wecom_is_seen_by_its_own_address(files):
    """docs/hosts.md, "Application servers without internet access": that address goes into the app's trusted IPs."""
    data = {
        "platforms": PLATFORMS,
        "sites": [{**SITE, "wecom": {"trusted_ips": ["1.2.3.4"]}}],
        "egress": {"listen": "10.0.0.5:443", "allow": ["10.0.0.0/24"]},
    }
    host, problems = parse_host("1.2.3.4", data, files)
    assert host, problems
    assert warnings([host]) == []


@pytest.mark.parametrize("corp_id", ["x", "ww1", "wm1234567890abcdef", "ww1234567890abcdef0", "WW1234567890abcdef"])
def test_what_is_no_corp_id_is_told_and_not_shown(told, corp_id):
    (text,) = told([{**SITE, "wecom": {"corp_id": corp_id}}])
    assert text.startswith("1.2.3.0: wx.a.edu.cn: wecom.corp_id: is not what a CorpID looks like")
    assert f'"{corp_id}"' not in text


@pytest.mark.parametrize("corp_id", ["ww1234567890abcdef", "wx1234567890ABCDEF"])
def test_a_corp_id_is_fine(told, corp_id):
    assert told([{**SITE, "wecom": {"corp_id": corp_id}}]) == []


def test_two_nodes_of_one_site_must_agree_where_both_say_something(told):
    first = {**SITE, "wecom": {"flag": "a", "corp_id": "ww1234567890abcdef"}}
    assert told([first], [SITE]) == []
    assert told([first], [{**SITE, "wecom": {"flag": "b", "agent_id": 7}}]) == [
        "1.2.3.1: wx.a.edu.cn: wecom.flag: differs from the same site's on 1.2.3.0; write the same in both"
    ]


BK = {"upstream": "https://paas.inner.example", "apps": ["a", "b"], "envs": ["o", "t"]}
BK_SITE = {**SITE, "platform": "bkitsm", "bk": BK}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"bk": {**BK, "upstream": "https://other.inner.example"}}, "bk"),
        ({"bk": {**BK, "apps": ["a"]}}, "bk"),
        ({"bk": {**BK, "envs": ["o"]}}, "bk"),
        ({"bk": {**BK, "extra_paths": ["/o/a/jsi18n/"]}}, "bk"),
        ({"max_body": "9m"}, "max_body"),
        ({"rate_limit": {"requests_per_second": 5}}, "rate_limit"),
        ({"hsts": 300}, "hsts"),
    ],
)
def test_two_nodes_of_one_site_must_serve_it_alike(told, change, field):
    assert told([BK_SITE], [{**BK_SITE, **change}]) == [
        f"1.2.3.1: wx.a.edu.cn: {field}: differs from the same site's on 1.2.3.0, and a visitor reaches one or the "
        "other; write the same in both"
    ]


def test_two_nodes_may_write_the_same_in_another_way(told):
    same = {**BK, "apps": ["b", "a", "a"], "envs": ["t", "o"], "upstream": "https://paas.inner.example/"}
    assert told([BK_SITE], [{**BK_SITE, "bk": same, "max_body": "200m", "slb_cidrs": ["10.0.0.0/24"]}]) == []


@pytest.mark.parametrize("edge", ["slb", "tls"])
def test_what_follows_from_another_platform_or_edge_is_told_as_that_alone(told, files, store_pair, edge):
    store_pair("wx.a.edu.cn")
    change = {"platform": "wanxiao_prod", "bk": None} if edge == "slb" else {"edge": "tls"}
    fields = [text.split(": ")[2] for text in told([BK_SITE], [{**BK_SITE, **change}])]
    # another platform is an error of its own: test_traps.py
    assert fields == ([] if edge == "slb" else ["edge"])


@pytest.mark.parametrize(
    ("upstream", "circles"),
    [
        ("http://127.0.0.1", True),
        ("http://[::1]", True),
        ("http://127.0.0.1:8080", False),
        ("http://10.2.3.4", False),
    ],
)
def test_a_site_in_front_of_the_hosts_own_nginx_goes_round_in_circles(told, upstream, circles):
    found = told([{**BK_SITE, "bk": {**BK, "upstream": upstream}}])
    assert bool(found) == circles
    assert all("is this host's own nginx: one request goes round in circles" in one for one in found)


@pytest.mark.parametrize("edge", ["slb", "tls"])
def test_a_site_in_front_of_its_own_domain_may_go_round_in_circles(told, store_pair, edge):
    store_pair("wx.a.edu.cn")
    (text,) = told([{**BK_SITE, "edge": edge, "bk": {**BK, "upstream": "https://wx.a.edu.cn"}}])
    assert text == (
        "1.2.3.0: wx.a.edu.cn: bk.upstream: is the site's own domain: unless this host's DNS gives it another "
        'address, requests go round in circles; name the inner platform, like "https://paas.inner.example"'
    )
    rows = [{"port": port, "path": "/", "upstream": "https://wx.a.edu.cn:9001/"} for port in ("entry", 9001)]
    (text,) = told([{**SITE, "edge": edge, "platform": "own"}], platforms={"own": {"routes": rows}})
    assert text.startswith("1.2.3.0: wx.a.edu.cn: platform: ")


def test_so_it_does_by_plain_http_to_nginxs_own_port(told):
    rows = [{"port": "entry", "path": "/", "upstream": "http://wx.a.edu.cn/"}]
    found = told([{**SITE, "platform": "own"}], platforms={"own": {"routes": rows}})
    assert any("is the site's own domain" in text for text in found)


def test_another_port_of_the_domain_or_another_address_is_another_server(told):
    assert told([{**BK_SITE, "bk": {**BK, "upstream": "https://wx.a.edu.cn:8443"}}]) == []
    assert told([{**BK_SITE, "bk": {**BK, "upstream": "https://wx.a.edu.cn", "nodes": ["10.0.0.8"]}}]) == []
