"""Certificates from an ACME server: what an entry may say, and what a release makes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.deploys import orders, state
from gateway.deploys.issued import Issued
from gateway.fleet import shared_domains
from gateway.fleet.parsing import parse_host
from gateway.nginx import release
from gateway.nginx.build import Build
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree

from .conftest import PLATFORMS, make_pair

ENTRY = {"email": "ops@school.edu.cn", "directory": "https://acme.authority.example/v2/DV90"}
BUILD = Build(Version((1, 22, 1)))


def _site(domain="wx.school.edu.cn", **settings):
    return {"domain": domain, "edge": "tls", "platform": "wanxiao_prod", "cert": {"acme": {**ENTRY, **settings}}}


@pytest.fixture
def host(parse):
    parsed, problems = parse(_site())
    assert not problems
    return parsed


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"directory": "http://acme.example/dir"}, "directory", "not the https URL"),
        ({"directory": "https://acme.example/dir; x"}, "directory", "not the https URL"),
        ({"directory": "https://acme.example/dir?x=1"}, "directory", "not the https URL"),
        ({"directory": "https://10.0.0.1/dir"}, "directory", "names an IP address"),
        ({"directory": "https://user:secret@acme.example/dir"}, "directory", "password must not stand"),
        ({"directory": "https://acme.example/dir\n"}, "directory", "not the https URL"),
        ({"email": "ops"}, "email", "not an e-mail address"),
        ({"email": "ops@"}, "email", "not a full host name"),
        ({"email": "o ps@school.edu.cn"}, "email", "not an e-mail address"),
        ({"email": "ops@school.edu.cn\n"}, "email", "not a full host name"),
        ({"ca": "/etc/ssl/ca.pem"}, "ca", "not a path inside the checkout"),
        ({"ca": "files/../../ca.pem"}, "ca", "not a path inside the checkout"),
        ({"ca": "files/none.pem"}, "ca", "files/none.pem cannot be read"),
        ({"mail": "x"}, "mail", 'did you mean "email"?'),
        ({"eab": {"kid": "k"}}, "eab.hmac_key_env", "missing"),
        ({"eab": {"kid": "k k", "hmac_key_env": "X"}}, "eab.kid", "match pattern"),
        ({"eab": {"kid": "k", "hmac_key_env": "A B"}}, "eab.hmac_key_env", "match pattern"),
    ],
)
def test_a_bad_setting_is_refused_with_its_place_and_reason(parse, change, field, reason):
    parsed, problems = parse(_site(**change))
    assert parsed is None
    assert len(problems) == 1, problems
    assert problems[0].startswith(f"h1: wx.school.edu.cn: cert.acme.{field}: ")
    assert reason in problems[0]
    assert "\n" not in problems[0]


@pytest.mark.parametrize("cert", ["acme", {}, {"Acme": {}}, [], 7])
def test_anything_else_says_what_would_be_right(parse, cert):
    parsed, problems = parse({**_site(), "cert": cert})
    assert parsed is None
    assert "right would be 'files' or {'acme': " in problems[0]


def test_behind_a_load_balancer_there_is_nothing_to_issue(parse):
    _, problems = parse({**_site(), "edge": "slb"})
    assert "the load balancer holds the certificate" in problems[0]


def test_files_that_lie_there_all_the_same_are_warned_of(store_pair, files):
    store_pair("wx.school.edu.cn")
    _, problems = parse_host("h1", {"platforms": PLATFORMS, "sites": [_site()]}, files)
    assert ["which nothing uses" in one.text for one in problems if one.field == "cert"] == [True]


def test_lets_encrypt_is_asked_where_no_directory_is_named(parse):
    parsed, _ = parse({**_site(), "cert": {"acme": {"email": "ops@school.edu.cn"}}})
    assert parsed.sites[0].acme.order.split()[1] == "https://acme-v02.api.letsencrypt.org/directory"


def test_a_release_holds_no_key_and_no_way_to_tls_but_through_the_certificate(host):
    files = tree(host, BUILD)
    assert not [path for path in files if path.startswith("certs/")]
    site = files["sites/wx.school.edu.cn.conf"].body.decode()
    assert "ssl_certificate" not in site
    assert "/.well-known/acme-challenge/" in site
    include = f"/acme/issued/wx.school.edu.cn/releases/{release.ID_PLACEHOLDER.decode()}/acme/wx.school.edu.cn[.]conf;"
    assert include in site
    assert "/acme/issued/wx.school.edu.cn/live/privkey.pem;" in files["acme/wx.school.edu.cn.conf"].body.decode()
    # nginx listens for TLS before there is a certificate: a port that is taken shows at once.
    assert b"443\n" in files["ports"].body


def test_the_release_is_the_same_before_and_after_the_certificate_is_there(host):
    before = state.read(["version nginx/1.22.1", "ipv6 yes"])
    after = state.read(["version nginx/1.22.1", "ipv6 yes", "order:wx.school.edu.cn x"])
    assert release.build(tree(host, before.build)).id == release.build(tree(host, after.build)).id


def test_accounts_differ_by_directory_address_and_contract_and_by_nothing_else(parse):
    def account(**settings):
        parsed, problems = parse(_site(**settings))
        assert not problems
        return parsed.sites[0].acme.account

    binding = {"kid": "k1", "hmac_key_env": "A"}
    names = [
        account(),
        account(email="it@school.edu.cn"),
        account(directory="https://other.example/dir"),
        account(eab=binding),
        account(eab={**binding, "kid": "k2"}),
    ]
    assert len(set(names)) == len(names)
    assert account(eab={**binding, "hmac_key_env": "B"}) == names[3]


def test_the_servers_ca_goes_along_without_anything_else_of_its_file(parse, files):
    chain, key = make_pair("acme.authority.example")
    (files / "ca.pem").write_bytes(key + chain)
    parsed, problems = parse(_site(ca="files/ca.pem"), _site("two.school.edu.cn", ca="files/ca.pem"))
    assert not problems
    (path,) = [path for path in tree(parsed, BUILD) if path.startswith("acme-ca/")]
    assert tree(parsed, BUILD)[path].body == chain
    (files / "other.pem").write_bytes(make_pair("acme.authority.example")[0])
    _, problems = parse(_site(ca="files/ca.pem"), _site("two.school.edu.cn", ca="files/other.pem"))
    assert "names another CA" in problems[0] or "has another CA" in problems[0]
    (files / "ca.pem").write_text("no certificate")
    assert "no readable PEM" in parse(_site(ca="files/ca.pem"))[1][0]


def test_what_is_due(host):
    order = host.sites[0].acme.order
    good = Issued("wx.school.edu.cn", order, datetime(2027, 1, 1, tzinfo=UTC))
    assert orders.due(host.sites, [good], {}) == []
    assert orders.due(host.sites, [good], {"gone.school.edu.cn": "why"}) == []
    for issued, failed in (
        ([], {}),
        ([replace(good, not_after=None)], {}),
        ([replace(good, order=order.replace("ops@", "it@"))], {}),
        ([good], {"wx.school.edu.cn": "why"}),
    ):
        assert orders.due(host.sites, issued, failed) == ["wx.school.edu.cn"]


def test_the_state_of_certificates_is_read_as_openssl_writes_it():
    known = state.read(
        [
            "ends:a.edu.cn Nov  1 12:00:00 2027 GMT",
            "order:a.edu.cn 0123 https://x.example/dir ops@school.edu.cn -",
            "ends:b.edu.cn ",
            "order:b.edu.cn ",
            "failed:b.edu.cn 2026-11-21T12:00Z dns: no such name",
        ]
    )
    first, second = known.issued
    assert first == Issued(
        "a.edu.cn", "0123 https://x.example/dir ops@school.edu.cn -", datetime(2027, 11, 1, 12, tzinfo=UTC)
    )
    assert second.not_after is None
    assert known.failed == {"b.edu.cn": "2026-11-21T12:00Z dns: no such name"}


def test_secrets_come_from_the_environment_and_show_nowhere(parse):
    parsed, _ = parse(_site(eab={"kid": "k1", "hmac_key_env": "EAB"}))
    secret = "c2VjcmV0c2VjcmV0c2VjcmV0"
    assert orders.secrets(parsed.sites, {}) == {}
    assert list(orders.secrets(parsed.sites, {"EAB": f" {secret}\n"}).values()) == [secret]
    for wrong in ("short", secret + "\nserver = x", secret + " x"):
        with pytest.raises(ValueError, match="EAB holds no base64url text") as caught:
            orders.secrets(parsed.sites, {"EAB": wrong})
        assert wrong not in str(caught.value)
    assert secret not in repr(parsed)


def test_a_site_on_two_hosts_is_warned_of(host):
    assert shared_domains.warnings([host]) == []
    found = shared_domains.warnings([host, replace(host, name="h2")])
    assert [(one.host, one.severity) for one in found] == [("h1", "warning"), ("h2", "warning")]
    advised = replace(host, name="h3", sites=[replace(site, acme=None) for site in host.sites])
    assert [one.host for one in shared_domains.warnings([host, replace(host, name="h2"), advised])] == ["h1", "h2"]
