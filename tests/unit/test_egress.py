"""Egress in the inventory and in a release. That it passes what it should and nothing else is proven on hosts."""

from __future__ import annotations

import pytest

from gateway.nginx.build import Build
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree

SITE = {"domain": "wx.school.edu.cn", "edge": "slb", "platform": "wanxiao_prod"}
EGRESS = {"listen": "10.0.0.5:443", "allow": ["10.0.0.0/24"]}
BUILD = Build(Version((1, 22, 1)))


@pytest.mark.parametrize(
    ("listen", "reason"),
    [
        ("443", "does not start with an IP address"),
        ("gateway.inner:443", "does not start with an IP address"),
        ("10.0.0.5", '"10.0.0.5" has no port; right would be "10.0.0.5:443"'),
        ("fd00::5", 'has no port; right would be "[fd00::5]:443"'),
        ("[fd00::5]", 'has no port; right would be "[fd00::5]:443"'),
        ("::", 'has no port; right would be "10.0.0.5:443"'),
        ("[::1:443", 'right would be "[fd00::5]:443"'),
        ("::1]:443", "does not start with an IP address"),
        ("fe80::1%eth0", 'right would be "[fd00::5]:443"'),
        ("10.0.0.5:", "no valid port"),
        ("10.0.0.5:0443", "no valid port"),
        ("10.0.0.5:65536", "no valid port"),
        ("10.0.0.5:+443", "no valid port"),
        ("10.0.0.5:443;", "no valid port"),
        ("0.0.0.0:443", "is not one address of the host"),
        ("[::]:443", "is not one address of the host"),
        ("224.0.0.1:443", "is not one address of the host"),
        ("fd00::5:443", 'right would be "[fd00::5]:443"'),
        ("[fe80::1%eth0]:443", 'right would be "[fd00::5]:443"'),
        ("10.0.0.5:19001", "is the gateway's own"),
        (443, "valid string"),
    ],
)
def test_a_bad_listener_is_refused_with_its_reason(parse, listen, reason):
    host, problems = parse(SITE, egress={**EGRESS, "listen": listen})
    assert host is None
    assert len(problems) == 1, problems
    assert problems[0].startswith("h1: egress.listen: ")
    assert reason in problems[0]


@pytest.mark.parametrize(
    ("allow", "reason"),
    [
        ([], 'is empty; right would be "allow"'),
        (["0.0.0.0/0"], "lets everybody pass"),
        (["::/0"], "lets everybody pass"),
        (["10.0.0.5/24"], 'right would be "10.0.0.0/24"'),
        ("10.0.0.0/24", "is not a list"),
        (["fd00::/64"], "one is IPv4, the other IPv6"),
    ],
)
def test_networks_that_mean_nobody_or_everybody_are_refused(parse, allow, reason):
    host, problems = parse(SITE, egress={**EGRESS, "allow": allow})
    assert host is None
    assert "h1: egress.allow" in problems[0]
    assert reason in problems[0]


@pytest.mark.parametrize(
    ("egress", "said"),
    [
        ("10.0.0.5:443", "h1: egress: is not a dict"),
        ({"listen": "10.0.0.5:443"}, "h1: egress.allow: missing"),
        ({**EGRESS, "allowed": []}, 'did you mean "allow"?'),
    ],
)
def test_what_is_no_egress_says_what_would_be_one(parse, egress, said):
    _, problems = parse(SITE, egress=egress)
    assert len(problems) == 1
    assert said in problems[0]


def test_a_port_that_a_site_listens_on_is_not_free(parse, store_pair):
    """nginx would take the release, and the reload would fail half a minute later."""
    store_pair("tls.school.edu.cn")
    _, problems = parse({**SITE, "domain": "tls.school.edu.cn", "edge": "tls"}, egress=EGRESS)
    assert len(problems) == 1
    assert "tls.school.edu.cn listens on port 443 of every address of this host" in problems[0]
    host, problems = parse(SITE, egress={**EGRESS, "listen": "10.0.0.5:80"})
    assert host is None
    assert "listens on port 80" in problems[0]


def test_a_neighbour_without_it_renders_as_if_there_were_none(parse):
    """A release that changes for everybody reloads every nginx for one host's wish."""
    with_it, _ = parse(SITE, egress=EGRESS)
    without, _ = parse(SITE)
    given, usual = tree(with_it, BUILD), tree(without, BUILD)
    assert given.keys() - usual.keys() == {"egress.conf"}
    differing = {path for path in usual if usual[path] != given[path]}
    assert differing == {"main.conf", "ports", "upstreams"}
    assert b"egress" not in usual["main.conf"].body
    assert b"weixin" not in usual["upstreams"].body


def test_its_upstreams_are_looked_up_like_the_sites(parse):
    host, _ = parse(SITE, egress=EGRESS)
    lines = tree(host, BUILD)["upstreams"].body.decode().splitlines()
    assert {"api.weixin.qq.com 443", "qyapi.weixin.qq.com 443", "hub.17wanxiao.com 443"} <= set(lines)


@pytest.mark.parametrize(
    ("listen", "line"),
    [
        # as /proc/net/tcp and tcp6 of a little-endian machine write these addresses
        ("10.0.0.5:443", "443 10.0.0.5 0500000A"),
        ("[fd00::1:2]:8443", "8443 fd00::1:2 000000FD000000000000000002000100"),
    ],
)
def test_the_listener_is_told_to_the_host_as_the_kernel_writes_it(parse, listen, line):
    host, problems = parse(SITE, egress={"listen": listen, "allow": ["10.0.0.0/24", "fd00::/64"]})
    assert not problems
    assert tree(host, BUILD)["ports"].body.decode().splitlines()[-1] == line


def test_a_host_may_have_nothing_else(parse):
    host, problems = parse(egress=EGRESS)
    assert not problems
    assert b"listen 10.0.0.5:443;" in tree(host, BUILD)["egress.conf"].body
