"""Redirects and cookies come back pointing at the school, tried with nginx's own matching rules."""

from __future__ import annotations

import re

import pytest

from gateway.nginx import answers

TEST = {"domain": "t.edu.cn", "edge": "slb", "platform": "wanxiao_test"}
PROD = {"domain": "p.edu.cn", "edge": "tls", "platform": "wanxiao_prod"}


def _apply(rules, value):
    """As nginx does: the first match wins; a prefix is replaced, a regular expression replaces the whole."""
    for rule in rules:
        if rule.match.startswith("~"):
            if found := re.search(rule.match[1:], value):
                return rule.replacement.replace("$1", found[1] or "" if found.re.groups else "")
        elif value.startswith(rule.match):
            return rule.replacement + value[len(rule.match) :]
    return value


@pytest.fixture
def redirect(parse, store_pair):
    store_pair("p.edu.cn")

    def rewrite(entry, port, location):
        host, problems = parse(entry)
        assert not problems
        site = host.sites[0]
        route = next(route for route in site.routes if route.port == port)
        return _apply(answers.rules(site, route).redirects, location)

    return rewrite


@pytest.mark.parametrize(
    ("port", "location", "public"),
    [
        # the answering route, however the upstream spells itself
        (80, "https://api.17wanxiao.com/b-server/x?y=1", "https://t.edu.cn/bserver/x?y=1"),
        (80, "http://api.17wanxiao.com/b-server/x", "https://t.edu.cn/bserver/x"),
        (80, "https://api.17wanxiao.com:443/b-server/x", "https://t.edu.cn/bserver/x"),
        (80, "http://api.17wanxiao.com:80/b-server/", "https://t.edu.cn/bserver/"),
        (80, "//api.17wanxiao.com/b-server/x", "https://t.edu.cn/bserver/x"),
        (80, "/b-server/x", "/bserver/x"),
        # a sibling route on another port
        (80, "https://api.17wanxiao.com/authorize", "https://t.edu.cn:9001/authorize"),
        (80, "/authorize", "https://t.edu.cn:9001/authorize"),
        (80, "https://api.17wanxiao.com", "https://t.edu.cn:9001/"),
        (80, "https://api.17wanxiao.com?a=b", "https://t.edu.cn:9001/?a=b"),
        (80, "https://api.17wanxiao.com/b-serverX", "https://t.edu.cn:9001/b-serverX"),
        # the B module belongs on the default port even when the open platform points to it
        (9001, "/b-server/x", "https://t.edu.cn/bserver/x"),
        (9001, "/x", "/x"),
        (9001, "https://api.17wanxiao.com/x", "https://t.edu.cn:9001/x"),
        # nobody's
        (
            80,
            "https://api.17wanxiao.com.evil.example/b-server/",
            "https://api.17wanxiao.com.evil.example/b-server/",
        ),
        (80, "https://api.17wanxiao.com:8443/b-server/", "https://api.17wanxiao.com:8443/b-server/"),
        (80, "//evil.example/b-server/", "//evil.example/b-server/"),
        (
            80,
            "https://open.weixin.qq.com/connect?redirect_uri=x",
            "https://open.weixin.qq.com/connect?redirect_uri=x",
        ),
        (80, "relative/path", "relative/path"),
    ],
)
def test_location_on_the_test_platform(redirect, port, location, public):
    assert redirect(TEST, port, location) == public


@pytest.mark.parametrize(
    ("port", "location", "public"),
    [
        (443, "https://hub.17wanxiao.com/a", "https://p.edu.cn/a"),
        (443, "http://open.17wanxiao.com/a", "https://p.edu.cn:9001/a"),
        (9001, "http://hub.17wanxiao.com/a", "https://p.edu.cn/a"),
        (9001, "https://open.17wanxiao.com", "https://p.edu.cn:9001/"),
        (443, "/a", "/a"),
        (443, "//other.example/a", "//other.example/a"),
        (443, "https://api.17wanxiao.com/a", "https://api.17wanxiao.com/a"),
    ],
)
def test_location_in_production(redirect, port, location, public):
    assert redirect(PROD, port, location) == public


