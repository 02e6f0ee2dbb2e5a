"""The rules of a rendered configuration that protect people, each said as what nginx makes of the whole of it.

That nginx does so is proven on hosts; here every server and location is looked at, for every nginx.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from ipaddress import ip_network
from pathlib import Path

import pytest

from gateway.certificates.keys import KeyPair
from gateway.checkout.verify_files import VerifyFile
from gateway.fleet.parsing import parse_host
from gateway.inventory.site import Route, Upstream
from gateway.nginx.build import Build
from gateway.nginx.release import File
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree

from .conftest import PLATFORMS
from .nginx_reading import Block, read

VERSIONS = ["1.18.0", "1.22.1", "1.26.3", "1.30.0"]
BALANCER = ["10.0.0.0/24", "fd00::/64"]
_BK = {"upstream": "https://paas.inner.example:8443", "apps": ["bk_itsm"], "extra_paths": ["/o/bk_itsm/jsi18n/"]}
_ACME = {"acme": {"email": "ops@school.example"}}
# A platform with a header of its own for the domain, which no visitor of another platform's site may set either.
_OWN = {**PLATFORMS["wanxiao_test"], "domain_headers": ["X-School-Host"]}
SITES = (
    {"domain": "prod.b.edu.cn", "edge": "tls", "platform": "wanxiao_prod", "hsts": 300},
    {"domain": "test.b.edu.cn", "edge": "tls", "platform": "wanxiao_test"},
    {"domain": "itsm.b.edu.cn", "edge": "tls", "platform": "bkitsm", "bk": _BK},
    {"domain": "acme.b.edu.cn", "edge": "tls", "platform": "wanxiao_prod", "cert": _ACME},
)
BEHIND = (
    {"domain": "prod.b.edu.cn", "edge": "slb", "platform": "wanxiao_prod", "slb_cidrs": BALANCER},
    {"domain": "alike.b.edu.cn", "edge": "slb", "platform": "wanxiao_prod", "slb_cidrs": BALANCER},
    {"domain": "test.b.edu.cn", "edge": "slb", "platform": "wanxiao_test"},
    {"domain": "own.b.edu.cn", "edge": "slb", "platform": "own"},
    {"domain": "itsm.b.edu.cn", "edge": "slb", "platform": "bkitsm", "bk": _BK, "slb_cidrs": BALANCER},
)
VERIFY = "WW_verify_AbCdEfGhIjKlMnOp.txt"
EGRESS = {"listen": "10.0.0.5:8443", "allow": ["10.0.0.0/24", "10.7.0.0/16"]}
# What inner systems believe of a request that comes from their own proxy.
BELIEVED = (
    *("Forwarded", "Proxy", "Proxy-Path", "Staffname", "X-Client-Ip", "X-Forwarded-Port", "X-Forwarded-Protocol"),
    *("X-Forwarded-Scheme", "X-Forwarded-Ssl", "X-Forwarded-User", "X-Forwarded-Weixin-Host", "X-Original-URI"),
    *("X-Original-URL", "X-Rewrite-URL", "X-Bkapi-App", "X-Bkapi-Authorization", "X-Bkapi-Jwt", "X-Bkapi-User"),
    "X-Bkapi-Username",
)


def _files(sites=SITES, version="1.22.1", **build) -> dict[str, File]:
    """The rendered files by path, placeholder and all. Each site has a verification file, and a stand-in of a key."""
    data = {"sites": list(sites), "platforms": {**PLATFORMS, "own": _OWN}, "egress": EGRESS}
    host, problems = parse_host("h1", data, Path("no-files"), certificates=False)
    assert host, problems
    own = [site["domain"] for site in sites if site["edge"] == "tls" and "cert" not in site]
    host = replace(
        host,
        verify={site["domain"]: (VerifyFile(VERIFY, b"AbCdEfGhIjKlMnOp"),) for site in sites},
        certs={domain: KeyPair(b"a certificate", b"a key") for domain in own},
    )
    return tree(host, replace(Build(Version.parse(version)), **build))


@cache
def _http(edge: str, version: str) -> Block:
    return read(_files(SITES if edge == "tls" else BEHIND, version))


@pytest.fixture(params=[(edge, version) for edge in ("tls", "slb") for version in VERSIONS], ids="-".join)
def http(request) -> Block:
    """Everything at http level: sites of one edge, on one nginx."""
    return _http(*request.param)


def _proxied(http: Block) -> list[Block]:
    found = [one for one in http.inside("location") if one.all("proxy_pass")]
    assert len(found) > 5
    return found


def _servers(http: Block) -> list[Block]:
    return list(http.inside("server"))


def _names(server: Block) -> list[str]:
    return [name for names in server.all("server_name") for name in names]


def _own(http: Block) -> list[Block]:
    """Servers of sites."""
    return [one for one in _servers(http) if any(name.endswith(".edu.cn") for name in _names(one))]


# Upstreams


def test_every_upstream_is_asked_by_tls_and_has_to_prove_its_own_name(http):
    for location in _proxied(http):
        ((target,),) = location.all("proxy_pass")
        name = re.fullmatch(r"https://wecom_gateway_([a-z0-9.-]+)_\d+(?:/.*)?", target)
        assert name, target
        assert location.inherited("proxy_ssl_verify") == [("on",)]
        assert location.inherited("proxy_ssl_name") == [(name[1],)]
        assert location.inherited("proxy_ssl_server_name") == [("on",)]
        (depth,) = location.inherited("proxy_ssl_verify_depth")
        assert int(depth[0]) >= 2  # an intermediate and a root, at least
        assert set(location.inherited("proxy_ssl_protocols")[0]) <= {"TLSv1.2", "TLSv1.3"}


def test_the_store_that_upstreams_are_verified_against_is_the_hosts_own(http):
    for location in _proxied(http):
        commands = location.inherited("proxy_ssl_conf_command")
        if not commands:
            assert location.inherited("proxy_ssl_trusted_certificate") == [("/etc/ssl/certs/ca-certificates.crt",)]
        else:
            # the file that stands beside it signs nothing
            assert ("VerifyCAPath", "/etc/ssl/certs") in commands
            ((beside,),) = location.inherited("proxy_ssl_trusted_certificate")
            assert beside.endswith("/no-authority.pem")


def test_the_host_header_is_the_upstreams_own_name(http):
    for location in _proxied(http):
        ((target,),) = location.all("proxy_pass")
        host, port = re.match(r"https://wecom_gateway_(.+)_(\d+)", target).groups()
        authority = host if port == "443" else f"{host}:{port}"
        assert ("$wecom_gateway_host", authority) in location.all("set")
        assert ("Host", "$wecom_gateway_host") in location.inherited("proxy_set_header")


def test_a_request_is_sent_once_more_only_where_it_never_arrived(http):
    """A timed-out one may have spent a login's one-shot code."""
    for location in _proxied(http):
        assert location.inherited("proxy_next_upstream") == [("error",)]


