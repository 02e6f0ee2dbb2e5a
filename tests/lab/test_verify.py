"""`verify` against real gateways: right ones pass, and what is broken on purpose is named with its next step."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import lab
from lab import hosts, topology

from . import balancer
from . import checkout as own
from .checkout import HOME, Checkout

SLB, TLS, BALANCER = "t82", "t83", "t84"
BK = {"upstream": "https://paas.inner.example", "apps": ["itsm"]}


def _sites(edge, **more):
    return [
        {"domain": f"card.{edge}.verify.example", "edge": edge, "platform": "wanxiao_prod", **more},
        {"domain": f"test.{edge}.verify.example", "edge": edge, "platform": "wanxiao_test", **more},
        {"domain": f"itsm.{edge}.verify.example", "edge": edge, "platform": "bkitsm", "bk": BK, **more},
    ]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory):
    """Three sites behind a load balancer and three without, each with a verification file."""
    sites = {SLB: _sites("slb", slb_cidrs=[f"{topology.address(BALANCER)}/32"]), TLS: _sites("tls")}
    hosts.remove([SLB, TLS, BALANCER])
    try:
        lab.up([SLB, TLS], basis="packaged")
        mapping = {site["domain"]: [topology.address(SLB)] for site in sites[SLB]}
        balancer.start(BALANCER, tmp_path_factory.mktemp("balancer"), mapping)
        checkout = Checkout.make(tmp_path_factory.mktemp("verify"), SLB)
        for number, site in enumerate(sites[SLB] + sites[TLS]):
            checkout.verification(site["domain"], f"VerifyVerify{number:04}")
        for site in sites[TLS]:
            checkout.certificate(site["domain"])
        checkout.write_hosts(sites)
        checkout.deploy_well()
        yield checkout
    finally:
        hosts.remove([SLB, TLS, BALANCER])


def verify(checkout, *options) -> tuple[int, dict]:
    done = checkout.run(
        *("python", "-m", "gateway", "verify", "inventory/own.py", "--json", "--ca", str(topology.CA), *options)
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def behind(checkout):
    """The load balancer's side, as the public sees it."""
    return verify(checkout, "--limit", SLB, "--resolve", topology.address(BALANCER))


def direct(checkout, host=TLS):
    return verify(checkout, "--limit", host, "--resolve", topology.address(host))


def failures(report) -> set[tuple[str, str, str]]:
    return {
        (result["name"], finding["check"], finding["reason"])
        for result in report["results"]
        for finding in result["findings"]
        if finding["outcome"] == "failed"
    }


def failed_checks(told: tuple[int, dict]) -> set[tuple[str, str]]:
    code, report = told
    for result in report["results"]:
        for finding in result["findings"]:
            assert finding["remedy"] or finding["outcome"] == "passed", finding
    found = failures(report)
    assert code == (1 if found else 0)
    return {(name.partition(".")[0], check) for name, check, _ in found}


@contextlib.contextmanager
def broken(checkout, host, script):
    """Breaks something on a host behind the deploy's back; the next deploy puts it back."""
    own.on_host(host, f"cd {HOME}/current/ && {script}\nnginx -t -q && systemctl reload nginx && sleep 1")
    try:
        yield
    finally:
        own.on_host(host, "systemctl start nginx")
        checkout.deploy_well("--limit", host)


def test_right_gateways_pass(deployed):
    for told in (behind(deployed), direct(deployed), direct(deployed, SLB)):
        assert failed_checks(told) == set()
        assert all(result["outcome"] == "passed" for result in told[1]["results"])
        assert len(told[1]["results"]) == 3


def test_names_are_asked_of_dns_by_default(deployed):
    """The lab's names stand in no DNS: that is one failure for each site, and no request."""
    code, report = verify(deployed, "--limit", TLS)
    assert code == 1
    assert {check for _, check, _ in failures(report)} == {"address"}


def test_a_wrong_verification_file(deployed):
    script = "printf x >verify/card.tls.verify.example/WW_verify_VerifyVerify0003.txt"
    with broken(deployed, TLS, script):
        told = direct(deployed)
    assert failed_checks(told) == {("card", "verification file")}
    # on both ports
    assert len([one for one in told[1]["results"][0]["findings"] if one["outcome"] == "failed"]) == 2


def test_a_stopped_nginx(deployed):
    own.on_host(TLS, "systemctl stop nginx")
    own.on_host(SLB, "systemctl stop nginx")
    try:
        assert failed_checks(direct(deployed)) == {(site, "port") for site in ("card", "test", "itsm")}
        through = behind(deployed)
        assert failed_checks(through) == {(site, "hosts") for site in ("card", "test", "itsm")}
        # once for each site, and nothing beside it
        found = [one for result in through[1]["results"] for one in result["findings"]]
        assert len([one for one in found if one["outcome"] in ("failed", "warning")]) == 3
        assert all(reason.startswith("the load balancer reaches no host") for *_, reason in failures(through[1]))
    finally:
        own.on_host(TLS, "systemctl start nginx")
        own.on_host(SLB, "systemctl start nginx")


