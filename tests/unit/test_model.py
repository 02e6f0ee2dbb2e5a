"""What an operator may write in an inventory, and what is said when it is wrong."""

from __future__ import annotations

import pytest

from gateway.fleet.parsing import parse_host
from gateway.nginx import build, release, tree
from gateway.nginx.tls_profile import Version

from .conftest import PLATFORMS, long_domain

GOOD = {"domain": "wx.school.edu.cn", "edge": "slb", "platform": "wanxiao_prod"}
BK = {"upstream": "https://paas.inner.example", "apps": ["bk_itsm"]}


@pytest.mark.parametrize(
    ("domain", "reason"),
    [
        ("https://wx.school.edu.cn", "carries a scheme"),
        ("wx.school.edu.cn:9001", "carries a port"),
        ("wx.school.edu.cn/", "carries a path"),
        ("*.school.edu.cn", "is a wildcard"),
        ("wx_1.school.edu.cn", "has an underscore"),
        ("203.0.113.7", "is an IP address"),
        ("[2001:db8::1]", "is an IP address"),
        ("WX.school.edu.cn", 'write "wx.school.edu.cn"'),
        ("wx.school.edu.cn.", "ends in a dot"),
        ("school", "not a full host name"),
        ("wx..school.edu.cn", "not a full host name"),
        ("-wx.school.edu.cn", "not a full host name"),
        ("wx.school.123", "ends in a number"),
        ("", "not a full host name"),
        ("a" * 64 + ".edu.cn", "not a full host name"),
        ("wx.school.edu.cn;\nroot x;", "not a full host name"),
        ("wx.school.edu.cn\n", "not a full host name"),
        ("wx.school.edu.cn $host", "not a full host name"),
        ("学校.edu.cn", "is in Chinese or another script"),
        (7, "valid string"),
        (None, "valid string"),
    ],
)
def test_a_bad_domain_is_refused_with_its_reason(parse, domain, reason):
    host, problems = parse({**GOOD, "domain": domain})
    assert host is None
    assert len(problems) == 1, problems
    assert problems[0].startswith("h1: ")
    assert ": domain: " in problems[0]
    assert reason in problems[0]
    assert "\n" not in problems[0]


