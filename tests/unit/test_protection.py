"""Rules that protect people: which upstream is asked, what is believed of whom, and who is answered at all.

That nginx does so is proven on hosts; here every server and location is looked at, for every nginx.
"""

from __future__ import annotations

import re
from ipaddress import ip_network

from .nginx_reading import Block, read
from .protected import (
    BALANCER,
    BEHIND,
    BELIEVED,
    own_servers,
    proxied,
    rendered,
    server_names,
    servers,
)

# Upstreams


def test_every_upstream_is_asked_by_tls_and_has_to_prove_its_own_name(http):
    for location in proxied(http):
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
    for location in proxied(http):
        commands = location.inherited("proxy_ssl_conf_command")
        if not commands:
            assert location.inherited("proxy_ssl_trusted_certificate") == [("/etc/ssl/certs/ca-certificates.crt",)]
        else:
            # the file that stands beside it signs nothing
            assert ("VerifyCAPath", "/etc/ssl/certs") in commands
            ((beside,),) = location.inherited("proxy_ssl_trusted_certificate")
            assert beside.endswith("/no-authority.pem")


def test_the_host_header_is_the_upstreams_own_name(http):
    for location in proxied(http):
        ((target,),) = location.all("proxy_pass")
        host, port = re.match(r"https://wecom_gateway_(.+)_(\d+)", target).groups()
        authority = host if port == "443" else f"{host}:{port}"
        assert ("$wecom_gateway_host", authority) in location.all("set")
        assert ("Host", "$wecom_gateway_host") in location.inherited("proxy_set_header")


def test_a_request_is_sent_once_more_only_where_it_never_arrived(http):
    """A timed-out one may have spent a login's one-shot code."""
    for location in proxied(http):
        assert location.inherited("proxy_next_upstream") == [("error", "timeout")]
        # nginx has one `timeout` for connecting and for reading: only in time before an answer can be late
        ((until,),) = location.inherited("proxy_next_upstream_timeout")
        ((connect,),) = location.inherited("proxy_connect_timeout")
        ((read,),) = location.inherited("proxy_read_timeout")
        assert int(connect.removesuffix("ms")) < int(until.removesuffix("ms")) < int(read.removesuffix("s")) * 1000


def test_an_upstream_has_no_say_over_this_nginx(http):
    for location in proxied(http):
        (ignored,) = location.inherited("proxy_ignore_headers")
        assert {"X-Accel-Redirect", "X-Accel-Limit-Rate", "X-Accel-Buffering"} <= set(ignored)
        assert ("Strict-Transport-Security",) in location.inherited("proxy_hide_header")


# What visitors say of themselves


def test_no_header_that_inner_systems_believe_passes_from_a_visitor(http):
    for location in proxied(http):
        pairs = [(name.lower(), value) for name, value in location.inherited("proxy_set_header")]
        sent = dict(pairs)
        assert len(sent) == len(pairs), "a header that is set twice is sent twice"
        assert sent["x-forwarded-for"] == sent["x-real-ip"] == "$remote_addr"
        assert sent["x-request-id"] == "$request_id"
        assert sent["x-forwarded-proto"] == "https"
        public = _public_name(location)
        assert sent["x-forwarded-host"] == public
        for name in BELIEVED:
            assert sent.get(name.lower()) in ("", public), name


def test_a_header_that_one_platform_has_for_the_domain_is_no_visitors_at_any_site_of_the_host():
    for location in proxied(read(rendered(BEHIND))):
        sent = {name.lower(): value for name, value in location.inherited("proxy_set_header")}
        names = server_names(location.around)
        public = _public_name(location)
        assert sent["x-forwarded-weixin-host"] == (public if names == ["itsm.b.edu.cn"] else "")
        assert sent["x-school-host"] == (public if names == ["own.b.edu.cn"] else "")


def _public_name(location: Block) -> str:
    """The literal domain; where several share a server, $host, which in a server of exact names is one of them."""
    names = server_names(location.around)
    assert all(re.fullmatch(r"[a-z0-9.-]+", name) for name in names)
    return names[0] if len(names) == 1 else "$host"


