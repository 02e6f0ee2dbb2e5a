"""Platforms and prefixes that operators write themselves: one inside another, two for the same, limits of their own."""

from __future__ import annotations

import pytest

from . import checkout as own
from .checkout import SLB

HOST = "t01"
PLATFORMS = """
def _routes(*rows):
    return {"routes": [dict(zip(("port", "path", "upstream"), row)) for row in rows]}

_hub, _open = "https://hub.17wanxiao.com/", "https://open.17wanxiao.com/"
platforms["nested"] = _routes(("entry", "/", _hub), ("entry", "/api/", f"{_open}v2/"), ("entry", "/api/deep/", _hub))
platforms["twice"] = _routes((9001, "/", _hub), ("entry", "/", _hub))
platforms["parts"] = _routes(("entry", "/api/", f"{_hub}api-v1/"), ("entry", "/web/", _hub))
"""
BK = {"upstream": "https://paas.inner.example", "apps": ["itsm"], "extra_paths": ["/o/itsm/", "/healthz/"]}


@pytest.fixture(scope="module")
def served(packaged_host, tmp_path_factory):
    checkout = own.Checkout.make(tmp_path_factory.mktemp("own"), HOST)
    platforms = checkout.path / "group_data" / "all.py"
    platforms.write_text(f"{platforms.read_text()}\n{PLATFORMS}")
    checkout.write_sites(
        *({**SLB, "domain": f"{name}.edu.example", "platform": name} for name in ("nested", "twice", "parts")),
        {**SLB, "domain": "itsm.edu.example", "platform": "bkitsm", "bk": BK},
        {**SLB, "domain": "limited.edu.example", "rate_limit": {"requests_per_second": 20}},
        {**SLB, "domain": "strict.edu.example", "rate_limit": {"requests_per_second": 100, "burst": 0}},
        {**SLB, "domain": "plain.edu.example"},
    )
    checkout.deploy_well()
    return checkout


def _ask(site: str, rest: str, **options):
    return own.ask(HOST, f"http://{site}.edu.example{rest}", **options)


@pytest.mark.parametrize(
    ("path", "arrived"),
    [
        ("/x", "https://hub.17wanxiao.com/x"),
        ("/api/x?q=1", "https://open.17wanxiao.com/v2/x?q=1"),
        # without its slash a prefix does not begin yet: the one around it has the path
        ("/api?q=1", "https://hub.17wanxiao.com/api?q=1"),
        ("/apiX", "https://hub.17wanxiao.com/apiX"),
        ("/api/deep/x", "https://hub.17wanxiao.com/x"),
        ("/api/deep?q=1", "https://open.17wanxiao.com/v2/deep?q=1"),
        ("/api/deepX", "https://open.17wanxiao.com/v2/deepX"),
    ],
)
def test_the_longest_prefix_has_the_path(served, path, arrived):
    answer = _ask("nested", path, method="POST", body=b"kept")
    assert (answer.status, answer.header("X-Lab-Arrived")) == (200, arrived)
    assert answer.json()["body_length"] == 4


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/o/itsm/", 200),
        ("/o/itsm/foo", 200),
        ("/o/itsm/weixin", 200),
        ("/o/itsm/static/weixin", 200),
        ("/o/itsm/weixin/x", 200),
        ("/o/itsm", 404),
        ("/healthz/x", 200),
        ("/o/other/weixin/", 404),
    ],
)
def test_a_published_prefix_has_no_holes(served, path, status):
    answer = _ask("itsm", path)
    assert answer.status == status
    if status == 200:
        assert answer.header("X-Lab-Arrived") == f"https://paas.inner.example{path}"


def test_the_load_balancers_page_stays_its_own(served):
    assert _ask("itsm", "/healthz").body == b"ok\n"


def test_a_redirect_stays_on_the_port_that_the_visitor_came_by(served):
    for location in ("/y", "https://hub.17wanxiao.com/y"):
        headers = {"X-Lab-Status": "302", "X-Lab-Location": location}
        for port in ("", ":9001"):
            told = own.ask(HOST, f"http://twice.edu.example{port}/x", headers=headers).header("Location")
            assert told in ("/y", f"https://twice.edu.example{port}/y")


def test_a_session_set_by_one_route_comes_back_to_all_of_them(served):
    for path in ("/api/login", "/web/login"):
        answer = _ask("parts", path, headers={"X-Lab-Set-Cookie": "s=1; Path=/; HttpOnly"})
        assert answer.header("Set-Cookie") == "s=1; Path=/; HttpOnly"


def test_a_limit_needs_no_burst(served):
    statuses = [_ask("limited", "/x").status for _ in range(15)]
    assert statuses == [200] * 15
    assert _ask("strict", "/x").status == 200


def test_what_a_platform_promises_of_its_own_name_is_not_said_of_the_schools(served):
    """Two years of HSTS for every name under the school's would outlive the platform there."""
    promises = ["Strict-Transport-Security: max-age=63072000; includeSubDomains; preload", 'Alt-Svc: h3=":443"']
    answer = _ask("plain", "/x", headers={"X-Lab-Header": [*promises, "X-Other: stays"]})
    assert answer.header("X-Other") == "stays"
    assert answer.header("Strict-Transport-Security") is None
    assert answer.header("Alt-Svc") is None


def test_pages_are_not_compressed_anew(served):
    """That would weaken the ETag by which a browser asks again."""
    headers = {"Accept-Encoding": "gzip", "X-Lab-Header": ['ETag: "strong"', "Content-Type: text/html"]}
    answer = _ask("plain", "/x", headers=headers)
    assert answer.header("ETag") == '"strong"'
    assert answer.header("Content-Encoding") is None