HUB, API = "https://hub.17wanxiao.com/", "https://api.17wanxiao.com/"


def _rules(parse, path, *rows, port=80):
    """The rules for answers to what came by `path` on `port`, on a platform with these routes."""
    names = ("port", "path", "upstream")
    own = {"routes": [dict(zip(names, row, strict=True)) for row in rows]}
    host, problems = parse({"domain": "o.edu.cn", "edge": "slb", "platform": "own"}, platforms={"own": own})
    assert not problems
    site = host.sites[0]
    return answers.rules(site, next(one for one in site.routes if (one.port, one.path) == (port, path)))


@pytest.mark.parametrize("rows", [((9001, "/", HUB), ("entry", "/", HUB)), (("entry", "/", HUB), (9001, "/", HUB))])
def test_a_url_that_two_listeners_serve_stays_on_the_visitors_own(parse, rows):
    """A port that leaks into the entry's redirects breaks the login (50001)."""
    entry = _rules(parse, "/", *rows).redirects
    assert _apply(entry, "/y") == "/y"
    assert _apply(entry, f"{HUB}y") == "https://o.edu.cn/y"
    other = _rules(parse, "/", *rows, port=9001).redirects
    assert _apply(other, "/y") == "/y"
    assert _apply(other, f"{HUB}y") == "https://o.edu.cn:9001/y"


def test_a_url_that_two_prefixes_serve_stays_under_the_visitors_own(parse):
    rows = (("entry", "/a/", API), ("entry", "/b/", API))
    for path in ("/a/", "/b/"):
        redirects = _rules(parse, path, *rows).redirects
        assert _apply(redirects, "/y") == f"{path}y"
        assert _apply(redirects, f"{API}y") == f"https://o.edu.cn{path}y"


def test_of_two_other_listeners_the_entry_is_taken(parse):
    rows = ((9001, "/", HUB), ("entry", "/", HUB), (9002, "/", API))
    assert _apply(_rules(parse, "/", *rows, port=9002).redirects, f"{HUB}y") == "https://o.edu.cn/y"


@pytest.mark.parametrize("origin", ["http://hub.17wanxiao.com:443", "https://hub.17wanxiao.com:80"])
def test_scheme_and_port_that_do_not_fit_are_the_upstreams_all_the_same(parse, origin):
    rows = (("entry", "/", HUB),)
    assert _apply(_rules(parse, "/", *rows).redirects, f"{origin}/y") == "https://o.edu.cn/y"
    assert _apply(_rules(parse, "/", *rows).redirects, f"{origin}80/y") == f"{origin}80/y"


@pytest.mark.parametrize("path", ["/api/", "/web/"])
def test_a_cookie_for_a_whole_prefix_comes_back_to_every_route_under_it(parse, path):
    """A session of `Path=/`, set while logging in by one route, has to reach the others, and that one itself."""
    rules = _rules(parse, path, ("entry", "/api/", f"{API}api-v1/"), ("entry", "/web/", API)).cookie_paths
    assert _apply(rules, "/") == "/"
    assert _apply(rules, "/x") == "/web/x"
    assert _apply(rules, "/api-v1/") == "/api/"
    assert _apply(rules, "/api-v1") == "/api"


@pytest.mark.parametrize(
    ("path", "public"),
    [
        # BlueKing's monitoring sets its session for the whole app, of which two parts are published elsewhere
        ("/o/monitor/", "/mon/"),
        ("/o/monitor", "/mon"),
        ("/o/", "/mon/"),
        ("/o/monitor/weixin/", "/mon/"),
        ("/o/monitor/weixin/x", "/mon/x"),
        ("/o/monitor/static/weixin/", "/mon/static/"),
        ("/o/monitor/static/", "/mon/static/"),
        ("/o/monitors/", "/o/monitors/"),
        ("/o/monitor/admin/", "/o/monitor/admin/"),
        ("/", "/"),
    ],
)
def test_a_cookie_for_more_than_is_published_comes_back_to_what_is(parse, path, public):
    rows = (
        ("entry", "/mon/", f"{API}o/monitor/weixin/"),
        ("entry", "/mon/static/", f"{API}o/monitor/static/weixin/"),
    )
    for prefix in ("/mon/", "/mon/static/"):
        assert _apply(_rules(parse, prefix, *rows).cookie_paths, path) == public


