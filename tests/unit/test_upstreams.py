"""What is rendered for upstreams of every kind, and what `check` says of them."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.fleet import upstream_rules
from gateway.inventory import upstream_values
from gateway.inventory.site import Upstream
from gateway.nginx.build import Build
from gateway.nginx.release import File
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree
from gateway.nginx.upstreams import Block, Patience

from .conftest import make_pair
from .nginx_reading import Block as Read
from .nginx_reading import read

ENTRY = {"edge": "slb", "platform": "own"}


@pytest.fixture
def files_of(parse, files):
    """The files rendered for sites of these domains, whose platform has these routes."""

    def made(
        *routes: dict[str, Any], domains: tuple[str, ...] = ("wx.a.edu.cn",), version: str = "1.22.1"
    ) -> dict[str, File]:
        platform = {"routes": [{"port": "entry", "path": "/", **route} for route in routes]}
        entries = [{**ENTRY, "domain": domain} for domain in domains]
        host, problems = parse(*entries, platforms={"own": platform})
        assert host, problems
        return tree(host, Build(Version.parse(version)))

    return made


def _locations(files: dict[str, File]) -> dict[str, Read]:
    return {
        path: one
        for server in read(files).inside("server")
        for path, one in server.locations().items()
        if one.all("proxy_pass")
    }


def test_each_way_of_asking_has_connections_of_its_own():
    """Kept connections are not verified again, and know no scheme."""
    kinds = [
        Upstream("a.example"),
        Upstream("a.example", 443, "http"),
        Upstream("a.example", ca="files/ca/a.pem"),
        Upstream("a.example", ca="files/ca/b.pem"),
        Upstream("a.example", nodes=("10.0.0.8:443",)),
        Upstream("a.example", 8443),
        Upstream("10.0.0.8", 80, "http"),
        Upstream("fd00::8", 80, "http"),
    ]
    names = [Block(one).name for one in kinds]
    assert len(set(names)) == len(kinds)
    assert names[0] == "wecom_gateway_a.example_443"
    assert not any(":" in name for name in names)


def test_nodes_are_left_out_and_asked_again_when_none_is_left(files_of):
    files = files_of({"upstream": "https://a.example/", "nodes": ["10.0.0.8:8443", "[fd00::9]"]})
    (block,) = [one for one in read(files).blocks if one.name == "upstream"]
    assert block.all("server") == [
        ("10.0.0.8:8443", "max_fails=1", "fail_timeout=30s"),
        ("[fd00::9]:443", "max_fails=1", "fail_timeout=30s"),
        ("10.0.0.8:8443", "max_fails=0", "backup"),
        ("[fd00::9]:443", "max_fails=0", "backup"),
    ]
    assert block.all("zone")
    assert Block(Upstream("a.example", nodes=("10.0.0.7:1", "10.0.0.8:1", "10.0.0.9:1"))).tries == 3
    assert Block(Upstream("a.example", nodes=tuple(f"10.0.0.{one}:1" for one in range(1, 9)))).tries == 3
    assert files["upstreams"].body == b""


@pytest.mark.parametrize("read_timeout", [1, 2, 5, 6, 7, 10, 60, 180, 3600])
def test_another_server_is_asked_only_before_an_answer_can_be_late(read_timeout):
    patience = Patience(read_timeout)
    connect, until = (int(one.removesuffix("ms")) for one in (patience.connect, patience.next_upstream))
    assert 0 < connect <= 5000
    assert connect < until < read_timeout * 1000


def test_only_names_are_resolved(files_of):
    rows = [
        {"path": "/a/", "upstream": "http://10.0.0.8/"},
        {"path": "/b/", "upstream": "http://b.example/"},
        {"path": "/c/", "upstream": "https://c.example/", "nodes": ["10.0.0.8"]},
        {"path": "/d/", "upstream": "https://b.example:80/"},
    ]
    assert files_of(*rows)["upstreams"].body == b"b.example 80\n"


@pytest.mark.parametrize("version", ["1.18.0", "1.22.1", "1.26.3", "1.30.6"])
def test_a_private_authority_stands_alone_and_once_for_a_server(files_of, files, version):
    (files / "ca").mkdir()
    (files / "ca" / "inner.pem").write_bytes(make_pair("ca.example")[0])
    row = {"upstream": "https://a.example/", "ca": "files/ca/inner.pem"}
    made = files_of({**row, "path": "/a/"}, {**row, "path": "/b/"}, version=version)
    for location in _locations(made).values():
        ((path,),) = location.inherited("proxy_ssl_trusted_certificate")
        assert path.endswith("/ca/inner.pem")
        assert not location.all("proxy_ssl_trusted_certificate"), "a TLS client for each location costs seconds"
        if version != "1.18.0":
            assert location.inherited("proxy_ssl_conf_command") == [("VerifyCAFile", path)]
    assert b"BEGIN CERTIFICATE" in made["ca/inner.pem"].body
    mixed = _locations(
        files_of({**row, "path": "/a/"}, {"path": "/b/", "upstream": "https://b.example/"}, version=version)
    )
    assert mixed["/a/"].inherited("proxy_ssl_trusted_certificate")[0][0].endswith("/ca/inner.pem")
    assert not mixed["/b/"].inherited("proxy_ssl_trusted_certificate")[0][0].endswith("/ca/inner.pem")


def test_no_route_leaves_a_header_of_another_one_unset(files_of):
    rows = [
        {"path": "/a/", "upstream": "http://10.0.0.8/", "headers": {"X-Original-URI": "{path}", "X-Same": "1"}},
        {"path": "/b/", "upstream": "http://10.0.0.8/", "headers": {"X-Same": "1"}},
    ]
    made = _locations(files_of(*rows))
    variable = "$wecom_gateway_header_1"
    for path, value in (("/a/", "/a/"), ("/b/", "")):
        assert (variable, value) in made[path].all("set")
        sent = dict(made[path].inherited("proxy_set_header"))
        assert (sent["X-Original-URI"], sent["X-Same"]) == (variable, "1")


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"X-A": 'a"; return 200 "'}, "has characters"),
        ({"X-A": "$host"}, "has characters"),
        ({"X-A": "a\\"}, "has characters"),
        ({"X-A": "a\nb"}, "has characters"),
        ({"X-A": "校"}, "has characters"),
        ({"X-A": "{host}"}, "has braces in its value"),
        ({"X-A": 1}, "has a value that is not text"),
        ({"X A": "1"}, "is not a header's name"),
        ({"Host": "{domain}"}, '"host": "domain" on the route'),
        ({"Authorization": "Basic x"}, "is the visitor's own"),
        ({"X-A": "1", "x-a": "2"}, "stands twice"),
        (["X-A"], "is not a dict"),
    ],
)
def test_a_header_that_cannot_be_sent_is_refused(parse, headers, told):
    row = {"port": "entry", "path": "/", "upstream": "https://a.example/", "headers": headers}
    host, problems = parse({**ENTRY, "domain": "wx.a.edu.cn"}, platforms={"own": {"routes": [row]}})
    assert host is None
    assert told in str(problems[0])
    assert 'platforms["own"].routes[0].headers' in str(problems[0])


def test_a_header_of_two_routes_is_one_in_whatever_letters(files_of):
    long = "X-" + "a" * 60
    rows = [
        {"path": "/a/", "upstream": "http://10.0.0.8/", "headers": {"X-Foo": "1", long: "1"}},
        {"path": "/b/", "upstream": "http://10.0.0.8/", "headers": {"x-foo": "2"}},
    ]
    made = _locations(files_of(*rows))
    for path, value in (("/a/", "1"), ("/b/", "2")):
        sent = [pair for pair in made[path].inherited("proxy_set_header") if pair[0].lower() == "x-foo"]
        assert len(sent) == 1
        assert (sent[0][1], value) in made[path].all("set")
        assert all(len(name) < 40 for name, _ in made[path].all("set")), "nginx has no room for long variables"


def test_what_may_be_a_secret_is_not_shown(parse):
    for change in ({"upstream": "http://u:SECRET@10.0.0.8:x/"}, {"headers": {"X-Token": "SECRET $"}}):
        row = {"port": "entry", "path": "/", "upstream": "https://a.example/", **change}
        host, problems = parse({**ENTRY, "domain": "wx.a.edu.cn"}, platforms={"own": {"routes": [row]}})
        assert host is None
        assert "SECRET" not in str(problems)


def test_a_header_stands_for_the_platform_or_for_its_routes(parse):
    row = {"port": "entry", "path": "/", "upstream": "https://a.example/", "headers": {"X-Site": "1"}}
    platform = {"routes": [row], "domain_headers": ["x-site"]}
    host, problems = parse({**ENTRY, "domain": "wx.a.edu.cn"}, platforms={"own": platform})
    assert host is None
    assert 'stands in the "headers" of a route too' in str(problems[0])


def test_sites_share_a_server_only_where_nothing_that_comes_back_differs(files_of):
    domains = ("wx.a.edu.cn", "wx.b.edu.cn")
    alike = files_of({"upstream": "https://oa.c.edu.cn/"}, domains=domains)
    assert _servers(alike) == [domains]
    # a.edu.cn is the first one's own school
    differ = files_of({"upstream": "https://oa.a.edu.cn/"}, domains=domains)
    assert sorted(_servers(differ)) == [("wx.a.edu.cn",), ("wx.b.edu.cn",)]
    own = files_of({"upstream": "https://oa.c.edu.cn/", "host": "domain"}, domains=domains)
    assert sorted(_servers(own)) == [("wx.a.edu.cn",), ("wx.b.edu.cn",)]


def _servers(files: dict[str, File]) -> list[tuple[str, ...]]:
    return [
        one.all("server_name")[0]
        for one in read(files).inside("server")
        if one.locations().get("/") and one.inside("location") and one.all("proxy_read_timeout")
    ]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ((("/weixin/", "/weixin/", True), ("/static/", "/static/", False)), '"/static/" is not guarded'),
        ((("/weixin/", "/weixin/", True), ("/static/", "/static/", True)), ""),
        ((("/weixin/", "/weixin/", True), ("/", "/", False)), ""),
    ],
)
def test_a_hole_beside_a_wall_is_told(parse, rows, told):
    routes = [
        {"port": "entry", "path": path, "upstream": f"http://10.0.0.8:8080{behind}", "guarded": guarded}
        for path, behind, guarded in rows
    ]
    host, _ = parse({**ENTRY, "domain": "wx.a.edu.cn"}, platforms={"own": {"routes": routes}})
    assert host
    found = " ".join(map(str, upstream_rules.warnings([host])))
    assert told in found
    assert bool(found) == bool(told)


def test_wecoms_api_is_not_for_everybody(parse):
    row = {"port": "entry", "path": "/wxapi/", "upstream": "https://qyapi.weixin.qq.com/"}
    entry = {**ENTRY, "domain": "wx.a.edu.cn", "slb_cidrs": ["10.0.0.0/24"]}
    for allow, told in (([], 1), (["203.0.113.0/24"], 0)):
        host, _ = parse({**entry, "allow": allow}, platforms={"own": {"routes": [row]}})
        assert host
        found = [str(one) for one in upstream_rules.warnings([host])]
        assert len(found) == told
        assert all(one.startswith('h1: wx.a.edu.cn: allow: "https://qyapi.weixin.qq.com"') for one in found)


@pytest.mark.parametrize("host", ["0x08080808", "app.0x10", "8.8.8.0x8", "134744072"])
def test_what_the_c_library_takes_for_an_address_is_no_name(parse, host):
    platform = {"routes": [{"port": "entry", "path": "/", "upstream": f"http://{host}/"}]}
    _, problems = parse({**ENTRY, "domain": "wx.a.edu.cn"}, platforms={"own": platform})
    assert any("ends in a number; right would be" in one for one in problems)


@pytest.mark.parametrize("row", [{"upstream": "http://[fe80::1]/"}, {"upstream": "http://a.b/", "nodes": ["fe80::1"]}])
def test_an_address_of_one_cable_is_nobodys(parse, row):
    platform = {"routes": [{"port": "entry", "path": "/", **row}]}
    _, problems = parse({**ENTRY, "domain": "wx.a.edu.cn"}, platforms={"own": platform})
    assert any("is not the address of a server" in one for one in problems)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"upstream": "http://paas.a.edu.cn/"}, "is plain http to a name"),
        ({"upstream": "http://paas.a.edu.cn/", "nodes": ["10.0.0.8"]}, ""),
        ({"upstream": "http://10.0.0.8:8080/"}, ""),
        (
            {"upstream": "https://10.0.0.8/"},
            "with the names in a certificate, not with the addresses; right would be the "
            'name in its certificate, with "nodes": ["10.0.0.8"]',
        ),
        ({"upstream": "https://10.0.0.8/", "nodes": ["10.0.0.7"]}, "in its certificate, beside the nodes that it has"),
        ({"upstream": "https://paas.a.edu.cn/", "guarded": True}, '"/" is guarded and leads to all of paas.a.edu.cn'),
        ({"upstream": "https://paas.a.edu.cn/m/", "guarded": True}, ""),
        ({"upstream": "https://paas.a.edu.cn/"}, ""),
        ({"upstream": "http://itsm_app:8000/"}, "is plain http to a name"),
    ],
)
def test_what_proves_nothing_is_told(parse, row, told):
    platform = {"routes": [{"port": "entry", "path": "/", **row}]}
    host, problems = parse({**ENTRY, "domain": "wx.a.edu.cn"}, platforms={"own": platform})
    assert host, problems
    found = [str(one) for one in upstream_rules.warnings([host])]
    assert bool(found) == bool(told)
    assert all(told in one and one.startswith("h1: wx.a.edu.cn: platform: ") for one in found)


@pytest.mark.parametrize(
    ("upstream", "domain", "told"),
    [
        ("https://paas.inner.example/", "wx.a.edu.cn", 1),
        ("https://bk--itsm.apps.inner.example/", "wx.a.edu.cn", 1),
        ("https://inner.example/", "wx.a.edu.cn", 1),
        ("https://winner.example/", "wx.a.edu.cn", 0),
        ("https://paas.inner.example.edu.cn/", "wx.a.edu.cn", 0),
        # the demo's own sites, behind which such a server is
        ("https://paas.inner.example/", "itsm.slb.demo.example", 0),
    ],
)
def test_the_servers_of_the_examples_are_nobodys(parse, upstream, domain, told):
    row = {"port": "entry", "path": "/", "upstream": upstream}
    host, problems = parse({**ENTRY, "domain": domain}, platforms={"own": {"routes": [row]}})
    assert host, problems
    found = [str(one) for one in upstream_rules.warnings([host])]
    assert len(found) == told
    for one in found:
        assert one.startswith(f'h1: {domain}: platform: "{upstream[:-1]}" is the example\'s server')
        assert "copy of the platform" in one


def test_a_blueking_site_names_its_own_server(parse):
    bk = {"upstream": "https://paas.inner.example", "apps": ["bk_itsm"]}
    host, problems = parse({"domain": "wx.a.edu.cn", "edge": "slb", "platform": "bkitsm", "bk": bk})
    assert host, problems
    (one,) = [str(one) for one in upstream_rules.warnings([host])]
    assert one.startswith("h1: wx.a.edu.cn: bk.upstream: ")
    assert one.endswith("write yours")


@pytest.mark.parametrize("node", ["[fd00::8:8443", "[fd00::8"])
def test_a_node_with_half_a_bracket_is_refused(node):
    """fd00::8:8443 is an address as well, of nobody."""
    with pytest.raises(ValueError, match="is not an IP address, with a port or without"):
        upstream_values.node(node)
