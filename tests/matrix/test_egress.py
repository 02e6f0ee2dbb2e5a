"""Egress on each Debian: the module comes from another package, and nginx reads handshakes since different versions."""

from __future__ import annotations

import pytest

import lab
from lab import hosts, topology

from ..lab import checkout as own
from ..lab.checkout import SLB, Checkout, no_changes

HOST = "t80"


@pytest.fixture(scope="session")
def bare(suite):
    hosts.remove([HOST])
    lab.up([HOST], suite)
    yield HOST
    hosts.remove([HOST])


def _call(name: str, target: str = "/x") -> str:
    """What curl on the host itself says, sent through its egress."""
    way = f"--connect-to ::{topology.address(HOST)}:443"
    return own.on_host(HOST, f"curl -sS -i -m 10 {way} https://{name}{target} 2>&1; echo code=$?")


def test_wecom_is_reached_and_nothing_else(bare, tmp_path):
    checkout = Checkout.make(tmp_path, HOST)
    egress = {"listen": f"{topology.address(HOST)}:443", "allow": [f"{topology.address(HOST)}/32"]}
    checkout.write_hosts({HOST: [SLB]}, egress=egress)
    checkout.deploy_well()
    said = own.on_host(HOST, "nginx -t 2>&1")
    assert "successful" in said
    assert "[warn]" not in said
    for name in ("qyapi.weixin.qq.com", "api.weixin.qq.com"):
        assert f"X-Lab-Arrived: https://{name}/x" in _call(name)
    refused = _call("hub.17wanxiao.com", "/refused")
    assert "HTTP/" not in refused
    assert "code=0" not in refused
    assert own.ask(HOST, "http://a.edu.example/x").status == 200
    assert no_changes(checkout.deploy_well())
    assert checkout.status()[0] == 0
    own.on_host(HOST, "systemctl restart nginx")
    assert "code=0" in _call("qyapi.weixin.qq.com")
    checkout.write_hosts({HOST: [SLB]})
    checkout.deploy_well()
    assert "code=7" in _call("qyapi.weixin.qq.com")