def test_a_good_domain_may_be_punycode(parse):
    host, problems = parse({**GOOD, "domain": "wx.xn--fiq228c.cn"})
    assert not problems
    assert host.sites[0].domain == "wx.xn--fiq228c.cn"


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"edge": "SLB"}, "edge", "'slb' or 'tls'"),
        ({"edge": None}, "edge", "'slb' or 'tls'"),
        ({"platform": "wanxiao_pro"}, "platform", 'did you mean "wanxiao_prod"?'),
        ({"platform": ["x"]}, "platform", "unknown"),
        ({"slb_cidr": []}, "slb_cidr", 'did you mean "slb_cidrs"?'),
        ({"slb_cidrs": "10.0.0.0/8"}, "slb_cidrs", "is not a list"),
        ({"slb_cidrs": ["10.0.0.1/24"]}, "slb_cidrs[0]", 'right would be "10.0.0.0/24"'),
        ({"slb_cidrs": ["0.0.0.0/0"]}, "slb_cidrs[0]", "believes every client"),
        ({"slb_cidrs": ["any; deny all"]}, "slb_cidrs[0]", "is not a network"),
        ({"cert": "files"}, "cert", "the load balancer holds the certificate"),
        ({"cert": "acme"}, "cert", "'files'"),
        ({"cert": {"acme": {}}}, "cert.acme.email", "missing"),
        ({"bk": BK}, "bk", "only for BlueKing"),
        ({"max_body": "5MB"}, "max_body", "is not a size"),
        ({"max_body": 5}, "max_body", "valid string"),
        ({"max_body": "0"}, "max_body", "is not a size"),
        ({"max_body": "5m; }"}, "max_body", "is not a size"),
        ({"hsts": -1}, "hsts", "greater than or equal to 0"),
        ({"hsts": True}, "hsts", "valid integer"),
        ({"wecom": {"trusted_ips": ["192.168.0.1"]}}, "wecom.trusted_ips[0]", "not a public address"),
        ({"wecom": {"trusted_ips": ["120.27.208.0/24"]}}, "wecom.trusted_ips[0]", "no ranges"),
        ({"wecom": {"corpid": "ww1"}}, "wecom.corpid", 'did you mean "corp_id"?'),
    ],
)
def test_a_bad_value_is_refused_with_its_place_and_reason(parse, change, field, reason):
    host, problems = parse({**GOOD, **change})
    assert host is None
    assert len(problems) == 1, problems
    assert problems[0].startswith(f"h1: wx.school.edu.cn: {field}: ")
    assert reason in problems[0]


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"upstream": "ftp://paas.inner.example"}, "bk.upstream", "starts with neither https:// nor http://"),
        ({"upstream": "http://10.0.0.8:"}, "bk.upstream", "has no valid port"),
        ({"upstream": "http://[fd00::8%25eth0]"}, "bk.upstream", "has no address that nginx can ask"),
        ({"upstream": "HTTP://paas.inner.example"}, "bk.upstream", "starts with neither https:// nor http://"),
        ({"nodes": [f"10.0.0.{one}" for one in range(1, 18)]}, "bk.nodes", "17 nodes; at most 16"),
        ({"upstream": "http:paas.inner.example"}, "bk.upstream", "starts with neither https:// nor http://"),
        ({"upstream": "paas.inner.example"}, "bk.upstream", "starts with neither https:// nor http://"),
        ({"upstream": "http://8.8.8.8"}, "bk.upstream", "is a public address"),
        ({"upstream": "http://[2400:3200::1]:8080"}, "bk.upstream", "is a public address"),
        ({"upstream": "http://0.0.0.0"}, "bk.upstream", "is not the address of a server"),
        ({"upstream": "https://224.0.0.1"}, "bk.upstream", "is not the address of a server"),
        ({"upstream": "https://10.0.0.256"}, "bk.upstream", "ends in a number"),
        ({"upstream": "https://PAAS.inner.example"}, "bk.upstream", 'has capitals; write "paas.inner.example"'),
        ({"nodes": "10.0.0.8"}, "bk.nodes", "is not a list"),
        ({"nodes": ["paas-1.inner.example"]}, "bk.nodes[0]", "is not an IP address"),
        (
            {"nodes": ["http://10.0.0.8:8080"]},
            "bk.nodes[0]",
            '"http://10.0.0.8:8080" is a URL, which only the upstream is; right would be "10.0.0.8:8080"',
        ),
        ({"nodes": ["https://[fd00::8]:8443/m/"]}, "bk.nodes[0]", 'right would be "[fd00::8]:8443"'),
        ({"nodes": ["https://paas.inner.example"]}, "bk.nodes[0]", "is not an IP address"),
        ({"nodes": ["http://"]}, "bk.nodes[0]", "is not an IP address"),
        ({"nodes": ["10.0.0.8:0"]}, "bk.nodes[0]", "has no valid port"),
        ({"nodes": ["10.0.0.8:08"]}, "bk.nodes[0]", "has no valid port"),
        ({"nodes": ["10.0.0.8:99999"]}, "bk.nodes[0]", "has no valid port"),
        ({"nodes": ["10.0.0.8:"]}, "bk.nodes[0]", "has no valid port"),
        ({"nodes": ["10.0.0.8/24"]}, "bk.nodes[0]", "is not an IP address"),
        ({"nodes": ["fd00::8:8443:x"]}, "bk.nodes[0]", 'right would be "[fd00::8]:8443"'),
        ({"nodes": ["255.255.255.255"]}, "bk.nodes[0]", "is not the address of a server"),
        ({"nodes": ["10.0.0.8", "10.0.0.8:443"]}, "bk.nodes", "10.0.0.8:443 stands twice"),
        ({"upstream": "http://paas.inner.example", "nodes": ["8.8.8.8"]}, "bk.nodes", "is a public address"),
        ({"upstream": "http://10.0.0.5", "ca": "files/ca/a.pem"}, "bk.ca", "has no meaning for plain http"),
        ({"ca": "/etc/ssl/a.pem"}, "bk.ca", "is not a file of files/ca/"),
        ({"ca": "files/ca/../certs/a.pem"}, "bk.ca", "is not a file of files/ca/"),
        ({"ca": "files/ca/missing.pem"}, "bk.ca", "cannot be read"),
        ({"upstream": "https://paas.inner.example/?a=1"}, "bk.upstream", "carries a query"),
        ({"upstream": "https://paas.inner.example?"}, "bk.upstream", "carries a query"),
        ({"upstream": "https://paas.inner.example/#x"}, "bk.upstream", "carries a query or fragment"),
        ({"upstream": "https://paas.inner.example/o/"}, "bk.upstream", "carries a path"),
        ({"upstream": "https://u:p@paas.inner.example"}, "bk.upstream", "user name or password"),
        ({"upstream": "https://paas.inner.example:99999"}, "bk.upstream", "no valid host or port"),
        ({"upstream": "https://paas.inner.example;}"}, "bk.upstream", "not a full host name"),
        ({"upstream": "https://paas.inner.example\n"}, "bk.upstream", "is not a URL"),
        ({"upstream": "https://$host"}, "bk.upstream", "not a full host name"),
        ({"apps": []}, "bk.apps", "is empty; right would be"),
        ({"apps": "bk_itsm"}, "bk.apps", "is not a list"),
        ({"apps": ["a/../b"]}, "bk.apps[0]", "is not an app code"),
        ({"apps": ["~ .*"]}, "bk.apps[0]", "is not an app code"),
        ({"envs": ["prod"]}, "bk.envs[0]", "'o' or 't'"),
        ({"extra_paths": ["/"]}, "bk.extra_paths[0]", "whole inner platform"),
        ({"extra_paths": ["/o/itsm/jsi18n"]}, "bk.extra_paths[0]", 'ends with "/"'),
        ({"extra_paths": ["/o/../admin/"]}, "bk.extra_paths[0]", "is not a path prefix"),
        ({"extra_paths": ["/o/ {/"]}, "bk.extra_paths[0]", "is not a path prefix"),
        ({"app": ["x"]}, "bk.app", 'did you mean "apps"?'),
    ],
)
def test_bad_blueking_settings_are_refused(parse, change, field, reason):
    host, problems = parse({**GOOD, "platform": "bkitsm", "bk": {**BK, **change}})
    assert host is None
    assert len(problems) == 1, problems
    assert problems[0].startswith(f"h1: wx.school.edu.cn: {field}: ")
    assert reason in problems[0]