def test_a_listener_of_the_load_balancer_that_alone_reaches_no_host(deployed):
    with broken(deployed, SLB, "sed -i 's/:*9001/9002/; s/\\[::\\]9002/[::]:9002/' sites/*.conf closed.conf"):
        told = behind(deployed)
    assert failed_checks(told) == {("card", "hosts"), ("test", "hosts")}
    assert all("by this port" in reason for *_, reason in failures(told[1]))


def test_a_closed_port(deployed):
    # nginx opens 9002 instead
    with broken(deployed, TLS, "sed -i 's/:*9001/9002/; s/\\[::\\]9002/[::]:9002/' sites/*.conf closed.conf"):
        told = direct(deployed)
    assert failed_checks(told) == {("card", "port"), ("test", "port")}


def test_a_wrong_certificate(deployed):
    script = "cp certs/test.tls.verify.example/* certs/card.tls.verify.example/"
    with broken(deployed, TLS, script):
        told = direct(deployed)
    assert failed_checks(told) == {("card", "certificate")}
    assert any("card.tls.verify.example" in reason for *_, reason in failures(told[1]))


def test_an_authority_that_phones_do_not_know(deployed):
    done = deployed.run(
        *("python", "-m", "gateway", "verify", "inventory/own.py", "--limit", TLS),
        *("--resolve", topology.address(TLS)),
    )
    assert done.returncode == 1
    assert "certificate: https://card.tls.verify.example" in done.stdout
    assert "--ca FILE" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_redirect_to_another_domain(deployed):
    script = "sed -i 's#return 301 https://card.tls.verify.example#return 301 https://evil.example#' sites/*.conf"
    with broken(deployed, TLS, script):
        told = direct(deployed)
    assert failed_checks(told) == {("card", "redirect")}
    assert any("away from card.tls.verify.example" in reason for *_, reason in failures(told[1]))


def test_a_redirect_that_gains_a_port(deployed):
    script = "sed -i 's#return 301 https://card.tls.verify.example#&:443#' sites/*.conf"
    with broken(deployed, TLS, script):
        told = direct(deployed)
    assert failed_checks(told) == {("card", "redirect")}
    assert any("50001" in reason for *_, reason in failures(told[1]))


def test_a_route_that_leads_elsewhere(deployed):
    script = "sed -i 's/open.17wanxiao/hub.17wanxiao/g' sites/wanxiao_prod-slb.conf"
    with broken(deployed, SLB, script):
        told = behind(deployed)
    assert failed_checks(told) == {("card", "route")}


def test_a_platform_that_does_not_answer(deployed):
    script = f"sed -i 's#include {HOME}/upstreams/hub.*#server 127.0.0.1:9 down;#' gateway.conf"
    with broken(deployed, SLB, script):
        told = behind(deployed)
    assert failures(told[1]) == {("card.slb.verify.example", "route", "the gateway itself answers 502")}


def test_a_hole_in_the_allow_list(deployed):
    script = "sed -i '/location \\/ {/,/^    }/ s/return 404/return 204/' sites/bkitsm-slb.conf"
    with broken(deployed, SLB, script):
        told = behind(deployed)
    assert failed_checks(told) == {("itsm", "allow-list")}


@pytest.mark.parametrize("host", [SLB, TLS])
def test_a_server_that_answers_for_every_name(deployed, host):
    script = (
        "sed -i 's#ssl_reject_handshake on#ssl_certificate certs/card.tls.verify.example/fullchain.pem; "
        "ssl_certificate_key certs/card.tls.verify.example/privkey.pem#; "
        f"s# certs/# {HOME}/current/certs/#g; s/return 444/return 200/' closed.conf"
    )
    with broken(deployed, host, script):
        told = direct(deployed, host)
    assert {check for _, check in failed_checks(told)} == {"other names"}


def test_a_hung_host_ends_in_time(deployed):
    """A host that accepts and says nothing: bounded, and told as that."""
    own.on_host(TLS, "systemctl stop nginx")
    hold = "import socket,time; a=[socket.create_server(('',p)) for p in (80,443,9001)]; time.sleep(120)"
    own.on_host(TLS, f'systemd-run -q --unit hold python3 -c "{hold}"; sleep 1')
    try:
        before = time.monotonic()
        told = direct(deployed)
        assert time.monotonic() - before < 40
        assert {site for site, _ in failed_checks(told)} == {"card", "test", "itsm"}
        assert any("within 10 s" in reason for *_, reason in failures(told[1]))
    finally:
        own.on_host(TLS, "systemctl stop hold; systemctl start nginx")