def test_a_cookie_of_two_prefixes_for_one_upstream_reaches_both(parse):
    for path in ("/a/", "/b/"):
        rules = _rules(parse, path, ("entry", "/a/", API), ("entry", "/b/", API)).cookie_paths
        assert _apply(rules, "/") == "/"
        assert _apply(rules, "/x") == f"{path}x"


@pytest.mark.parametrize(
    ("location", "public"),
    [
        ("https://paas.inner.example:8443/o/a/weixin/x", "https://i.edu.cn/o/a/weixin/x"),
        ("http://paas.inner.example:8443/o/a/static/weixin/", "https://i.edu.cn/o/a/static/weixin/"),
        ("/o/a/weixin/x", "/o/a/weixin/x"),
        ("https://paas.inner.example/o/a/weixin/x", "https://paas.inner.example/o/a/weixin/x"),
        ("https://paas.inner.example:8443/login/", "https://paas.inner.example:8443/login/"),
    ],
)
def test_location_on_blueking_with_a_port_of_its_own(redirect, location, public):
    bk = {"upstream": "https://paas.inner.example:8443", "apps": ["a"]}
    entry = {"domain": "i.edu.cn", "edge": "slb", "platform": "bkitsm", "bk": bk}
    assert redirect(entry, 80, location) == public


@pytest.mark.parametrize(
    ("path", "public"),
    [
        ("/b-server/", "/bserver/"),
        ("/b-server/x", "/bserver/x"),
        ("/b-server", "/bserver"),
        ("/", "/"),
        ("/b-serverX", "/b-serverX"),
    ],
)
@pytest.mark.parametrize("port", [80, 9001])
def test_cookie_paths(parse, port, path, public):
    host, _ = parse(TEST)
    site = host.sites[0]
    route = next(route for route in site.routes if route.port == port)
    assert _apply(answers.rules(site, route).cookie_paths, path) == public


def _cookie_domain(parse, domain, upstream, name):
    own = {"routes": [{"port": "entry", "path": "/", "upstream": upstream}]}
    host, problems = parse({"domain": domain, "edge": "slb", "platform": "own"}, platforms={"own": own})
    assert host, problems
    site = host.sites[0]
    rules = answers.rules(site, site.routes[0], answers.shared_names(site)).cookie_domains
    # nginx ignores case in a cookie's domain
    return _apply(rules, name.lower())


@pytest.mark.parametrize(
    ("upstream", "name", "public"),
    [
        (HUB, "hub.17wanxiao.com", "wx.a.edu.cn"),
        (HUB, ".Hub.17wanxiao.com", "wx.a.edu.cn"),
        (HUB, "17wanxiao.com", "wx.a.edu.cn"),
        (HUB, "com", "com"),
        # a browser refuses a sibling's name, here as there
        (HUB, "open.17wanxiao.com", "open.17wanxiao.com"),
        (HUB, "hub.17wanxiao.com.evil.example", "hub.17wanxiao.com.evil.example"),
        (HUB, "x17wanxiao.com", "x17wanxiao.com"),
        # what the school's other sites share stays theirs
        ("https://oa.a.edu.cn/", "oa.a.edu.cn", "wx.a.edu.cn"),
        ("https://oa.a.edu.cn/", ".a.edu.cn", ".a.edu.cn"),
        ("https://oa.a.edu.cn/", "edu.cn", "edu.cn"),
        ("http://10.0.0.8:8080/", "10.0.0.8", "wx.a.edu.cn"),
        ("http://10.0.0.8:8080/", "0.0.8", "0.0.8"),
    ],
)
def test_a_cookies_domain(parse, upstream, name, public):
    assert _cookie_domain(parse, "wx.a.edu.cn", upstream, name) == public


