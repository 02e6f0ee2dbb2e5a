"""A host with so many certificates that its sites share their servers."""

from __future__ import annotations

import re
import shutil
import ssl

import pytest

from gateway.nginx.plan import TOGETHER
from lab import client, topology

from . import checkout as own
from .checkout import HOME, TLS
from .load import Load

HOST = "t01"
DOMAINS = [f"s{number:03}.edu.example" for number in range(TOGETHER)]


@pytest.fixture(scope="module")
def crowd(packaged_host, tmp_path_factory):
    """So many sites of one platform, and one of another."""
    checkout = own.Checkout.make(tmp_path_factory.mktemp("crowd"), HOST)
    for number, domain in enumerate([*DOMAINS, TLS["domain"]]):
        checkout.certificate(domain)
        checkout.verification(domain, f"abcdefgh{number:08}")
    checkout.write_sites(*({"domain": domain, "edge": "tls", "platform": "wanxiao_prod"} for domain in DOMAINS), TLS)
    checkout.deploy_well()
    return checkout


def test_each_visitor_is_shown_the_certificate_of_his_school(crowd):
    """client.request verifies name and chain, so another site's certificate would fail it."""
    for domain in [*DOMAINS[:3], DOMAINS[-1]]:
        for port in ("", ":9001"):
            answer = own.ask(HOST, f"https://{domain}{port}/x")
            assert answer.status == 200
            told = dict(answer.json()["headers"])
            assert told["X-Forwarded-Host"] == domain
    assert own.ask(HOST, f"https://{TLS['domain']}/o/itsm/weixin/x").status == 200


def test_names_are_found_however_they_are_written(crowd):
    name = f"{DOMAINS[5].upper()}"
    request = f"GET /x HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode()
    answer = client.raw(topology.address(HOST), 443, request, name)
    assert answer.startswith(b"HTTP/1.1 200")
    assert f'"X-Forwarded-Host", "{DOMAINS[5]}"'.encode() in answer


@pytest.mark.parametrize("name", ["unknown.edu.example", "xs000.edu.example", "s000.edu.example.evil.example", ""])
def test_strangers_are_refused_in_the_handshake(crowd, name):
    with pytest.raises((ssl.SSLError, ConnectionError)):
        client.raw(topology.address(HOST), 443, b"", name)


def test_a_verification_file_is_its_own_sites_alone(crowd):
    path = "/WW_verify_abcdefgh00000007.txt"
    for scheme in ("http", "https"):
        assert own.ask(HOST, f"{scheme}://{DOMAINS[7]}{path}").body == b"abcdefgh00000007"
        assert own.ask(HOST, f"{scheme}://{DOMAINS[8]}{path}").status == 404


def test_plain_http_is_led_to_the_school_itself(crowd):
    answer = own.ask(HOST, f"http://{DOMAINS[9]}/x?y=1")
    assert (answer.status, answer.header("Location")) == (301, f"https://{DOMAINS[9]}/x?y=1")


def test_redirects_and_cookies_point_at_the_school_that_was_asked(crowd):
    headers = {
        "X-Lab-Status": "302",
        "X-Lab-Location": "https://open.17wanxiao.com/y",
        "X-Lab-Set-Cookie": "s=1; Domain=.17wanxiao.com",
    }
    answer = own.ask(HOST, f"https://{DOMAINS[3]}/x", headers=headers)
    assert answer.header("Location") == f"https://{DOMAINS[3]}:9001/y"
    assert answer.all("Set-Cookie") == [f"s=1; Domain={DOMAINS[3]}"]


def test_the_keys_are_for_root_and_the_workers_alone(crowd):
    modes = own.on_host(HOST, f"cd {HOME}/current/certs && stat -c '%a %U:%G' {DOMAINS[0]} {DOMAINS[0]}/privkey.pem")
    assert modes.split("\n") == ["750 root:www-data", "640 root:www-data"]
    assert "PRIVATE KEY" not in own.on_host(HOST, "nginx -T 2>/dev/null")
    assert own.on_host(HOST, f"runuser -u nobody -- cat {HOME}/current/certs/{DOMAINS[0]}/privkey.pem || true") == ""


def test_a_new_certificate_is_shown_after_a_deploy_without_a_failed_request(crowd):
    def serial() -> str:
        shown = f"openssl s_client -connect 127.0.0.1:443 -servername {DOMAINS[1]} </dev/null 2>/dev/null"
        return re.sub(r"\s", "", own.on_host(HOST, f"{shown} | openssl x509 -noout -serial"))

    before = serial()
    shutil.rmtree(crowd.path / "files" / "certs" / DOMAINS[1])
    crowd.certificate(DOMAINS[1])
    with Load(f"https://{DOMAINS[2]}/x", topology.address(HOST)):
        crowd.deploy_well()
    assert serial() != before


def test_a_deploy_changes_nothing_and_a_wrong_group_is_put_right(crowd):
    assert own.no_changes(crowd.deploy_well())
    own.on_host(HOST, f"chgrp nogroup {HOME}/current/certs/{DOMAINS[0]}/privkey.pem")
    assert not own.no_changes(crowd.deploy_well())
    assert own.no_changes(crowd.deploy_well())
