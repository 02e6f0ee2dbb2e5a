"""An RPM system from bare to serving, without apt and dpkg: nginx by dnf, in the layout of RHEL's package."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import lab
from lab import client, hosts, topology
from lab.errors import LabError

from .checkout import SLB, TLS, Checkout, ask, no_changes, on_host

HOST = "t48"
WELCOME = "/usr/share/nginx/html/index.html"
EGRESS = {"listen": f"{topology.address(HOST)}:8443", "allow": [str(topology.subnet())]}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory) -> Iterator[Checkout]:
    """A site of each edge, deployed to a host that had no nginx."""
    hosts.remove([HOST])
    lab.up([HOST], basis="rpm")
    try:
        made = Checkout.make(tmp_path_factory.mktemp("rpm"), HOST)
        made.verification(SLB["domain"], "Abcd0123Efgh4567")
        made.certificate(TLS["domain"])
        made.write_sites(SLB, TLS)
        made.deploy_well()
        yield made
    finally:
        hosts.remove([HOST])


def _arrives() -> list[bool]:
    urls = (f"http://{SLB['domain']}/x", f"http://{SLB['domain']}:9001/x", f"https://{TLS['domain']}/o/itsm/weixin/x")
    return [ask(HOST, url).header("X-Lab-Arrived") is not None for url in urls]


def test_requests_arrive(gateway):
    assert all(_arrives())


def test_nginx_is_the_system_s_and_runs_as_its_user(gateway):
    assert on_host(HOST, "rpm -qf --qf '%{NAME}' /usr/sbin/nginx; type -P apt-get dpkg || true") == "nginx"
    assert "nginx" in on_host(HOST, "ps -o user= -C nginx | sort -u").split()
    assert on_host(HOST, "stat -c %U /var/log/nginx/wecom-gateway.access.log") == "nginx"


def test_what_went_wrong_is_logged(gateway):
    """perl and its socket are there."""
    assert on_host(HOST, "systemctl is-active wecom-gateway-errors.socket") == "active"
    on_host(HOST, f"ls {WELCOME}")


def test_a_second_deploy_finds_nothing_to_do(gateway):
    assert no_changes(gateway.deploy_well())


def test_status_is_in_sync(gateway):
    code, report = gateway.status()
    assert code == 0, report


def test_the_page_of_nginx_s_own_server_stays_theirs(gateway):
    """The server block of RHEL's nginx.conf is the default of port 80 by its place, and stays it."""
    answer = client.request("http://unknown.example/", connect=topology.address(HOST), timeout=5)
    assert answer.status == 200
    assert answer.body.decode() == on_host(HOST, f"cat {WELCOME}") + "\n"


def test_the_acceptance_tests_pass_beside_it(gateway):
    gateway.accept()


def test_all_of_them_pass_where_it_was_taken_away(gateway):
    """As the guide advises where a load balancer asks for /healthz by the host's address."""
    on_host(HOST, "cp -p /etc/nginx/nginx.conf /root/; sed -i '/^    server {$/,/^    }$/d' /etc/nginx/nginx.conf")
    gateway.deploy_well()
    assert on_host(HOST, "cd /etc/nginx && ls conf.d && grep -c wecom-gateway/current nginx.conf || true").split() == [
        "wecom-gateway.conf",
        "0",
    ]
    gateway.accept()


def test_a_rollback_puts_the_release_before_back(gateway):
    before = on_host(HOST, "readlink /etc/nginx/wecom-gateway/current")
    gateway.write_sites(SLB, {**TLS, "hsts": 300})
    gateway.deploy_well()
    done = gateway.roll_back()
    gateway.write_sites(SLB, TLS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert on_host(HOST, "readlink /etc/nginx/wecom-gateway/current") == before
    assert all(_arrives())


def test_egress_brings_its_module(gateway):
    gateway.write_hosts({HOST: [SLB, TLS]}, egress=EGRESS)
    try:
        gateway.deploy_well()
        assert on_host(HOST, "rpm -q --qf '%{NAME}' nginx-mod-stream") == "nginx-mod-stream"
        assert no_changes(gateway.deploy_well())
        assert all(_arrives())
    finally:
        gateway.write_sites(SLB, TLS)


def test_everything_is_there_after_a_reboot(gateway):
    hosts.restart(HOST)
    hosts.wait_until(lambda: _answers(), "the sites do not answer")
    assert all(_arrives())


def _answers() -> bool:
    try:
        return all(_arrives())
    except (OSError, LabError):
        return False
