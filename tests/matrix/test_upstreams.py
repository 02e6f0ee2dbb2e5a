"""Upstreams of every kind on each Debian: plain http, nodes, authorities of their own, walls, what is mapped back.

One host, one deploy. Which authorities count is named to nginx in different ways by its version, and what a failed node
costs is nginx's own bookkeeping.
"""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest

import lab
from lab import client, hosts, pki, topology

from ..lab import checkout as own
from ..lab.checkout import Checkout, no_changes

HOST = "t81"
ZONE = "upstreams.example"
MIXED, NODES, INNER, FOREIGN, STORE, TLS = (
    f"{name}.{ZONE}" for name in ("mixed", "nodes", "inner", "foreign", "store", "tls")
)
A, B = topology.address("platform"), topology.address("node-b")
PRIVATE = {"upstream": f"https://{topology.PRIVATE_NAME}/", "nodes": [f"{A}:8443"]}
HUB = "https://hub.17wanxiao.com/"
RIGHT, WRONG = {"ca": "files/ca/private.pem"}, {"ca": "files/ca/foreign.pem"}
METHODS = ("GET", "POST")
READ_SECONDS = 3

_numbers = itertools.count(time.time_ns() // 1_000_000)


def _routes(*routes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"routes": [{"port": "entry", "path": "/", **route} for route in routes], **more}


def _in_place_of(name: str, *nodes: str) -> dict[str, Any]:
    """A route to nodes of its own: what nginx holds against one is held against it there alone."""
    return {"path": f"/{name}/", "upstream": f"http://{name}.inner.example/", "nodes": nodes}


PLATFORMS = {
    "mixed": _routes(
        {"path": "/address/", "upstream": f"http://{A}:8080/ctx/", "host": "domain"},
        {
            "path": "/name/",
            "upstream": "http://app.inner.example/base/",
            "headers": {"X-Site": "https://{domain}{path};a b"},
        },
        {
            "path": "/walled/",
            "upstream": f"http://{B}:8080/o/app/weixin/",
            "guarded": True,
            "headers": {"X-Original-URI": "{path}"},
        },
        {"path": "/right/", **PRIVATE, **RIGHT},
        {"path": "/wrong/", **PRIVATE, **WRONG},
        {"path": "/store/", **PRIVATE},
        {"path": "/known/", "upstream": HUB},
        {"path": "/narrow/", "upstream": HUB, **RIGHT},
        # without TLS to its upstream
        {"path": "/", "upstream": f"http://{A}:8080/"},
    ),
    "nodes": _routes(
        *(_in_place_of(f"refused-{method.lower()}", f"{B}:81", f"{A}:80") for method in METHODS),
        *(_in_place_of(f"deaf-{method.lower()}", f"{B}:8099", f"{A}:80") for method in METHODS),
        *(_in_place_of(f"alive-{method.lower()}", f"{B}:80", f"{A}:80") for method in METHODS),
        read_timeout=READ_SECONDS,
    ),
    # One authority for a whole server: it stands there, and not in the locations.
    "inner": _routes({**PRIVATE, **RIGHT}, {"path": "/plain/", "upstream": f"http://{A}:8080/"}),
    "foreign": _routes({**PRIVATE, **WRONG}),
    "store": _routes({"upstream": HUB, **RIGHT}),
}


@pytest.fixture(scope="session")
def served(suite, tmp_path_factory):
    hosts.remove([HOST])
    try:
        lab.up([HOST], suite)
        checkout = Checkout.make(tmp_path_factory.mktemp(f"upstreams-{suite}"), HOST)
        platforms = checkout.path / "group_data" / "all.py"
        platforms.write_text(f"{platforms.read_text()}\nplatforms |= {PLATFORMS!r}\n")
        authorities = checkout.path / "files" / "ca"
        authorities.mkdir()
        (authorities / "private.pem").write_text(topology.PRIVATE_CA.read_text())
        foreign = pki.ensure_ca(tmp_path_factory.mktemp(f"foreign-{suite}") / "foreign.pem")
        (authorities / "foreign.pem").write_text(foreign.read_text())
        checkout.certificate(TLS)
        behind = [
            {"domain": domain, "edge": "slb", "platform": domain.partition(".")[0]}
            for domain in (MIXED, NODES, INNER, FOREIGN, STORE)
        ]
        checkout.write_sites(*behind, {"domain": TLS, "edge": "tls", "platform": "inner"})
        checkout.deploy_well()
        yield checkout
    finally:
        hosts.remove([HOST])


def _ask(domain: str, target: str, *given: str, **options: Any) -> client.Response:
    """A request that is echoed, with the answer headers `given`."""
    scheme = "https" if domain == TLS else "http"
    headers = {"X-Lab-Status": "200", "X-Lab-Header": list(given), **options.pop("headers", {})}
    return own.ask(HOST, f"{scheme}://{domain}/", raw_target=target, headers=headers, timeout=20, **options)


def _sent(answer: client.Response, name: str) -> list[str]:
    """The values of a request header that arrived."""
    return [value for key, value in answer.json()["headers"] if key.lower() == name.lower()]


def _arrivals(marker: str) -> list[str]:
    """Where requests with that in their target have arrived."""
    return [
        node
        for node in ("platform", "node-b")
        for entry in client.request("http://platform/__lab__/log", connect=topology.address(node)).json()
        if marker in entry["target"]
    ]


def test_nginx_has_nothing_to_complain_about_and_a_second_deploy_nothing_to_do(served):
    said = own.on_host(HOST, "nginx -t 2>&1")
    assert "successful" in said
    assert "[warn]" not in said
    assert no_changes(served.deploy_well())
    assert served.status()[0] == 0


def test_plain_http_by_address_and_by_name(served):
    by_address, by_name = _ask(MIXED, "/address/x?q=%2F"), _ask(MIXED, "/name/x?q")
    assert by_address.json()["target"] == "/ctx/x?q=%2F"
    assert (by_address.json()["port"], by_address.json()["tls"]) == (8080, False)
    assert by_name.json()["target"] == "/base/x?q"
    assert (by_name.json()["port"], by_name.json()["tls"]) == (80, False)
    verbatim = _ask(MIXED, "//x/%2e%2fy?a=;/..")
    assert verbatim.json()["target"] == "//x/%2e%2fy?a=;/.."
    assert [_sent(one, "Host") for one in (by_address, by_name, verbatim)] == [
        [MIXED],
        ["app.inner.example"],
        [f"{A}:8080"],
    ]
    for one in (by_address, by_name, verbatim):
        assert (_sent(one, "X-Forwarded-Proto"), _sent(one, "X-Forwarded-Host")) == (["https"], [MIXED])


def test_a_web_socket_passes_to_plain_http(served):
    assert client.websocket_echo(f"http://{MIXED}/address/ws", topology.address(HOST), b"hello") == b"hello"


def test_further_headers_are_the_routes_own(served):
    forged = {"X-Original-URI": ["/admin", "/x"], "x-site": "evil"}
    found = {path: _ask(MIXED, f"{path}x", headers=forged) for path in ("/walled/", "/name/", "/address/", "/")}
    assert {path: (_sent(one, "X-Original-URI"), _sent(one, "X-Site")) for path, one in found.items()} == {
        "/walled/": (["/walled/"], []),
        "/name/": ([], [f"https://{MIXED}/name/;a b"]),
        "/address/": ([], []),
        "/": ([], []),
    }


@pytest.mark.parametrize(
    "target",
    [
        *("/walled/..;/admin", "/walled/%252e%252e/admin", "/walled/x%5c..%5cy", "/walled/x/%2e%2e;/admin"),
        *("/walled/../admin", "/walled/..%2fadmin", "/walled..%2fadmin", "/walled../admin", "/walledx", "/walled"),
        *("/walled/%c0%ae%c0%ae/x", "/walled/%00", "/walled%2f..%2fadmin", "//walled/..//admin", "/o/app/weixin/"),
    ],
)
def test_out_of_a_wall_nothing_gets_on_any_nginx(served, target):
    """What nginx makes of a path before it looks for the location has changed between its versions."""
    try:
        answer = _ask(MIXED, target)
    except client.ConnectionClosed:
        return
    assert answer.status in (200, 400, 404)
    # The open route beside it may take it, to an upstream of its own.
    assert answer.status != 200 or answer.json()["node"] == "platform"


def test_inside_of_a_wall_everything_gets_through(served):
    targets = {"/walled/": "", "/walled/a//b?x=..;/%252e": "a/b?x=..;/%252e", "/walled/a/../b%20c": "b%20c"}
    arrived = {target: _ask(MIXED, target).json() for target in targets}
    assert {one["node"] for one in arrived.values()} == {"node-b"}
    assert {target: one["target"] for target, one in arrived.items()} == {
        target: f"/o/app/weixin/{rest}" for target, rest in targets.items()
    }


def test_an_authority_counts_alone_and_for_its_route_alone(served):
    """Asked twice, and the right one first: on a connection that is kept nobody proves anything again."""
    wanted = {"/right/": 200, "/wrong/": 502, "/store/": 502, "/known/": 200, "/narrow/": 502}
    for _ in range(2):
        assert {path: _ask(MIXED, f"{path}x").status for path in wanted} == wanted
    assert _sent(_ask(MIXED, "/right/x"), "Host") == [topology.PRIVATE_NAME]


def test_an_authority_of_a_whole_server_counts_alone_too(served):
    wanted = {INNER: 200, FOREIGN: 502, STORE: 502, TLS: 200}
    for _ in range(2):
        assert {domain: _ask(domain, "/x").status for domain in wanted} == wanted
    assert _ask(INNER, "/plain/x").json()["tls"] is False
    # said through a socket, so a moment later
    command = "grep -c 'upstream SSL certificate verify error' /var/log/nginx/wecom-gateway.error.log || true"
    hosts.wait_until(lambda: int(own.on_host(HOST, command) or 0) >= 4, "why a request failed is not logged")


def test_what_is_refused_never_arrives(served):
    marker = f"secret-{next(_numbers)}"
    for domain, path in ((MIXED, "/wrong/"), (MIXED, "/store/"), (MIXED, "/narrow/"), (FOREIGN, "/"), (STORE, "/")):
        assert _ask(domain, f"{path}{marker}").status == 502
    assert _arrivals(marker) == []


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["refused", "deaf"])
def test_a_node_that_is_not_there_costs_one_wait_at_most(served, kind, method):
    """Nothing of a request has been sent before there is a connection: a POST goes on to the next node too."""
    spent, marker = [], f"once-{next(_numbers)}"
    for number in range(6):
        begun = time.monotonic()
        answer = _ask(NODES, f"/{kind}-{method.lower()}/{marker}-{number}", method=method, body=b"a=b")
        spent.append(time.monotonic() - begun)
        assert (answer.status, answer.json()["node"]) == (200, "platform")
        assert _arrivals(f"{marker}-{number}") == ["platform"]
    assert max(spent) < READ_SECONDS + 1, spent
    # left out for a while afterwards, in every worker
    assert sum(one > 1 for one in spent) <= (kind == "deaf"), spent


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_sent_again_after_a_wait_for_its_answer(served, method):
    """The login code in it may be spent."""
    marker = f"slow-{next(_numbers)}"
    target = f"/alive-{method.lower()}/{marker}"
    steered = {"X-Lab-Delay": str(READ_SECONDS + 2)}
    assert _ask(NODES, target, method=method, body=b"a=b", headers=steered).status == 504
    time.sleep(0.5)
    assert len(_arrivals(marker)) == 1