@pytest.mark.parametrize(
    ("location", "public"),
    [
        ("http://10.30.211.116:8080/ctx/x", "https://o.edu.cn/app/x"),
        ("HTTPS://INNER.a.edu.cn:8443/ctx/x", "https://o.edu.cn/app/x"),
        ("https://inner.a.edu.cn:8443/ctx", "https://o.edu.cn/app/"),
        ("https://inner.a.edu.cn:8443/ctx?a", "https://o.edu.cn/app/?a"),
        ("/ctx#/x", "/app/#/x"),
        ("https://inner.a.edu.cn/ctx/x", "https://inner.a.edu.cn/ctx/x"),
        ("https://inner.a.edu.cn:8443.evil.example/ctx/x", "https://inner.a.edu.cn:8443.evil.example/ctx/x"),
        ("https://inner.a.edu.cn:8443/ctxx", "https://inner.a.edu.cn:8443/ctxx"),
    ],
)
def test_location_of_an_upstream_with_nodes(parse, location, public):
    row = {
        "port": "entry",
        "path": "/app/",
        "upstream": "https://inner.a.edu.cn:8443/ctx/",
        "nodes": ["10.30.211.116:8080"],
    }
    host, problems = parse(
        {"domain": "o.edu.cn", "edge": "slb", "platform": "own"}, platforms={"own": {"routes": [row]}}
    )
    assert host, problems
    assert _apply(answers.rules(host.sites[0], host.sites[0].routes[0]).redirects, location) == public


def _platform_rules(parse, *rows, path="/", port=80):
    platform = {"routes": [{"port": "entry", **row} for row in rows]}
    host, problems = parse({"domain": "o.edu.cn", "edge": "slb", "platform": "own"}, platforms={"own": platform})
    assert host, problems
    site = host.sites[0]
    return answers.rules(site, next(one for one in site.routes if (one.port, one.path) == (port, path))).redirects


@pytest.mark.parametrize("behind", ["/evil.example/x", "\\evil.example", "\t/evil.example"])
def test_no_path_of_an_upstream_becomes_a_host(parse, behind):
    """Browsers read // and /\\ as the beginning of a host."""
    rules = _platform_rules(parse, {"path": "/", "upstream": "http://10.0.0.8:8080/ctx/"})
    assert _apply(rules, f"/ctx/{behind}") == f"https://o.edu.cn/{behind}"
    assert _apply(rules, f"http://10.0.0.8:8080/ctx/{behind}") == f"https://o.edu.cn/{behind}"


def test_applications_that_take_the_domain_for_their_own_name_mean_themselves(parse):
    rows = [
        {"path": "/a/", "upstream": "http://10.0.0.8:8080/", "host": "domain"},
        {"path": "/b/", "upstream": "http://10.0.0.9:8080/", "host": "domain"},
        {"path": "/c/", "upstream": "http://10.0.0.7:8080/"},
    ]
    for path in ("/a/", "/b/"):
        rules = _platform_rules(parse, *rows, path=path)
        assert _apply(rules, "http://o.edu.cn/login") == f"https://o.edu.cn{path}login"
        assert _apply(rules, "http://o.edu.cn:8080/login") == f"https://o.edu.cn{path}login"
        for known in ("https://o.edu.cn/a/x", "https://o.edu.cn/b/x", "https://o.edu.cn/c/x"):
            assert _apply(rules, known) == known
    assert _apply(_platform_rules(parse, *rows, path="/c/"), "https://o.edu.cn/login") == "https://o.edu.cn/login"


