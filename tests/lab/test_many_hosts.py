"""One run over many hosts, and a pair behind a load balancer rolled node by node."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

import lab
from lab import hosts, topology

from . import checkout as own
from .checkout import SLB, Checkout, no_changes
from .load import Load

FLEET = [f"t{number}" for number in range(10, 26)]
PAIR = FLEET[:2]
BALANCER = "t30"

HAPROXY = """
defaults
    mode http
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    timeout check 2s
    option redispatch
frontend public
    bind :80
    default_backend gateways
backend gateways
    option httpchk GET /healthz
    http-check expect status 200
    default-server inter 200ms fall 1 rise 2
"""


@pytest.fixture(scope="module")
def fleet() -> Iterator[list[str]]:
    lab.up(FLEET, basis="packaged")
    yield FLEET
    hosts.remove(FLEET)


@pytest.fixture
def mine(tmp_path) -> Checkout:
    return Checkout.make(tmp_path, FLEET[0])


def test_sixteen_hosts_in_one_run(fleet, mine):
    """Every host gets its own site and the shared one; a second run changes none of them."""
    sites = {name: [SLB, {**SLB, "domain": f"{name}.edu.example"}] for name in fleet}
    mine.write_hosts(sites)
    mine.deploy_well()
    for name in fleet:
        assert own.ask(name, f"http://{name}.edu.example/x").status == 200
    assert no_changes(mine.deploy_well())
    code, report = mine.status()
    assert code == 0
    assert [one["host"] for one in report["hosts"]] == fleet


@pytest.fixture(scope="module")
def balancer() -> Iterator[str]:
    """A load balancer with active health checks in front of the pair."""
    lab.up([BALANCER])
    own.on_host(BALANCER, "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q haproxy")
    servers = "".join(f"    server {name} {topology.address(name)}:80 check\n" for name in PAIR)
    subprocess.run(
        ["docker", "exec", "-i", topology.container(BALANCER), "bash", "-c", "cat >/etc/haproxy/haproxy.cfg"],
        input=HAPROXY + servers,
        text=True,
        check=True,
    )
    own.on_host(BALANCER, "systemctl restart haproxy")
    yield topology.address(BALANCER)
    hosts.remove([BALANCER])


def test_a_pair_is_rolled_node_by_node_without_losing_a_request(fleet, balancer, mine):
    url = "http://a.edu.example/x"
    mine.write_hosts({name: [SLB] for name in PAIR})
    mine.deploy_well("--serial")
    hosts.wait_until(lambda: _answers(BALANCER, url), "the load balancer sees no gateway", seconds=20)
    with Load(url, balancer):
        for number in range(3):
            mine.write_hosts({name: [SLB, {**SLB, "domain": f"roll{number}.edu.example"}] for name in PAIR})
            mine.deploy_well("--serial")
    assert mine.status()[0] == 0


def test_a_node_that_fails_goes_on_with_what_it_had(fleet, balancer, mine):
    url = "http://a.edu.example/x"
    mine.write_hosts({name: [SLB] for name in PAIR})
    mine.deploy_well("--serial")
    before = own.on_host(PAIR[0], "curl -s http://127.0.0.1:19001/release")
    own.on_host(PAIR[0], "echo 'broken by them;' >/etc/nginx/conf.d/theirs.conf")
    try:
        mine.write_hosts({name: [SLB, {**SLB, "domain": "half.edu.example"}] for name in PAIR})
        with Load(url, balancer):
            done = mine.deploy("--serial")
        assert done.returncode == 1
        assert own.on_host(PAIR[0], "curl -s http://127.0.0.1:19001/release") == before
        assert own.ask(PAIR[1], "http://half.edu.example/x").status == 200
    finally:
        own.on_host(PAIR[0], "rm /etc/nginx/conf.d/theirs.conf")


def _answers(name: str, url: str) -> bool:
    try:
        return own.ask(name, url).status == 200
    except OSError:
        return False