def test_missing_keys_say_what_would_be_right(parse):
    _, problems = parse({"platform": "bkitsm"}, {**GOOD, "platform": "bkitsm"})
    assert [one.partition(";")[0] for one in problems] == [
        "h1: sites[0]: domain: missing",
        "h1: sites[0]: edge: missing",
        "h1: sites[0]: bk: missing",
        "h1: wx.school.edu.cn: bk: missing",
    ]


def test_every_problem_of_a_host_is_reported_at_once(parse):
    host, problems = parse(
        {**GOOD, "domain": "WX.school.edu.cn", "edge": "x", "hsts": "1"},
        {**GOOD, "domain": "wx.other.edu.cn", "platform": "nope"},
        "wx.third.edu.cn",
        egress={"listen": "10.0.0.5:443"},
    )
    assert host is None
    assert len(problems) == 6, problems


def test_a_domain_twice_on_one_host_is_refused(parse):
    _, problems = parse(GOOD, {**GOOD, "platform": "wanxiao_test"})
    assert problems == ["h1: wx.school.edu.cn: domain: stands twice on this host; keep one entry"]


def test_a_port_cannot_be_plain_and_tls(parse, store_pair):
    store_pair("wx.b.edu.cn")
    _, problems = parse(GOOD, {**GOOD, "domain": "wx.b.edu.cn", "edge": "tls"})
    assert len(problems) == 1
    assert problems[0].startswith(
        "h1: wx.b.edu.cn: edge: port 9001 would be TLS here and plain http for wx.school.edu.cn"
    )


def test_both_edges_share_a_host_where_no_port_collides(parse, store_pair):
    store_pair("itsm.b.edu.cn")
    bk_site = {"domain": "itsm.b.edu.cn", "edge": "tls", "platform": "bkitsm", "bk": BK}
    host, problems = parse(GOOD, bk_site)
    assert not problems
    assert [site.listeners() for site in host.sites] == [{80: False, 9001: False}, {443: True, 80: False}]