def test_only_the_load_balancers_own_networks_may_say_who_a_visitor_is():
    known = {domain: set(site.get("slb_cidrs", ())) for site in BEHIND for domain in [site["domain"]]}
    for server in own_servers(read(rendered(BEHIND))):
        networks = known[server_names(server)[0]]
        # with the one that nobody comes by it takes the place of what others say at http level
        assert {network for (network,) in server.all("set_real_ip_from")} == networks | {"unix:"}
        assert all(ip_network(network).prefixlen for network in networks)
        asked = [("X-Forwarded-For",)] if networks else []
        assert server.inherited("real_ip_header") == asked
        # of several addresses in the header the last that is not the load balancer's own
        assert server.inherited("real_ip_recursive") == ([("on",)] if networks else [])


def test_only_from_those_networks_is_a_request_taken_for_plain_http():
    http = read(rendered(BEHIND))
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
    for server in servers(http):
        for spec, *flags in server.all("listen"):
            if "default_server" in flags:
                assert spec not in found
                found[spec] = server
    return found


def test_names_that_no_site_has_are_answered_by_a_server_that_is_closed(http):
    specs = {spec for server in own_servers(http) for spec, *_ in server.all("listen")}
    defaults = _defaults(http)
    assert specs
    assert specs <= defaults.keys()
    assert any(spec.startswith("[::]:") for spec in specs)
    for spec, server in defaults.items():
        assert server_names(server) == ["wecom-gateway.invalid"]
        assert not server.all("return")
        assert not list(server.inside("if"))
        locations = server.locations()
        assert locations.pop("/").all("return") == [("444",)]
        assert ("internal", ()) in locations.pop("^~ /.wecom-gateway-error").directives
        if locations:
            assert locations.keys() == {"= /healthz"}
            assert spec in ("80", "[::]:80")
        assert not [one for one in server.inside("location") if one.all("proxy_pass")]
        # what cannot be read as a request ends in location /
        assert {"400", "505"} <= {code for codes in server.all("error_page") if codes[-1] == "/" for code in codes}


def test_an_error_before_a_path_is_read_has_a_path_of_its_own_and_every_other_keeps_the_requests(http):
    """A named location keeps the path, and nginx has none to keep where it could not read one."""
    maps = {one.arguments[1]: one for one in http.inside("map")}
    kind = dict(maps["$wecom_gateway_error_unread_kind"].directives)
    assert maps["$wecom_gateway_error_unread_kind"].arguments[0] == "$uri"
    assert kind == {"default": ("$wecom_gateway_error_kind",), "": ("$wecom_gateway_error_path",)}
    assert {value for _, (value,) in maps["$wecom_gateway_error_kind"].directives} == {
        "@wecom_gateway_error_page",
        "@wecom_gateway_error_json",
    }
    assert {value for _, (value,) in maps["$wecom_gateway_error_path"].directives} == {
        "/.wecom-gateway-error.html",
        "/.wecom-gateway-error.json",
    }
    for server in own_servers(http):
        (unread,) = [codes for codes in server.all("error_page") if "405" in codes]
        assert unread[-1] == "$wecom_gateway_error_unread_kind"
        assert "400" in unread


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
    defaults = _defaults(read(rendered(BEHIND, foreign_defaults=theirs)))
    assert defaults.keys() == {"[::]:80", "9001"}


def test_a_load_balancers_health_check_is_answered_whatever_name_it_asks_for():
    http = read(rendered(BEHIND))
    asked = [_defaults(http)["80"], *(one for one in own_servers(http) if ("80",) in one.all("listen"))]
    assert len(asked) > 3
    for server in asked:
        assert server.locations()["= /healthz"].all("return")[0][0] == "200"


def test_the_running_nginx_tells_its_release_to_the_host_alone(http):
    telling = [one for one in servers(http) if "= /release" in one.locations()]
    assert [one.all("listen") for one in telling] == [[("127.0.0.1:19001",)]]
    for server in servers(http):
        if server is not telling[0]:
            assert not any("19001" in spec for spec, *_ in server.all("listen"))
