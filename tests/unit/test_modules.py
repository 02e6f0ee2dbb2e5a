"""An nginx that was built with less than Debian's gets what it can read; what it cannot serve is refused by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.deploys.objections import objections
from gateway.deploys.state import HostState
from gateway.nginx import modules
from gateway.nginx.build import Build
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree

# Debian's, as far as it matters, and what a build from source has that was asked for TLS alone.
BARE = frozenset({"--with-http_ssl_module", "--with-http_stub_status_module"})
DEBIAN = BARE | {
    *("--with-http_realip_module", "--with-http_v2_module", "--with-stream=dynamic"),
    *("--with-stream_ssl_preread_module", "--with-http_auth_request_module"),
}

SLB: dict[str, Any] = {"domain": "a.edu.cn", "edge": "slb", "platform": "wanxiao_prod"}
TLS: dict[str, Any] = {"domain": "b.edu.cn", "edge": "tls", "platform": "wanxiao_prod"}
NODES = {
    "own": {
        "routes": [
            {"port": "entry", "path": "/", "upstream": "http://app.inner.example/", "nodes": ["10.0.0.8", "10.0.0.9"]}
        ]
    }
}


def _build(built: frozenset[str], version: str = "1.22.1", openssl: str | None = "3.0.17") -> Build:
    return Build(
        Version.parse(version), openssl=(openssl and Version.parse(openssl)) or None, without=modules.lacking(built)
    )


def _text(host, build: Build) -> str:
    return b"".join(file.body for path, file in tree(host, build).items() if path.endswith(".conf")).decode()


def test_debians_nginx_lacks_nothing():
    assert modules.lacking(DEBIAN) == frozenset()


def test_an_nginx_without_http2_realip_and_auth_request_is_not_asked_for_them(parse, store_pair):
    store_pair("b.edu.cn")
    host, _ = parse(TLS)
    for version in ("1.18.0", "1.22.1", "1.26.3"):
        text = _text(host, _build(BARE, version))
        assert "http2" not in text
        assert "set_real_ip_from" not in text
        assert "auth_request" not in text
        # it asks who really connected
        assert "balancers.conf;" not in text
        assert "listen 443 ssl" in text
    assert modules.refusals(host, _build(BARE)) == []


def test_nodes_are_kept_track_of_without_a_shared_zone_and_without_kept_connections(parse):
    site = {**SLB, "platform": "own"}
    host, problems = parse(site, platforms=NODES)
    assert not problems
    assert all(
        word in _text(host, _build(DEBIAN)) for word in ("    zone ", "keepalive 256;", "keepalive_timeout 60s;")
    )
    without = {"--without-http_upstream_zone_module", "--without-http_upstream_keepalive_module"}
    text = _text(host, _build(DEBIAN | without))
    assert "    zone " not in text
    assert "keepalive 256" not in text
    assert "keepalive_timeout 60s" not in text
    assert modules.refusals(host, _build(DEBIAN | without)) == []


@pytest.mark.parametrize(
    ("openssl", "protocols", "curves", "refuses"),
    [
        ("1.0.2", "TLSv1.2", "prime256v1:secp384r1", False),
        ("1.1.0", "TLSv1.2", "X25519:prime256v1:secp384r1", False),
        ("1.1.1", "TLSv1.2 TLSv1.3", "X25519:prime256v1:secp384r1", True),
        (None, "TLSv1.2 TLSv1.3", "X25519:prime256v1:secp384r1", True),
    ],
)
def test_an_old_openssl_is_asked_for_what_it_has(parse, store_pair, openssl, protocols, curves, refuses):
    store_pair("b.edu.cn")
    host, _ = parse(TLS)
    text = _text(host, _build(DEBIAN, "1.22.1", openssl))
    assert f"ssl_protocols {protocols};" in text
    assert f"ssl_ecdh_curve {curves};" in text
    assert ("ssl_reject_handshake on;" in text) == refuses
    assert ("data:$wecom_gateway_no_certificate" in text) != refuses


@pytest.mark.parametrize("library", ["LibreSSL", "BoringSSL"])
def test_another_tls_library_gets_the_bundle_in_place_of_the_directory(parse, library):
    host, _ = parse(SLB)
    text = _text(host, _build(DEBIAN | {library}, "1.22.1", None))
    assert "ssl_conf_command" not in text
    assert "proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;" in text


@pytest.mark.parametrize(
    ("site", "built", "said"),
    [
        (
            {**SLB, "slb_cidrs": ["10.0.0.0/24"]},
            BARE,
            "a.edu.cn: slb_cidrs needs --with-http_realip_module, which this nginx was built without; have the host's "
            "nginx built with it, or leave slb_cidrs out",
        ),
        (
            {**SLB, "allow": ["10.0.0.0/24"]},
            DEBIAN | {"--without-http_geo_module"},
            "a.edu.cn: allow needs http_geo_module, which this nginx was built without",
        ),
        (
            {**SLB, "rate_limit": {"requests_per_second": 9}},
            DEBIAN | {"--without-http_limit_req_module"},
            "a.edu.cn: rate_limit needs http_limit_req_module, which this nginx was built without",
        ),
        (
            SLB,
            frozenset(),
            "a.edu.cn: an https upstream needs --with-http_ssl_module, which this nginx was built without",
        ),
        (TLS, frozenset(), 'b.edu.cn: edge "tls" needs --with-http_ssl_module, which this nginx was built without'),
        (
            SLB,
            DEBIAN | {"--without-http_map_module", "--without-http_rewrite_module"},
            "a.edu.cn: every site needs http_map_module and http_rewrite_module, which this nginx was built without",
        ),
    ],
)
def test_what_cannot_be_had_is_refused_by_name(parse, store_pair, site, built, said):
    store_pair("b.edu.cn")
    host, problems = parse(site)
    assert not problems
    assert any(text.startswith(said) for text in modules.refusals(host, _build(built)))
    assert modules.refusals(host, _build(DEBIAN)) == []
    known = HostState(installed=Version.parse("1.22.1"), built=built)
    assert any(text.startswith(said) for text in objections(host, known))


def test_what_the_host_itself_asks_for_is_refused_too(parse, store_pair):
    store_pair("b.edu.cn")
    host, problems = parse(TLS)
    assert not problems
    proxied = replace(host, proxy_protocol=("10.0.0.0/24",))
    assert [text.partition(",")[0] for text in modules.refusals(proxied, _build(BARE))] == [
        "proxy_protocol needs --with-http_realip_module"
    ]


def test_of_many_sites_some_are_named(parse):
    sites = [{**SLB, "domain": f"s{number}.edu.cn", "slb_cidrs": ["10.0.0.0/24"]} for number in range(5)]
    host, _ = parse(*sites)
    (text,) = modules.refusals(host, _build(BARE))
    assert text.startswith("s0.edu.cn, s1.edu.cn, s2.edu.cn and 2 more: slb_cidrs needs")


def test_a_stream_module_may_be_a_packages_of_its_own(parse):
    """nginx -V of Debian 11 knows nothing of it."""
    host, problems = parse(SLB, egress={"listen": "10.0.0.5:443", "allow": ["10.0.0.0/24"]})
    assert not problems
    assert modules.lacking(BARE) == {"http_v2_module", "http_realip_module", "http_auth_request_module"}
    assert modules.refusals(host, _build(BARE)) == []
