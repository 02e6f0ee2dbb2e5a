"""Names of upstreams: nginx starts without them, follows them, and needs nobody when they come back."""

from __future__ import annotations

import contextlib
import time

import pytest

from lab import hosts, topology
from lab.engine import docker

from . import checkout as own
from .checkout import HOME, SLB
from .load import Load

HOST = "t01"
LATE = "late.platform.example"


def on_host(script: str) -> str:
    return own.on_host(HOST, script)


@pytest.fixture
def two_platforms(packaged_host, checkout):
    """One site on the usual platform and one on a platform whose name does not resolve yet."""
    platforms = checkout.path / "group_data" / "all.py"
    extra = f'platforms["late"] = {{"routes": [{{"port": "entry", "path": "/", "upstream": "https://{LATE}/"}}]}}'
    platforms.write_text(f"{platforms.read_text()}\n{extra}\n")
    checkout.write_sites(SLB, {**SLB, "domain": "late.edu.example", "platform": "late"})
    return checkout


def _handshake_was_tried() -> bool:
    assert _status("late.edu.example") == 502
    return "while SSL handshaking to upstream" in on_host("tail -n 3 /var/log/nginx/wecom-gateway.error.log")


def _status(domain: str) -> int:
    return own.ask(HOST, f"http://{domain}/x").status


def _serves_within_a_minute(domain: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        # the old address swallows what is sent to it until it is given up
        with contextlib.suppress(OSError):
            if own.ask(HOST, f"http://{domain}/x", timeout=6).status == 200:
                return
        time.sleep(0.5)
    raise AssertionError(f"{domain} did not answer within a minute")


def test_an_unresolvable_upstream_costs_its_own_site_only_and_heals_by_itself(two_platforms):
    two_platforms.deploy_well()
    assert (_status("a.edu.example"), _status("late.edu.example")) == (200, 502)
    hosts.restart(HOST)
    hosts.wait_until(lambda: _status("a.edu.example") == 200, "no answer after the reboot", seconds=20)
    # The name appears, and nobody deploys. (The stand-in has no certificate for it, so what changes is the
    # reason for the 502: no longer "no live upstreams" but a handshake with the right host.)
    on_host(f"echo '{topology.address('platform')} {LATE}' >>/etc/hosts")
    hosts.wait_until(
        lambda: topology.address("platform") in on_host(f"cat {HOME}/upstreams/{LATE}_443.conf"),
        "the address was not taken up",
        seconds=60,
    )
    hosts.wait_until(_handshake_was_tried, "the address was not used", seconds=20)
    assert _status("a.edu.example") == 200


def test_traffic_follows_an_address_within_a_minute_and_keeps_its_connections(packaged_host, checkout):
    checkout.write_sites(SLB)
    checkout.deploy_well()
    assert _status("a.edu.example") == 200
    new_address = str(topology.subnet()[4])
    aliases = [word for name in topology.STANDIN_NAMES for word in ("--alias", name)]
    container, old_address = topology.container("platform"), topology.address("platform")

    def move(address: str) -> None:
        docker("network", "disconnect", topology.NETWORK, container)
        docker("network", "connect", "--ip", address, *aliases, topology.NETWORK, container)

    try:
        move(new_address)
        _serves_within_a_minute("a.edu.example")
        # the old one is only kept in case, and no visitor waits for it
        assert on_host(f"cat {HOME}/upstreams/hub.17wanxiao.com_443.conf").splitlines() == [
            f"server {new_address}:443 max_fails=0;",
            f"server {old_address}:443 backup;",
        ]
        numbers = [own.ask(HOST, "http://a.edu.example/x").json()["request_number_on_connection"] for _ in range(8)]
        assert max(numbers) > 1
    finally:
        move(old_address)
    on_host("systemctl start wecom-gateway-resolve.service")
    _serves_within_a_minute("a.edu.example")


def test_addresses_that_stay_reload_nothing(packaged_host, checkout):
    checkout.write_sites(SLB)
    checkout.deploy_well()
    on_host("systemctl start wecom-gateway-resolve.service")
    # An address of an earlier test may still be given up: that reload has to be over first.
    workers = "pgrep -P $(systemctl show -p MainPID --value nginx) -f 'worker process$' | sort"
    before, deadline = "", time.monotonic() + 30
    while (now := on_host(workers)) != before and time.monotonic() < deadline:
        before = now
        time.sleep(2)
    assert before
    on_host("systemctl start wecom-gateway-resolve.service")
    assert on_host(workers) == before


def test_after_a_boot_without_dns_the_known_addresses_serve(packaged_host, checkout):
    checkout.write_sites(SLB)
    checkout.deploy_well()
    on_host("sed -i 's/^hosts:.*/hosts: files/' /etc/nsswitch.conf")
    try:
        assert on_host("getent hosts hub.17wanxiao.com || echo none").strip() == "none"
        hosts.restart(HOST)
        hosts.wait_until(lambda: _status("a.edu.example") == 200, "no answer without DNS", seconds=20)
        on_host("systemctl start wecom-gateway-resolve.service")
        assert _status("a.edu.example") == 200
        # even a deploy goes through
        with Load("http://a.edu.example/x", topology.address(HOST)):
            checkout.write_sites(SLB, {**SLB, "domain": "nodns.edu.example"})
            checkout.deploy_well()
        assert _status("nodns.edu.example") == 200
    finally:
        on_host("sed -i 's/^hosts:.*/hosts: files dns/' /etc/nsswitch.conf")


def test_a_first_deploy_without_dns_comes_to_life_when_it_is_back(packaged_host, checkout):
    on_host("sed -i 's/^hosts:.*/hosts: files/' /etc/nsswitch.conf")
    try:
        checkout.write_sites({**SLB, "domain": "t.edu.example", "platform": "wanxiao_test"})
        checkout.deploy_well()
        assert own.ask(HOST, "http://t.edu.example/bserver/x").status == 502
    finally:
        on_host("sed -i 's/^hosts:.*/hosts: files dns/' /etc/nsswitch.conf")
    # That its timer starts it by itself the tests above wait for.
    on_host("systemctl start wecom-gateway-resolve.service")
    hosts.wait_until(
        lambda: own.ask(HOST, "http://t.edu.example/bserver/x").status == 200, "still no answer", seconds=60
    )