@pytest.mark.parametrize(
    ("edge", "port", "reason"),
    [
        ("tls", 80, 'port 80 is plain http at edge "tls"'),
        ("slb", 443, 'port 443 is the entry port already at edge "slb"'),
    ],
)
def test_a_route_cannot_have_the_port_that_its_edge_needs_itself(parse, store_pair, edge, port, reason):
    store_pair("wx.school.edu.cn")
    store_pair("other.edu.cn")
    rows = [{"port": port, "path": path, "upstream": "https://a.example/"} for path in ("/", "/b/")]
    site = {"domain": "wx.school.edu.cn", "edge": edge, "platform": "own"}
    bk_sites = [
        {"domain": name, "edge": other, "platform": "bkitsm", "bk": BK}
        for name, other in (("a.edu.cn", "slb"), ("other.edu.cn", "tls"))
    ]
    # the sites that are right are not blamed, wherever they stand
    for sites in ([site], [site, *bk_sites], [*bk_sites, site]):
        host, problems = parse(*sites, platforms={**PLATFORMS, "own": {"routes": rows}})
        assert host is None
        (problem,) = problems
        assert problem.startswith(f"h1: wx.school.edu.cn: platform: {reason}")
        assert 'right would be "entry"' in problem


@pytest.mark.parametrize(("edge", "port"), [("slb", 80), ("tls", 443), ("slb", 8443), ("tls", 8443)])
def test_a_number_may_be_the_entry_port_or_another(parse, store_pair, edge, port):
    store_pair("wx.school.edu.cn")
    rows = [{"port": port, "path": "/", "upstream": "https://a.example/"}]
    site = {"domain": "wx.school.edu.cn", "edge": edge, "platform": "own"}
    _, problems = parse(site, platforms={"own": {"routes": rows}})
    assert problems == []


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"port": 0, "path": "/", "upstream": "https://a.example/"}, "greater than or equal to 1"),
        ({"port": "entry", "path": "/x", "upstream": "https://a.example/"}, 'ends with "/"'),
        ({"port": "entry", "path": "/", "upstream": "https://a.example"}, 'must end in "/"'),
        ({"port": "entry", "path": "/", "upstream": "https://a.example/b"}, '"https://a.example/b" must end in "/"'),
        (
            {"port": "entry", "path": "/", "upstream": "https：//a.example/"},
            "a Chinese keyboard wrote ： as :, type it",
        ),
        (
            {"port": "entry", "path": "/", "upstream": "https://a.example/", "nodes": ["10.0.0.8：8443"]},
            "wrote ： as :",
        ),
        ({"port": "entry", "path": "/", "upstream": "https://a.example/", "nodes": ["10.0.0.8，10.0.0.9"]}, "， as ,"),
        (
            {"port": 9001, "path": "/", "upstream": "https://a.example/", "guarded": "true"},
            "right would be True or False",
        ),
        ({"port": "entry", "path": "/", "upstream": "http://8.8.8.8/"}, "is a public address"),
        ({"port": "entry", "path": "/", "upstream": "https://a.example/?x=1"}, "carries a query"),
    ],
)
def test_a_bad_platform_names_its_row(files, row, reason):
    data = {"platforms": {"own": {"routes": [row]}}, "platform": "own", "sites": []}
    _, problems = parse_host("h1", data, files)
    assert len([one for one in problems if reason in one.text]) >= 1, problems
    assert all(one.field.startswith('platforms["own"].routes') for one in problems)


def test_a_new_platform_is_a_new_dict(files):
    routes = [
        {"port": "entry", "path": "/", "upstream": "https://a.example/app/"},
        {"port": 8443, "path": "/api/", "upstream": "https://b.example:8443/"},
    ]
    data = {"platforms": {**PLATFORMS, "own": {"routes": routes, "max_body": "1g"}}, "platform": "own"}
    host, _ = parse_host("h1", {**data, "sites": [{"domain": "a.edu.cn", "edge": "slb"}]}, files)
    site = host.sites[0]
    assert [(route.port, route.path, route.upstream.authority, route.upstream_path) for route in site.routes] == [
        (80, "/", "a.example", "/app/"),
        (8443, "/api/", "b.example:8443", "/"),
    ]
    assert site.max_body == "1g"