def test_an_upstream_has_no_say_over_this_nginx(http):
    for location in _proxied(http):
        (ignored,) = location.inherited("proxy_ignore_headers")
        assert {"X-Accel-Redirect", "X-Accel-Limit-Rate", "X-Accel-Buffering"} <= set(ignored)
        assert ("Strict-Transport-Security",) in location.inherited("proxy_hide_header")


# What visitors say of themselves


def test_no_header_that_inner_systems_believe_passes_from_a_visitor(http):
    for location in _proxied(http):
        pairs = [(name.lower(), value) for name, value in location.inherited("proxy_set_header")]
        sent = dict(pairs)
        assert len(sent) == len(pairs), "a header that is set twice is sent twice"
        assert sent["x-forwarded-for"] == sent["x-real-ip"] == "$remote_addr"
        assert sent["x-forwarded-proto"] == "https"
        public = _public_name(location)
        assert sent["x-forwarded-host"] == public
        for name in BELIEVED:
            assert sent.get(name.lower()) in ("", public), name


def test_a_header_that_one_platform_has_for_the_domain_is_no_visitors_at_any_site_of_the_host():
    for location in _proxied(read(_files(BEHIND))):
        sent = {name.lower(): value for name, value in location.inherited("proxy_set_header")}
        names = _names(location.around)
        public = _public_name(location)
        assert sent["x-forwarded-weixin-host"] == (public if names == ["itsm.b.edu.cn"] else "")
        assert sent["x-school-host"] == (public if names == ["own.b.edu.cn"] else "")