def test_a_post_that_may_have_arrived_is_not_sent_again(served):
    marker = f"closed-{next(_numbers)}"
    for number in range(2):
        target = f"/alive-get/{marker}-{number}"
        assert _ask(NODES, target, method="POST", body=b"a=b", headers={"X-Lab-Close": "1"}).status == 502
        assert len(_arrivals(f"{marker}-{number}")) == 1
    assert _ask(NODES, "/alive-get/x").status == 200


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (f"http://{A}:8080/ctx/x?y#z", f"https://{MIXED}/address/x?y#z"),
        (f"HTTP://{A}:8080/ctx?y=1", f"https://{MIXED}/address/?y=1"),
        (f"http://{MIXED}:8080/ctx/x", f"https://{MIXED}/address/x"),
        (f"http://{MIXED.upper()}/ctx/x", f"https://{MIXED}/address/x"),
        (f"https://{MIXED}/address/x", f"https://{MIXED}/address/x"),
        ("/ctx", "/address/"),
        ("/ctx#/home", "/address/#/home"),
        ("/ctxx", "/ctxx"),
        # what other routes of the site serve
        ("http://app.inner.example/base/x", f"https://{MIXED}/name/x"),
        ("https://hub.17wanxiao.com/x", f"https://{MIXED}/known/x"),
        (f"http://{A}:8080.evil.example/ctx/", f"http://{A}:8080.evil.example/ctx/"),
    ],
)
def test_redirects_come_back_to_the_site(served, written, wanted):
    answer = _ask(MIXED, "/address/x", f"Location: {written}", headers={"X-Lab-Status": "302"})
    assert (answer.status, answer.all("Location")) == (302, [wanted])