@pytest.mark.parametrize(
    ("location", "public"),
    [
        ("http://o.edu.cn/bkm/login/?code=1", "https://o.edu.cn/bkm/login/?code=1"),
        ("http://o.edu.cn:8080/bkm/x", "https://o.edu.cn/bkm/x"),
        ("http://o.edu.cn:8081/bkm/x", "https://o.edu.cn/bkm/x"),
        ("//o.edu.cn/bkm/x", "https://o.edu.cn/bkm/x"),
        ("http://O.EDU.CN/bkm/x", "https://o.edu.cn/bkm/x"),
        ("http://o.edu.cn:8081/weixin/x", "https://o.edu.cn/bkm/x"),
        ("https://o.edu.cn/bkm/x", "https://o.edu.cn/bkm/x"),
        ("http://o.edu.cn/other/x", "https://o.edu.cn/other/x"),
        ("https://o.edu.cn/other/x", "https://o.edu.cn/other/x"),
        ("http://o.edu.cn.evil.example/bkm/x", "http://o.edu.cn.evil.example/bkm/x"),
        ("http://o.edu.cn:9999/bkm/x", "http://o.edu.cn:9999/bkm/x"),
    ],
)
def test_an_application_that_knows_its_public_path_may_know_of_no_tls(parse, location, public):
    rows = [
        {"path": "/bkm/", "upstream": "http://10.0.0.8:8080/weixin/", "nodes": ["10.0.0.7:8081"], "host": "domain"},
        {"path": "/other/", "upstream": "http://10.0.0.9/", "host": "domain"},
    ]
    rules = _platform_rules(parse, *rows, path="/bkm/")
    assert _apply(rules, location) == public


def test_an_upstream_path_inside_the_public_one_is_the_upstreams(parse):
    row = {"path": "/app/", "upstream": "http://10.0.0.8:8080/app/v2/", "host": "domain"}
    rules = _platform_rules(parse, row, path="/app/")
    assert _apply(rules, "http://o.edu.cn/app/v2/login") == "https://o.edu.cn/app/login"
    assert _apply(rules, "http://o.edu.cn/app/login") == "https://o.edu.cn/app/login"
    assert _apply(rules, "https://o.edu.cn/app/login") == "https://o.edu.cn/app/login"


def test_what_an_application_calls_its_own_is_not_another_routes(parse):
    rows = [
        {"path": "/api/", "upstream": "http://10.0.0.8:8080/", "host": "domain"},
        {"path": "/login/", "upstream": "http://10.0.0.9/"},
    ]
    rules = _platform_rules(parse, *rows, path="/api/")
    assert _apply(rules, "http://o.edu.cn/login/x") == "https://o.edu.cn/api/login/x"
    assert _apply(rules, "http://o.edu.cn/api/x") == "https://o.edu.cn/api/x"
    assert _apply(rules, "https://o.edu.cn/login/x") == "https://o.edu.cn/login/x"


def test_an_upstream_with_the_domains_own_name_is_mapped_by_plain_http_too(parse):
    row = {"path": "/bserver/", "upstream": "https://o.edu.cn/b-server/", "nodes": ["10.0.0.8"]}
    rules = _platform_rules(parse, row, path="/bserver/")
    for scheme in ("http", "https"):
        assert _apply(rules, f"{scheme}://o.edu.cn/b-server/x") == "https://o.edu.cn/bserver/x"


@pytest.mark.parametrize(
    ("location", "public"),
    [
        ("http://o.edu.cn/login/?code=1", "https://o.edu.cn/login/?code=1"),
        ("http://o.edu.cn:9001/login", "https://o.edu.cn:9001/login"),
        ("http://o.edu.cn:8080/login", "http://o.edu.cn:8080/login"),
        ("http://o.edu.cn.evil.example/", "http://o.edu.cn.evil.example/"),
    ],
)
def test_so_may_one_that_has_the_domain_from_another_header(parse, location, public):
    row = {"path": "/x/", "upstream": "http://10.0.0.8:8080/", "port": 9001}
    assert (
        _apply(
            _platform_rules(parse, {"path": "/", "upstream": "http://a.example/"}, row, path="/x/", port=9001), location
        )
        == public
    )


def test_an_ipv6_address_is_known_as_java_writes_it(parse):
    rules = _platform_rules(parse, {"path": "/", "upstream": "http://[fd00::8]:8080/ctx/"})
    for spelling in ("[fd00::8]", "[fd00:0:0:0:0:0:0:8]"):
        assert _apply(rules, f"http://{spelling}:8080/ctx/x") == "https://o.edu.cn/x"


