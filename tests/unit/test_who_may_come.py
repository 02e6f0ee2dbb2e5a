"""`allow` of a site and `proxy_protocol` of a host: what may stand there, what is rendered, and what is said of it.

That nginx does so is proven by tests/scripts/test_who_may_come.py and on hosts.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from gateway.deploys.objections import objections
from gateway.fleet import wecom_rules
from gateway.nginx.build import Build
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree
from gateway.outside import places
from gateway.outside.probe import Unanswered

from .answering import on, own_page
from .nginx_reading import read
from .protected import BEHIND, SITES, VERIFY, VERSIONS, own_servers, rendered
from .test_objections import THERE, conf, known

SLB = {"domain": "a.edu.cn", "edge": "slb", "platform": "wanxiao_test"}
TLS = {"domain": "b.edu.cn", "edge": "tls", "platform": "wanxiao_test"}
BK = {"upstream": "https://paas.inner.example", "apps": ["bk_itsm"]}
ALLOW = ["198.51.100.0/24", "2001:db8:5::/48"]
BALANCER = ["10.0.0.0/24", "fd00::/64"]


@pytest.fixture
def host(parse, store_pair, files):
    def make(*sites, **data):
        for site in sites:
            if site["edge"] == "tls" and not (files / "certs" / site["domain"]).exists():
                store_pair(site["domain"])
        parsed, wrong = parse(*sites, **data)
        assert not wrong
        return parsed

    return make


# What may stand there


@pytest.mark.parametrize(
    ("value", "place", "reason"),
    [
        ("10.0.0.0/8", "allow", "is not a list"),
        (["0.0.0.0/0"], "allow[0]", "is everybody"),
        (["0.0.0.0/0.0.0.0"], "allow[0]", "is everybody"),
        (["10.0.0.0/8", "::/0"], "allow[1]", "is everybody"),
        (["10.0.0.7/0"], "allow[0]", "is everybody"),
        (["10.0.0.1/24"], "allow[0]", 'right would be "10.0.0.0/24"'),
        (["2001:db8::1/32"], "allow[0]", 'right would be "2001:db8::/32"'),
        (["::ffff:10.0.0.0/104"], "allow[0]", 'right would be "10.0.0.0/8"'),
        (["::ffff:10.0.0.7"], "allow[0]", 'right would be "10.0.0.7/32"'),
        (["campus; deny all"], "allow[0]", 'is not a network; right would be "10.0.0.0/24"'),
        (["10.0.0.0/33"], "allow[0]", "is not a network"),
        ([7], "allow[0]", "is not a network"),
        (None, "allow", "is not a list"),
    ],
)
def test_networks_that_cannot_be_meant_are_told_with_what_is_right(parse, value, place, reason):
    parsed, (problem, *more) = parse({**SLB, "allow": value})
    assert (parsed, more) == (None, [])
    assert problem.startswith(f"h1: a.edu.cn: {place}: ")
    assert reason in problem


@pytest.mark.parametrize(
    ("value", "place", "reason"),
    [
        ("10.0.0.0/24", "proxy_protocol", "is not a list"),
        (True, "proxy_protocol", "is not a list"),
        ([], "proxy_protocol", "names no network"),
        (["0.0.0.0/0"], "proxy_protocol[0]", "believes every client"),
        (["10.0.0.0/24", "10.0.0.1/24"], "proxy_protocol[1]", 'right would be "10.0.0.0/24"'),
        (["::ffff:10.0.0.0/120"], "proxy_protocol[0]", 'right would be "10.0.0.0/24"'),
        (["127.0.0.1"], "proxy_protocol[0]", "is this host itself"),
        (["127.0.0.0/7"], "proxy_protocol[0]", "bits set"),
        (["126.0.0.0/7"], "proxy_protocol[0]", "is this host itself"),
        (["::1"], "proxy_protocol[0]", "is this host itself"),
        (["lb.example"], "proxy_protocol[0]", "is not a network"),
    ],
)
def test_a_load_balancer_that_cannot_be_meant_is_told_with_what_is_right(parse, store_pair, value, place, reason):
    store_pair("b.edu.cn")
    parsed, (problem, *more) = parse(TLS, proxy_protocol=value)
    assert (parsed, more) == (None, [])
    assert problem.startswith(f"h1: {place}: ")
    assert reason in problem


def test_it_is_for_tls_sites_and_instead_of_x_forwarded_for(parse, store_pair):
    _, (problem,) = parse(SLB, proxy_protocol=BALANCER)
    assert 'proxy_protocol: is for sites at edge "tls", and this host has none' in problem
    assert '"slb_cidrs"' in problem
    store_pair("b.edu.cn")
    _, (problem,) = parse({**TLS, "slb_cidrs": BALANCER}, proxy_protocol=BALANCER)
    assert problem.startswith("h1: b.edu.cn: slb_cidrs: ")
    assert "remove the key" in problem
    parsed, problems = parse(
        TLS, {**SLB, "platform": "bkitsm", "bk": BK, "slb_cidrs": BALANCER}, proxy_protocol=BALANCER
    )
    assert not problems
    assert parsed.proxy_protocol == ("10.0.0.0/24", "fd00::/64")


def test_the_keys_stand_where_they_are_read(parse, store_pair):
    store_pair("b.edu.cn")
    _, (problem,) = parse({**TLS, "proxy_protocol": BALANCER})
    assert 'it belongs to the host, beside "sites"' in problem


def test_addresses_of_a_load_balancer_are_not_those_of_visitors(host):
    blind = host({**SLB, "allow": ALLOW})
    ((warning),) = [one for one in wecom_rules.warnings([blind]) if one.field == "allow"]
    assert "slb_cidrs" in str(warning)
    seeing = host({**SLB, "allow": ALLOW, "slb_cidrs": BALANCER})
    assert [one for one in wecom_rules.warnings([seeing]) if one.field == "allow"] == []
    assert [one for one in wecom_rules.warnings([host({**TLS, "allow": ALLOW})]) if one.field == "allow"] == []


def test_two_nodes_let_the_same_visitors_in(host):
    def told(*lists):
        nodes = [replace(host({**SLB, "slb_cidrs": BALANCER, "allow": one}), name=f"h{one}") for one in lists]
        return [one.field for one in wecom_rules.warnings(nodes)]

    assert told(ALLOW, [*reversed(ALLOW), ALLOW[0]]) == []
    assert told(ALLOW, []) == ["allow"]


# What is rendered


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("sites", [SITES, BEHIND], ids=["tls", "slb"])
def test_every_location_of_a_site_asks_first_who_comes(sites, version):
    files = rendered([{**site, "allow": ALLOW} for site in sites], version)
    seen = 0
    for path, file in files.items():
        if not path.startswith(("sites/", "acme/")):
            continue
        text = re.sub(r"^ *#.*\n", "", file.body.decode(), flags=re.MULTILINE)
        text = re.sub(r"(if .* \{)\n *(return \d+;)\n *\}", r"\1 \2 }", text)
        for head, first in re.findall(r"^    location (.*) \{\n *(.*)\n", text, re.MULTILINE):
            if head in ("= /healthz", f"= /{VERIFY}", "^~ /.well-known/acme-challenge/"):
                assert "stranger" not in first
            elif first.startswith("return 301 https://") and head == "/":
                assert "listen 80;" in text[: text.index("location / {")], "the redirect of port 80 alone answers all"
            else:
                assert first == "if ($wecom_gateway_stranger_1) { return 403; }", (path, head)
                seen += 1
    assert seen > 10
    http = read(files)
    for server in own_servers(http):
        asked = [one for one in server.inside("if") if one.around is server]
        # at server level it would run before verification files
        assert not [one for one in asked if one.arguments == ("$wecom_gateway_stranger_1",)]
    (geo,) = [one for one in http.inside("geo") if "stranger" in one.arguments[1]]
    assert geo.arguments == ("$remote_addr", "$wecom_gateway_stranger_1")
    assert dict(geo.directives) == {"default": ("1",), **dict.fromkeys(ALLOW, ("0",))}


@pytest.mark.parametrize("version", VERSIONS)
def test_no_bare_path_is_redirected_by_nginx_itself(version):
    """It would do so before it asks who comes, and so tell which paths are published."""
    for server in own_servers(read(rendered([{**site, "allow": ALLOW} for site in [*SITES]], version))):
        known_paths = server.locations()
        for head, location in known_paths.items():
            if location.all("proxy_pass") and head.endswith("/") and head != "/":
                assert f"= {head[:-1]}" in known_paths


def test_a_stranger_gets_the_same_for_what_is_ambiguous():
    http = read(rendered([{**BEHIND[-1], "allow": ALLOW}]))
    (server, *_) = own_servers(http)
    guarded = [one for head, one in server.locations().items() if head.startswith("/") and one.all("proxy_pass")]
    assert guarded
    for location in guarded:
        asked = [(*one.arguments, one.all("return")) for one in location.blocks]
        assert asked[0] == ("$wecom_gateway_stranger_1", [("403",)])
        assert asked[-1] == ("$wecom_gateway_ambiguous", [("404",)])


def test_sites_that_let_others_in_share_no_server(host):
    sites = [{**SLB, "domain": f"{name}.edu.cn"} for name in "abcde"]
    for site, allow in zip(sites, ([], ALLOW, [*reversed(ALLOW)], ALLOW[:1], []), strict=True):
        site["allow"] = allow
    files = tree(host(*sites), Build(Version.parse("1.22.1")))
    names = [
        sorted(server.all("server_name")[0]) for server in own_servers(read(files)) if ("80",) in server.all("listen")
    ]
    assert sorted(names) == [["a.edu.cn", "e.edu.cn"], ["b.edu.cn", "c.edu.cn"], ["d.edu.cn"]]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_tls_listener_expects_the_header_and_no_other_does(host, version):
    itsm = {"domain": "c.edu.cn", "edge": "tls", "platform": "bkitsm", "bk": BK}
    acme = {**TLS, "domain": "d.edu.cn", "cert": {"acme": {"email": "ops@school.example"}}}
    parsed = host(TLS, itsm, proxy_protocol=BALANCER)
    with_acme = host(acme, proxy_protocol=BALANCER)
    for one in (parsed, with_acme):
        http = read(tree(one, Build(Version.parse(version))))
        ports = set()
        for server in http.inside("server"):
            listens = {arguments[0]: arguments[1:] for arguments in server.all("listen")}
            tls = {spec for spec, flags in listens.items() if "ssl" in flags}
            assert tls == {spec for spec in listens if not re.search(r"(?:^|:)(?:80|19001)$", spec)}
            for spec, flags in listens.items():
                assert ("proxy_protocol" in flags) == (spec in tls and not spec.startswith("127.0.0.1:")), spec
                assert ("http2" in flags) == (spec in tls and version in ("1.18.0", "1.22.1"))
            # this host asks itself without a header, wherever it is asked with one
            own = {spec.rpartition(":")[2] for spec in tls if spec.startswith("127.0.0.1:")}
            assert own == {spec for spec in tls if spec.isdecimal()}
            ports |= own
            # nobody connects by a socket in the file system
            believed = {network for (network,) in server.all("set_real_ip_from")} - {"unix:"}
            closes = [one for one in server.blocks if one.arguments == ("$wecom_gateway_past_balancer",)]
            if tls and server in own_servers(http):
                assert believed == set(BALANCER)
                assert server.all("real_ip_header") == [("proxy_protocol",)]
                assert [one.all("return") for one in closes] == [[("444",)]]
            else:
                assert (believed, closes) == (set(), [])
        assert ports == {"443", "9001"}
        (geo,) = [one for one in http.inside("geo") if "past_balancer" in one.arguments[1]]
        assert geo.arguments[0] == "$realip_remote_addr", "who connected, not who the header tells"
        told = {"default": ("1",), **dict.fromkeys([*BALANCER, "127.0.0.0/8"], ("0",))}
        assert dict(geo.directives) == told


def test_without_either_key_nothing_of_it_is_there(host):
    files = tree(host(SLB), Build(Version.parse("1.22.1"))) | tree(host(TLS), Build(Version.parse("1.22.1")))
    assert not {"strangers.conf", "snippets/proxy-protocol.conf"} & files.keys()
    assert not [path for path, file in files.items() if b"stranger" in file.body or b"proxy_protocol" in file.body]


# Somebody else's server on the same socket


BOTH = "server { listen 443 ssl proxy_protocol; listen [::]:443 ssl proxy_protocol; server_name x.example; }"


@pytest.mark.parametrize(
    ("theirs", "ours", "port", "remedy"),
    [
        ("server { listen 443 ssl default_server; }", BALANCER, "443", 'write "listen 443 ssl proxy_protocol;" there'),
        ("server { listen [::]:443 ssl default_server; }", BALANCER, "[::]:443", "proxy_protocol;"),
        ("server { listen 443 ssl proxy_protocol default_server; }", None, "443", 'in "proxy_protocol" of this host'),
        ("server { listen *:80 default_server proxy_protocol; }", None, "80", "take the flag away there"),
        ("server { listen 80 default_server proxy_protocol; }", BALANCER, "80", "take the flag away there"),
    ],
)
def test_the_header_is_expected_from_everybodys_visitors_or_nobodys(host, theirs, ours, port, remedy):
    (text,) = objections(host(TLS, proxy_protocol=ours), known(THERE, dump=conf(theirs)))
    assert f"/etc/nginx/sites-enabled/theirs, {'has nginx expect' if 'has nginx' in text else 'listens'}" in text
    assert f"port {port}" in text
    assert remedy in text


def test_a_server_that_expects_it_as_well_is_no_hindrance(host):
    both = BOTH.replace("proxy_protocol;", "proxy_protocol default_server;")
    assert objections(host(TLS, proxy_protocol=BALANCER), known(THERE, dump=conf(both))) == []
    elsewhere = both.replace("443", "8443")
    assert objections(host(TLS), known(THERE, dump=conf(elsewhere))) == []
    apart = "server { listen 10.0.0.9:443 ssl; server_name x.example; }"
    assert objections(host(TLS, proxy_protocol=BALANCER), known(THERE, dump=conf(apart))) == []


@pytest.mark.parametrize("listen", ["127.0.0.1:443", "localhost:9001"])
def test_a_server_on_the_address_where_the_host_asks_itself_is_in_the_way(host, listen):
    theirs = known(THERE, dump=conf(f"server {{ listen {listen}; server_name x.example; }}"))
    (text,) = objections(host(TLS, proxy_protocol=BALANCER), theirs)
    assert f"theirs, listens on 127.0.0.1:{listen.rpartition(':')[2]}" in text
    assert "give it another port" in text
    assert objections(host(TLS), theirs) == []


def test_a_server_elsewhere_on_the_loopback_interface_is_not(host):
    theirs = known(THERE, dump=conf("server { listen 127.0.0.1:8443; listen 127.0.0.2:443; listen unix:/run/x.sock; }"))
    assert objections(host(TLS, proxy_protocol=BALANCER), theirs) == []


# From outside


def _balanced(answering, *hosts: str):
    site = answering("test-tls")
    site.target = replace(site.target, closed=frozenset(hosts))
    return site


def test_a_host_that_answers_its_load_balancer_alone_is_not_asked_directly(answering):
    site = _balanced(answering, "203.0.113.10")
    (address, *_), outcomes = site.findings(), {one.outcome for one in site.findings()[1:]}
    assert (address.check, address.outcome) == ("address", "failed")
    assert "is the host itself, which answers its load balancer alone (proxy_protocol)" in address.reason
    assert "DNS record name the load balancer" in address.remedy
    assert outcomes == {"passed"}  # port 80
    assert {door.port for door, *_ in site.asked} == {80}
    site.target = replace(site.target, address="203.0.113.10")
    assert site.findings()[0].outcome == "skipped"
    site.target = replace(site.target, address=None, closed=frozenset({"10.0.0.5"}))
    assert {one.outcome for one in site.findings()} == {"passed"}


def test_its_hosts_are_known_by_their_addresses(host):
    one = replace(host(TLS, proxy_protocol=BALANCER), name="h1", address="10.0.0.5")
    other = replace(one, name="h2", address="10.0.0.6", proxy_protocol=())
    (target,) = places.targets([one, other], {})
    assert target.closed == {"10.0.0.5"}


@pytest.mark.parametrize(
    ("kind", "port", "remedy"),
    [
        ("refused", 443, "TCP listener on 443, with the PROXY protocol"),
        ("refused", 80, "TCP listener on 80, without the PROXY protocol"),
        ("unreachable", 9001, "security group of the load balancer"),
        ("handshake", 443, "a network in the host's proxy_protocol"),
        ("closed", 80, "sends no PROXY protocol"),
    ],
)
def test_what_its_operator_has_to_set_is_said(answering, kind, port, remedy):
    site = _balanced(answering, "10.0.0.5")
    site.unopened = {port: Unanswered(kind, "x")}
    (failed,) = site.failed()
    assert remedy in failed[2]


@pytest.mark.parametrize("name", ["card-slb", "test-tls", "itsm-slb"])
def test_a_stranger_is_told_that_this_may_be_right(answering, name):
    site = answering(name)
    site.target = replace(site.target, site=replace(site.target.site, allow=tuple(ALLOW)))
    site.wrong = on(
        lambda target, host, **_: not host and "WW_verify" not in target and "healthz" not in target, own_page(403)
    )
    found = site.findings()
    skipped = [one for one in found if one.outcome == "skipped"]
    assert {one.check for one in skipped} >= {"route"}
    assert all(ALLOW[0] in one.remedy for one in skipped)
    failed = [one for one in found if one.outcome == "failed"]
    # at edge tls port 80 redirects whoever asks
    assert [one.check for one in failed] == (["redirect"] if name == "test-tls" else [])


def test_without_the_key_a_403_of_the_gateway_is_a_failure(answering):
    site = answering("card-slb")
    site.wrong = on(lambda target, host, **_: not host and target == "/", own_page(403))
    assert {one[0] for one in site.failed()} == {"route"}