def _public_name(location: Block) -> str:
    """The literal domain; where several share a server, $host, which in a server of exact names is one of them."""
    names = _names(location.around)
    assert all(re.fullmatch(r"[a-z0-9.-]+", name) for name in names)
    return names[0] if len(names) == 1 else "$host"


def test_only_the_load_balancers_own_networks_may_say_who_a_visitor_is():
    known = {domain: set(site.get("slb_cidrs", ())) for site in BEHIND for domain in [site["domain"]]}
    for server in _own(read(_files(BEHIND))):
        networks = known[_names(server)[0]]
        assert {network for (network,) in server.inherited("set_real_ip_from")} == networks
        assert all(ip_network(network).prefixlen for network in networks)
        asked = [("X-Forwarded-For",)] if networks else []
        assert server.inherited("real_ip_header") == asked
        # of several addresses in the header the last that is not the load balancer's own
        assert server.inherited("real_ip_recursive") == ([("on",)] if networks else [])


def test_only_from_those_networks_is_a_request_taken_for_plain_http():
    http = read(_files(BEHIND))
    geo = {one.arguments[1]: one for one in http.inside("geo")}
    assert {one.arguments[0] for one in geo.values()} == {"$realip_remote_addr"}, "who connected, not who realip says"
    for one in geo.values():
        assert dict(one.directives) == {"default": ("0",), **dict.fromkeys(BALANCER, ("1",))}
    for one in http.inside("map"):
        if one.arguments[1].startswith("$wecom_gateway_plain_"):
            assert one.arguments[0].partition(":")[0] in geo
            assert dict(one.directives) == {"default": ("0",), "1:http": ("1",)}


# Who is answered at all


def _defaults(http: Block) -> dict[str, Block]:
    found: dict[str, Block] = {}
    for server in _servers(http):
        for spec, *flags in server.all("listen"):
            if "default_server" in flags:
                assert spec not in found
                found[spec] = server
    return found


def test_names_that_no_site_has_are_answered_by_a_server_that_is_closed(http):
    specs = {spec for server in _own(http) for spec, *_ in server.all("listen")}
    defaults = _defaults(http)
    assert specs
    assert specs <= defaults.keys()
    assert any(spec.startswith("[::]:") for spec in specs)
    for spec, server in defaults.items():
        assert _names(server) == ["wecom-gateway.invalid"]
        assert not server.all("return")
        assert not list(server.inside("if"))
        locations = server.locations()
        assert locations.pop("/").all("return") == [("444",)]
        assert ("internal", ()) in locations.pop("= /.wecom-gateway-error").directives
        if locations:
            assert locations.keys() == {"= /healthz"}
            assert spec in ("80", "[::]:80")
        assert not [one for one in server.inside("location") if one.all("proxy_pass")]
        # what cannot be read as a request ends in location /
        assert {"400", "505"} <= {code for codes in server.all("error_page") if codes[-1] == "/" for code in codes}


def test_a_handshake_for_a_name_that_no_site_has_shows_nobodys_certificate(http):
    closed = [one for one in _defaults(http).values() if any("ssl" in flags for _, *flags in one.all("listen"))]
    for server in closed:
        if server.all("ssl_reject_handshake"):
            assert server.all("ssl_reject_handshake") == [("on",)]
            assert not server.all("ssl_certificate")
        else:
            ((shown,),) = server.all("ssl_certificate")
            (empty,) = [one for one in http.inside("map") if one.arguments[1] == shown.removeprefix("data:")]
            assert empty.directives == [("default", ("",))]


def test_the_default_of_somebody_elses_port_stays_theirs():
    theirs = frozenset({"80", "[::]:9001"})
    defaults = _defaults(read(_files(BEHIND, foreign_defaults=theirs)))
    assert defaults.keys() == {"[::]:80", "9001"}


def test_a_load_balancers_health_check_is_answered_whatever_name_it_asks_for():
    http = read(_files(BEHIND))
    asked = [_defaults(http)["80"], *(one for one in _own(http) if ("80",) in one.all("listen"))]
    assert len(asked) > 3
    for server in asked:
        assert server.locations()["= /healthz"].all("return")[0][0] == "200"