def test_a_page_for_people(deployed, tmp_path):
    page = tmp_path / "report.html"
    arguments = ("--limit", TLS, "--resolve", topology.address(TLS), "--ca", str(topology.CA), "--report", str(page))
    done = deployed.run("python", "-m", "gateway", "verify", "inventory/own.py", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "asked" not in done.stderr  # no progress line where nobody watches
    text = page.read_text()
    assert "card.tls.verify.example" in text
    assert "13 checks passed" in text


def test_it_is_quick(deployed):
    """One site after the other would take an operator with hundreds of schools minutes."""
    before = time.monotonic()
    behind(deployed)
    assert time.monotonic() - before < 20


def test_a_progress_line_is_shown_to_who_watches(deployed):
    command = (
        f"python -m gateway verify inventory/own.py --limit {TLS} --resolve {topology.address(TLS)} --ca {topology.CA}"
    )
    done = subprocess.run(
        ["script", "-qec", command, "/dev/null"],
        cwd=deployed.path,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "3 of 3 sites asked" in done.stdout


# As the guides that schools follow have it: no slash behind the prefix, old TLS, a redirect before any location.
HAND_WRITTEN = """
pid /run/old.pid; error_log /var/log/nginx/old.log; events {}
http {
  access_log off; server_names_hash_bucket_size 128;
  ssl_certificate CERTS/fullchain.pem; ssl_certificate_key CERTS/privkey.pem;
  ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_ciphers ALL:@SECLEVEL=0;
  server {
    listen 8443 ssl;
    location = /WW_verify_VerifyVerify0004.txt { return 200 VerifyVerify0004; }
    location /bserver { proxy_pass https://api.17wanxiao.com/b-server/; }
  }
  server { listen 9443 ssl; location / { proxy_pass https://api.17wanxiao.com/; } }
  server { listen 8080; return 301 https://$host$request_uri; }
}
"""
SECOND = topology.address("t85")


@contextlib.contextmanager
def old_server(host, domain):
    """A hand-written nginx on other ports of the host."""
    text = HAND_WRITTEN.replace("CERTS", f"{HOME}/current/certs/{domain}")
    own.on_host(host, f"cat >/tmp/old.conf <<'END'\n{text}END\nnginx -q -c /tmp/old.conf")
    try:
        yield
    finally:
        own.on_host(host, "kill $(cat /run/old.pid); rm /tmp/old.conf")


def test_a_gateway_and_a_hand_written_server_on_one_host(deployed):
    domain, address = "test.tls.verify.example", topology.address(TLS)
    with old_server(TLS, domain):
        code, told = verify(
            *(deployed, "--limit", TLS, "--resolve", address),
            *("--compare", f"{domain}:{address},443=8443,9001=9443,80=8080"),
        )
    assert code == 1
    (compared,) = told["comparisons"]
    found = {(one["check"], one["subject"], one["trait"]): one["right"] for one in compared["differences"]}
    https, http = f"https://{domain}", f"http://{domain}"
    assert found == {
        ("TLS", https, "obsolete versions"): "gateway",
        ("route", f"{https}/bserver/", "arrived at"): "gateway",
        ("redirect", f"{https}/bserver", "answer"): "open",
        ("app entry", f"{https}/bserver/bsacs/qyweixin.action", "arrived at"): "gateway",
        ("allow-list", f"{https}/bserver-wecom-gateway-check", "answer"): "gateway",
        # nginx's own welcome page
        ("allow-list", f"{https}/", "answer"): "open",
        # on 9001 as well
        ("other names", f"{https}/ asked for wecom-gateway-check.invalid", "answer"): "gateway",
        ("verification file", f"{http}/WW_verify_VerifyVerify0004.txt", "answer"): "gateway",
        ("other names", f"{http}/ asked for wecom-gateway-check.invalid", "answer"): "gateway",
    }


@pytest.mark.parametrize("host", [SLB, TLS])
def test_a_gateway_by_another_address_is_alike(deployed, host):
    """Whatever platforms answer: here both are the same nginx."""
    own.on_host(host, f"ip address add {SECOND}/32 dev eth0")
    try:
        code, told = verify(
            *(deployed, "--limit", host, "--resolve", topology.address(host), "--compare", SECOND),
        )
    finally:
        own.on_host(host, f"ip address del {SECOND}/32 dev eth0")
    assert [one["differences"] for one in told["comparisons"]] == [[], [], []]
    assert (code, told["alike"]) == (0, True)
