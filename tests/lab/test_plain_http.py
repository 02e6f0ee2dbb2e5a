"""A load balancer with a listener for plain http says so, and who came by it is sent to https."""

from __future__ import annotations

import pytest

from lab import client, topology
from lab.client import UpgradeRefused

from .checkout import SLB

SITES = {"card-test": "/bserver/x", "card": "/x", "itsm": "/o/itsm/weixin/x"}
QUERY = "?a=%2F&code=1"


def _plain(site: str, target: str, port: int = 80, **options: object) -> client.Response:
    url = f"http://{site}.slb.demo.example:{port}{target}"
    headers = {"Host": f"{site}.slb.demo.example", **options.pop("headers", {})}
    return client.request(url, connect=topology.address("slb"), headers=headers, **options)


@pytest.mark.parametrize("target", ["{inside}", "/", "/elsewhere/", "/o/itsm/weixin", "/bserver"])
@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_whole_login_does_not_go_through_in_the_clear(demo_lab, site, target, method):
    path = target.format(inside=SITES[site])
    answer = _plain(site, path + QUERY, method=method, body=b"x" if method == "POST" else None)
    assert answer.status == 301
    assert answer.header("Location") == f"https://{site}.slb.demo.example{path}{QUERY}"


@pytest.mark.parametrize("site", ["card-test", "card"])
def test_another_port_is_kept(demo_lab, site):
    answer = _plain(site, f"/x{QUERY}", 9080)
    assert answer.status == 301
    assert answer.header("Location") == f"https://{site}.slb.demo.example:9001/x{QUERY}"


def test_verification_files_and_the_health_check_answer_as_they_are(demo_lab, pytestconfig):
    (file,) = (pytestconfig.rootpath / "files" / "verify" / "card.slb.demo.example").glob("WW_verify_*.txt")
    answer = _plain("card", f"/{file.name}")
    assert (answer.status, answer.body) == (200, file.read_bytes())
    assert _plain("card", "/healthz").status == 200


def test_https_by_the_same_load_balancer_is_served(demo_lab):
    url = "https://card.slb.demo.example/x"
    assert client.request(url, connect=topology.address("slb")).status == 200
    assert client.websocket_echo(url, topology.address("slb"), b"ping") == b"ping"


def test_a_websocket_in_the_clear_is_sent_away_too(demo_lab):
    with pytest.raises(UpgradeRefused) as refused:
        client.websocket_echo("http://card.slb.demo.example/x", topology.address("slb"), b"x")
    assert refused.value.status == 301


@pytest.mark.parametrize("value", ["http", "HTTP"])
def test_nobody_else_is_believed(demo_lab, value):
    """Past the load balancer, and through it: a visitor's own word is worth nothing."""
    said = {"X-Forwarded-Proto": value}
    straight = client.request("http://card.slb.demo.example/x", connect=topology.address("gw-slb"), headers=said)
    assert straight.status == 200
    through = client.request("https://card.slb.demo.example/x", connect=topology.address("slb"), headers=said)
    assert through.status == 200
    forged = {**said, "X-Forwarded-For": topology.address("slb")}
    straight = client.request("http://card.slb.demo.example/x", connect=topology.address("gw-slb"), headers=forged)
    assert straight.status == 200


def test_each_site_believes_its_own_load_balancer(packaged_host, checkout):
    """Sites of several load balancers on one host, some of them in one server, and one that names none."""
    here, other = topology.own_address(), "192.0.2.0/24"
    checkout.write_sites(
        {**SLB, "slb_cidrs": [f"{here}/32", other]},
        {**SLB, "domain": "b.edu.example", "slb_cidrs": [f"{here}/32", other]},
        {**SLB, "domain": "c.edu.example", "slb_cidrs": [other], "rate_limit": {"requests_per_second": 5}},
        {**SLB, "domain": "d.edu.example"},
    )
    checkout.deploy_well()

    def ask(domain: str, proto: str) -> client.Response:
        url = f"http://{domain}/x?y"
        return client.request(url, connect=topology.address("t01"), headers={"X-Forwarded-Proto": proto})

    for domain in ("a.edu.example", "b.edu.example"):
        answer = ask(domain, "http")
        assert (answer.status, answer.header("Location")) == (301, f"https://{domain}/x?y")
        assert ask(domain, "https").status == 200
    assert ask("c.edu.example", "http").status == 200
    assert ask("d.edu.example", "http").status == 200