def test_cookies_and_origins_come_back_to_the_site(served):
    set_by_upstream = {
        f"a=1; Path=/ctx; Domain={A}": f"a=1; Path=/address; Domain={MIXED}",
        "b=2; Path=/ctx/x; HttpOnly": "b=2; Path=/address/x; HttpOnly",
        f"c=3; Domain={MIXED}": f"c=3; Domain={MIXED}",
    }
    cookies = [f"Set-Cookie: {one}" for one in set_by_upstream]
    answer = _ask(MIXED, "/address/x", *cookies, f"Access-Control-Allow-Origin: http://{A}:8080")
    assert answer.all("Set-Cookie") == list(set_by_upstream.values())
    assert answer.all("Access-Control-Allow-Origin") == [f"https://{MIXED}"]
    named = _ask(MIXED, "/name/x", "Access-Control-Allow-Origin: http://app.inner.example")
    assert named.all("Access-Control-Allow-Origin") == [f"https://{MIXED}"]
    for origin in ("*", "https://other.example"):
        answer = _ask(MIXED, "/name/x", f"Access-Control-Allow-Origin: {origin}")
        assert answer.all("Access-Control-Allow-Origin") == [origin]
    assert _ask(MIXED, "/name/x").all("Access-Control-Allow-Origin") == []


def test_nodes_are_mapped_back_where_tls_ends_in_nginx(served):
    for written in (f"https://{A}:8443/x", f"https://{topology.PRIVATE_NAME}/x", f"http://{topology.PRIVATE_NAME}/x"):
        answer = _ask(TLS, "/x", f"Location: {written}", headers={"X-Lab-Status": "302"})
        assert answer.all("Location") == [f"https://{TLS}/x"], written