def test_the_running_nginx_tells_its_release_to_the_host_alone(http):
    telling = [one for one in _servers(http) if "= /release" in one.locations()]
    assert [one.all("listen") for one in telling] == [[("127.0.0.1:19001",)]]
    for server in _servers(http):
        if server is not telling[0]:
            assert not any("19001" in spec for spec, *_ in server.all("listen"))


# What is published


PREFIXES = {"/o/bk_itsm/weixin/", "/o/bk_itsm/static/weixin/", "/o/bk_itsm/jsi18n/"}


def _guarded(http: Block) -> list[Block]:
    found = [one for one in _own(http) if "itsm.b.edu.cn" in _names(one) and _proxies(one)]
    assert found
    return found


def _proxies(server: Block) -> set[str]:
    return {path for path, location in server.locations().items() if location.all("proxy_pass")}


def test_beside_an_allow_list_there_is_nothing(http):
    for server in _guarded(http):
        assert _proxies(server) == PREFIXES
        locations = server.locations()
        for path in ("/", *(f"= {prefix[:-1]}" for prefix in PREFIXES)):
            assert locations[path].all("return") == [("404",)], path
        for path, location in locations.items():
            if path in PREFIXES:
                ((target,),) = location.all("proxy_pass")
                assert target.endswith(path), "with a path nginx sends what it matched, not what came in"
    for server in _own(http):
        if "test.b.edu.cn" in _names(server) and "/bserver/" in server.locations():
            assert server.locations()["/"].all("return") == [("404",)]


def test_a_guarded_route_never_passes_a_path_as_it_came():
    whole = Route(443, "/", Upstream("paas.inner.example"), "/")
    assert whole.verbatim
    assert not replace(whole, guarded=True).verbatim


def test_a_guarded_server_answers_404_to_what_may_be_read_as_another_path(http):
    for server in _guarded(http):
        guards = [one for one in server.blocks if one.name == "if" and "$wecom_gateway_ambiguous" in one.arguments[0]]
        assert [one.all("return") for one in guards] == [[("404",)]]
        assert server.inherited("merge_slashes") == [("on",)]


@pytest.mark.parametrize(
    ("path", "ambiguous"),
    [
        ("/o/bk_itsm/weixin/", False),
        ("/o/bk_itsm/weixin/a.b/c-d_e~f/@(1)", False),
        ("/o/bk_itsm/weixin/工单/列表", False),
        ("/o/bk_itsm/weixin/...", False),
        # as nginx has it after one decoding: %252e%252e, ;, %5c, control characters
        ("/o/bk_itsm/weixin/%2e%2e/admin", True),
        ("/o/bk_itsm/weixin/..;/admin", True),
        ("/o/bk_itsm/weixin/;x=1/a", True),
        ("/o/bk_itsm/weixin/..\\admin", True),
        ("/o/bk_itsm/weixin/\x00", True),
        ("/o/bk_itsm/weixin/\r\nX: y", True),
        ("/o/bk_itsm/weixin/\x7f", True),
        # what normalisation folds to dots, slashes, backslashes, semicolons and percent signs
        ("/o/bk_itsm/weixin/．．/admin", True),
        ("/o/bk_itsm/weixin/．", True),
        ("/o/bk_itsm/weixin/..／admin", True),
        ("/o/bk_itsm/weixin/..＼admin", True),
        ("/o/bk_itsm/weixin/..；/admin", True),
        ("/o/bk_itsm/weixin/％2e", True),
        ("/o/bk_itsm/weixin/‥/admin", True),
        ("/o/bk_itsm/weixin/..∕admin", True),
        ("/o/bk_itsm/weixin/﹒﹒/admin", True),
        # dots that a question mark ends where the path is parsed a second time
        ("/o/bk_itsm/weixin/..?/", True),
        ("/o/bk_itsm/weixin/..#x", True),
        ("/o/bk_itsm/weixin/..？", True),
        # overlong UTF-8
        (b"/o/bk_itsm/weixin/\xc0\xae\xc0\xae/admin", True),
        (b"/o/bk_itsm/weixin/\xe0\x80\xae/admin", True),
        (b"/o/bk_itsm/weixin/\xf0\x80\x80\xaf", True),
        (b"/o/bk_itsm/weixin/\xff", True),
    ],
)
def test_what_an_upstream_could_read_as_another_path_is_ambiguous(path, ambiguous):
    (guard,) = [one for one in read(_files()).inside("map") if one.arguments[1] == "$wecom_gateway_ambiguous"]
    assert guard.arguments[0] == "$uri"
    rules = dict(guard.directives)
    assert rules.pop("default") == ("0",)
    raw = path if isinstance(path, bytes) else path.encode()
    found = [rule for rule, value in rules.items() if value == ("1",) and re.search(_as_bytes(rule), raw)]
    assert bool(found) == ambiguous