def test_of_upstreams_that_call_themselves_alike_the_one_that_answers_means_itself(parse):
    rows = [
        {"path": "/a/", "upstream": "http://x.example/", "nodes": ["10.0.0.8:8081"]},
        {"path": "/b/", "upstream": "http://x.example/", "nodes": ["10.0.0.7:8082"]},
        {"path": "/c/", "upstream": "https://x.example/"},
    ]
    for path in ("/a/", "/b/", "/c/"):
        rules = _platform_rules(parse, *rows, path=path)
        assert _apply(rules, "http://x.example/q") == f"https://o.edu.cn{path}q"
        assert _apply(rules, "/q") == f"{path}q"


def test_a_cookie_for_what_lies_around_a_route_reaches_it_beside_the_whole_upstream(parse):
    rows = [
        {"path": "/bkmonitor/", "upstream": "http://10.0.0.8:8080/o/bk_monitorv3/weixin/"},
        {"path": "/pc/", "upstream": "http://10.0.0.8:8080/"},
    ]
    platform = {"routes": [{"port": "entry", **row} for row in rows]}
    host, _ = parse({"domain": "o.edu.cn", "edge": "slb", "platform": "own"}, platforms={"own": platform})
    site = host.sites[0]
    for route in site.routes:
        rules = answers.rules(site, route).cookie_paths
        assert _apply(rules, "/o/bk_monitorv3/") == "/", "both /bkmonitor/ and /pc/o/bk_monitorv3/ are its"
        assert _apply(rules, "/o/bk_monitorv3/weixin/x") == "/bkmonitor/x"
        assert _apply(rules, "/x") == "/pc/x"


@pytest.mark.parametrize("path", ["/o/a", "/o/a/", "/o", "/o/a/weixin", "/o/a/weixin/x", "/"])
def test_a_cookie_of_blueking_keeps_its_path(parse, path):
    bk = {"upstream": "https://paas.inner.example", "apps": ["a"]}
    host, _ = parse({"domain": "i.edu.cn", "edge": "slb", "platform": "bkitsm", "bk": bk})
    site = host.sites[0]
    for route in site.routes:
        assert _apply(answers.rules(site, route).cookie_paths, path) == path


@pytest.mark.parametrize(
    ("origin", "public"),
    [
        ("http://o.edu.cn", "https://o.edu.cn:9001"),
        ("http://o.edu.cn:8080", "https://o.edu.cn:9001"),
        ("http://10.0.0.8:8080", "https://o.edu.cn:9001"),
        ("https://other.edu.cn", None),
    ],
)
def test_the_origin_of_an_application_that_has_the_domain_as_its_name(parse, store_pair, origin, public):
    store_pair("o.edu.cn")
    row = {"port": 9001, "path": "/", "upstream": "http://10.0.0.8:8080/", "host": "domain"}
    host, problems = parse(
        {"domain": "o.edu.cn", "edge": "tls", "platform": "own"}, platforms={"own": {"routes": [row]}}
    )
    assert host, problems
    found = [rule.replacement for rule in answers.origins(host.sites[0]) if re.search(f"^{rule.match}", origin)]
    assert found == ([public] if public else [])
    if public:
        redirects = answers.rules(host.sites[0], host.sites[0].routes[0]).redirects
        assert _apply(redirects, f"{origin}/x") == f"{public}/x"
        assert _apply(redirects, "http://o.edu.cn:9001/x") == f"{public}/x"


def test_each_upstream_costs_a_line_for_redirects_and_one_for_cookies_beside_the_sites_own(parse, store_pair):
    store_pair("p.edu.cn")
    host, _ = parse(PROD)
    found = answers.rules(host.sites[0], host.sites[0].routes[0])
    assert len(found.redirects) + len(found.cookie_domains) + len(found.cookie_paths) == 4


def test_whole_hosts_need_no_rules_for_paths(parse, store_pair):
    store_pair("p.edu.cn")
    host, _ = parse(PROD)
    site = host.sites[0]
    for route in site.routes:
        rules = answers.rules(site, route)
        assert not rules.cookie_paths
        assert not any(rule.match.startswith("/") and not rule.match.startswith("//") for rule in rules.redirects)