@pytest.mark.parametrize(
    ("platform", "change", "paths"),
    [
        # the first row on the default port is where the app begins
        (
            {"routes": [("entry", "/m/"), ("entry", "/api/"), (9001, "/")], "app_path": "a?f={flag}"},
            {},
            ["/m/a?f={flag}"],
        ),
        ({"routes": [(9001, "/"), ("entry", "/m/")]}, {}, ["/m/"]),
        ({"routes": [(9001, "/")]}, {}, []),
        ({"routes": "bk"}, {"bk": {**BK, "envs": ["t", "o"]}}, ["/o/bk_itsm/weixin/", "/t/bk_itsm/weixin/"]),
        ({"routes": "bk", "app_path": "#/home"}, {"bk": BK}, None),
        ({"routes": "bk", "app_path": "index.html"}, {"bk": BK}, ["/o/bk_itsm/weixin/index.html"]),
    ],
)
def test_where_an_app_begins_follows_from_routes_and_app_path(files, platform, change, paths):
    rows = platform["routes"]
    if rows != "bk":
        rows = [{"port": port, "path": path, "upstream": "https://a.example/"} for port, path in rows]
    data = {"platforms": {"own": {**platform, "routes": rows}}, "platform": "own"}
    host, problems = parse_host("h1", {**data, "sites": [{"domain": "a.edu.cn", "edge": "slb", **change}]}, files)
    if paths is None:
        assert any("app_path" in one.field for one in problems)
    else:
        assert [entry.path for entry in host.sites[0].app_entries] == paths


def test_what_only_people_are_told_changes_nothing_that_is_served(files):
    ids = set()
    for wecom in ({}, {"flag": "x", "trusted_ips": ["1.2.3.4"]}):
        sites = [GOOD, {**GOOD, "domain": "b.edu.cn", "wecom": wecom}]
        host, _ = parse_host("h1", {"platforms": PLATFORMS, "sites": sites}, files)
        ids.add(release.build(tree.tree(host, build.Build(Version((1, 22, 1))))).id)
    assert len(ids) == 1


def test_the_gateways_own_port_is_not_for_routes(files):
    routes = [{"port": 19001, "path": "/", "upstream": "https://a.example/"}]
    data = {"platforms": {"own": {"routes": routes}}, "platform": "own"}
    _, problems = parse_host("h1", {**data, "sites": [{"domain": "a.edu.cn", "edge": "slb"}]}, files)
    assert any("is the gateway's own" in one.text for one in problems)


def test_blueking_publishes_the_mobile_paths_and_nothing_else(parse):
    bk = {**BK, "apps": ["a", "b"], "envs": ["o", "t"], "extra_paths": ["/o/a/jsi18n/"]}
    host, _ = parse({**GOOD, "platform": "bkitsm", "bk": bk})
    assert sorted(route.path for route in host.sites[0].routes) == sorted(
        [f"/{env}/{app}/{part}/" for env in "ot" for app in "ab" for part in ("weixin", "static/weixin")]
        + ["/o/a/jsi18n/"]
    )
    assert all(route.path == route.upstream_path and route.guarded for route in host.sites[0].routes)


def test_sites_that_are_no_list_are_refused(files):
    for sites in (None, {}, "wx.school.edu.cn"):
        host, problems = parse_host("h1", {"platforms": PLATFORMS, "sites": sites}, files)
        assert host is None
        assert [one.field for one in problems] == ["sites"]


def test_a_name_may_be_as_long_as_the_files_named_after_it_can_be(parse):
    assert parse({**GOOD, "domain": long_domain(230)})[1] == []
    for length in (231, 253, 300):
        _, (problem,) = parse({**GOOD, "domain": long_domain(length)})
        assert f"has {length} characters; at most 230 are possible" in problem
        assert 'right would be "wx.school.edu.cn"' in problem
    bk = {**BK, "upstream": f"https://{long_domain(231)}"}
    _, (problem,) = parse({**GOOD, "platform": "bkitsm", "bk": bk})
    assert "has 231 characters; at most 230 are possible" in problem