def _as_bytes(rule: str) -> bytes:
    """A regular expression of a map, which nginx holds against the bytes of a path."""
    assert rule.startswith("~")
    return rule[1:].encode("latin-1")


# Verification, redirects, logs, TLS


def test_plain_http_without_a_load_balancer_is_for_verification_and_the_way_to_https():
    for server in _own(read(_files())):
        if ("80",) not in server.all("listen"):
            continue
        (domain,) = _names(server)
        assert not server.all("return"), "it would run before verification files are looked for"
        locations = server.locations()
        assert locations["/"].all("return") == [("301", f"https://{domain}$request_uri")]
        file = locations[f"= /{VERIFY}"]
        ((root,),) = file.all("root")
        assert root.endswith(f"/verify/{domain}")
        assert not _proxies(server)


def test_verification_files_are_there_at_every_entry(http):
    for server in _own(http):
        (port, *_), *_ = server.all("listen")
        has = f"= /{VERIFY}" in server.locations()
        assert has == (port in ("80", "443"))


def test_no_redirect_of_nginxs_own_names_a_port_or_plain_http(http):
    for server in _servers(http):
        if "= /release" not in server.locations():
            assert server.inherited("absolute_redirect") == [("off",)]


def test_no_log_holds_what_stands_behind_a_question_mark(http):
    """OAuth codes do."""
    (words,) = http.all("log_format")
    used = set(re.findall(r"\$\{?(\w+)", "".join(words[1:])))
    assert "uri" in used
    assert not used & {"request_uri", "request", "args", "query_string", "http_referer", "http_cookie", "request_body"}
    for server in _own(http):
        assert {one[1] for one in server.inherited("access_log")} == {words[0]}


def test_visitors_are_offered_no_tls_that_can_be_broken(http):
    spoken = [one for one in _servers(http) if any("ssl" in flags for _, *flags in one.all("listen"))]
    for server in spoken:
        assert server.inherited("ssl_protocols") == [("TLSv1.2", "TLSv1.3")]
        ((ciphers,),) = server.inherited("ssl_ciphers")
        # forward secrecy and authenticated encryption
        assert all(re.match(r"ECDHE-.*(GCM|POLY1305)", one) for one in ciphers.split(":"))


@pytest.mark.parametrize("version", VERSIONS)
def test_tickets_are_given_only_where_their_keys_change(version):
    http = read(_files(version=version))
    rotates = Version.parse(version).number >= (1, 23, 2)
    spoken = [one for one in _own(http) if any("ssl" in flags for _, *flags in one.all("listen"))]
    assert spoken
    for server in spoken:
        assert server.inherited("ssl_session_tickets") == [("on" if rotates else "off",)]


# Egress


def test_egress_is_for_the_networks_that_are_named_and_for_the_names_of_wecom():
    (stream,) = read(_files(), "egress.conf").blocks
    (server,) = stream.inside("server")
    access = [(name, *arguments) for name, arguments in server.directives if name in ("allow", "deny")]
    assert access == [*(("allow", network) for network in EGRESS["allow"]), ("deny", "all")]
    assert server.all("listen") == [(EGRESS["listen"],)]
    assert server.all("ssl_preread") == [("on",)]
    (by_name,) = stream.inside("map")
    assert by_name.arguments[0] == "$ssl_preread_server_name"
    assert server.all("proxy_pass") == [(by_name.arguments[1],)]
    chosen = {name: upstream for name, (upstream,) in by_name.directives}
    addresses = {one.arguments[0]: one for one in stream.inside("upstream")}
    assert addresses[chosen.pop("default")].all("server") == [("127.0.0.1:9", "down")]
    assert chosen.keys() == {"api.weixin.qq.com", "qyapi.weixin.qq.com"}
    assert all(upstream.endswith(f"_{name}") and upstream in addresses for name, upstream in chosen.items())
