"""Every platform that is shipped, before stand-ins that check what the real ones check: login, cookies, refusals."""

from __future__ import annotations

import json
import re
import secrets
import time
from urllib.parse import parse_qs, urlsplit

import pytest

from lab import hosts, topology
from lab import platforms as standins
from lab.progress import silent
from lab.standin import blueking, wecom

from . import checkout as own
from .phone import Phone

HOST = "t01"
ZONE = "campus.example"
TLS = {"edge": "tls"}
BK = {"upstream": "https://paas.inner.example"}
# What is a school's own: a private authority with two nodes, one of them dead or not; an address without a name.
_A, _B = topology.address("platform"), topology.address("node-b")
_PRIVATE = {"path": "/", "upstream": f"https://{topology.PRIVATE_NAME}/", "ca": "files/ca/private.pem"}
OWN = {
    "private": {
        "routes": [
            {**_PRIVATE, "port": "entry", "nodes": [f"{_B}:8443", f"{_A}:8443"]},
            {**_PRIVATE, "port": 9001, "nodes": [f"{_B}:81", f"{_A}:8443"]},
            {**_PRIVATE, "port": 9002, "nodes": [f"{_B}:8099", f"{_A}:8443"]},
            {"port": 9003, "path": "/", "upstream": f"https://{topology.PRIVATE_NAME}/"},
        ]
    },
    "address": {"routes": [{"port": "entry", "path": "/", "upstream": f"http://{_A}:8080/"}]},
}
SITES = (
    {"domain": "itsm", "platform": "bkitsm", "bk": {**BK, "apps": ["bk_itsm"]}},
    {"domain": "itsm-o", "platform": "bkitsm", "bk": {**BK, "apps": ["bk--itsm"]}},
    {"domain": "itsm-path", "platform": "bkitsm_v3"},
    {"domain": "itsm-name", "platform": "bkitsm_v3_name"},
    {"domain": "monitor", "platform": "bkmonitor"},
    {"domain": "sops", "platform": "bksops"},
    {"domain": "app", "platform": "own_app"},
    {"domain": "api", "platform": "wxapi", "allow": [str(topology.subnet())]},
    {"domain": "private", "platform": "private"},
    {"domain": "address", "platform": "address"},
)
# Where each BlueKing app is opened, a page of its that is not published, and where its files are.
BLUEKING = {
    "itsm": ("/o/bk_itsm/weixin/", "/o/bk_itsm/", "/o/bk_itsm/static/weixin/"),
    "itsm-o": ("/o/bk--itsm/weixin/", "/o/bk--itsm/", "/o/bk--itsm/static/weixin/"),
    "itsm-path": ("/bk--itsm/weixin/", "/bk--itsm/", "/bk--itsm/static/weixin/"),
    "itsm-name": ("/weixin/", "/", "/static/weixin/"),
    "monitor": ("/bkmonitor/", "/o/bk_monitorv3/weixin/", "/bkmonitor/static/"),
    "sops": ("/o/bk_sops/weixin/", "/o/bk_sops/", "/o/bk_sops/static/weixin/"),
}


@pytest.fixture(scope="module")
def served(packaged_host, tmp_path_factory):
    checkout = own.Checkout.make(tmp_path_factory.mktemp("shipped"), HOST)
    platforms = checkout.path / "group_data" / "all.py"
    platforms.write_text(f"{platforms.read_text()}\nplatforms |= {OWN!r}\n")
    (checkout.path / "files" / "ca").mkdir()
    (checkout.path / "files" / "ca" / "private.pem").write_text(topology.PRIVATE_CA.read_text())
    for number, site in enumerate(SITES):
        domain = f"{site['domain']}.{ZONE}"
        checkout.certificate(domain)
        checkout.verification(domain, f"ShippedShipped{number:02}")
    checkout.write_sites(*({**TLS, **site, "domain": f"{site['domain']}.{ZONE}"} for site in SITES))
    checkout.deploy_well()
    return checkout


def phone(site: str) -> Phone:
    return Phone(HOST, f"{site}.{ZONE}")


def test_every_shipped_platform_is_here():
    from ..platforms import PLATFORMS

    assert set(PLATFORMS) - {"wanxiao_prod", "wanxiao_test"} <= {site["platform"] for site in SITES}


def _to_wecom(one: Phone, path: str) -> dict[str, list[str]]:
    """Opens a page that wants a login; what WeCom's OAuth page is told."""
    answer = one.get(path)
    location = answer.header("Location") or ""
    assert answer.status == 302
    assert location.startswith(f"{blueking.OAUTH}?"), location
    assert one.refused == []
    return parse_qs(urlsplit(location).query)


@pytest.mark.parametrize("site", BLUEKING)
def test_a_member_logs_in_to_bluekings_app_and_sees_it(served, site):
    one, (home, _, static) = phone(site), BLUEKING[site]
    asked = _to_wecom(one, f"{home}?tab=1")
    (back,), (state,) = asked["redirect_uri"], asked["state"]
    # 50001 otherwise: the domain alone, https, no port, and a page that is published
    assert back.startswith(f"https://{one.domain}{home}login/?")
    returned = one.get(f"{back}&code={secrets.token_hex(8)}&state={state}")
    assert returned.status == 302, returned.body.decode()
    page = one.follow(returned.header("Location"))
    assert (page.status, "zhangsan" in page.body.decode()) == (200, True)
    sheet = re.search(r'href="(.*?)"', page.body.decode())
    assert sheet and sheet[1].startswith(static)
    style = one.get(sheet[1])
    assert (style.status, style.header("Content-Type")) == (200, "text/css")


@pytest.mark.parametrize("site", BLUEKING)
def test_a_code_is_good_once_and_its_state_is_the_sessions(served, site):
    first, second, home = phone(site), phone(site), BLUEKING[site][0]
    asked = _to_wecom(first, home)
    _to_wecom(second, home)
    login = f"{home}login/?code={secrets.token_hex(8)}&state="
    stranger = second.get(f"{login}{asked['state'][0]}")
    assert stranger.body.decode() == blueking.WRONG_STATE
    assert first.get(f"{login}{asked['state'][0]}").status == 302
    other = _to_wecom(second, home)
    assert second.get(f"{login}{other['state'][0]}").body.decode() == blueking.FAILED


@pytest.mark.parametrize("site", BLUEKING)
def test_whatever_a_visitor_claims_the_app_is_told_the_domain(served, site):
    home = BLUEKING[site][0]
    claims = ("X-Forwarded-Host", "X-Forwarded-Weixin-Host", "X-Original-URI", "X-Forwarded-Proto", "Host-Override")
    _to_wecom(phone(site), home)
    answer = phone(site).get(home, headers=dict.fromkeys(claims, "evil.example"))
    assert (answer.header("Location") or "").startswith(blueking.OAUTH)
    names = ("Bk-Username", "Bk-App-Code", "X-Bkapi-Jwt", "X-Bkapi-Public-Key", "X-Bkapi-User-Name", "X-Script-Name")
    echo = phone(site).get(home, headers={**dict.fromkeys(names, "admin"), "X-Lab-Status": "200"}).json()
    arrived = {name.lower() for name, _ in echo["headers"]}
    assert arrived & {name.lower() for name in names} == set()


@pytest.mark.parametrize("site", BLUEKING)
def test_of_bluekings_app_nothing_else_is_published(served, site):
    one, (home, inner, static) = phone(site), BLUEKING[site]
    for path in ("/", inner, "/login/", "/admin/", f"{home[:-1]}x/"):
        assert one.get(path).status == 404, path
    for escape in ("../", "..%2f", "%2e%2e/", "%252e%252e/", "..%5c", "..;/", ".%2e/"):
        for prefix in (home, static):
            answer = own.ask(HOST, f"https://{one.domain}/", raw_target=f"{prefix}{escape}{escape}admin/")
            assert answer.status in (400, 404), (prefix, escape)


@pytest.mark.parametrize("site", BLUEKING)
def test_an_upload_page_takes_what_bluekings_does(served, site):
    size = 60 << 20
    steered = {"X-Lab-Status": "200"}
    answer = phone(site).get(BLUEKING[site][0], method="POST", body=bytes(size), headers=steered, timeout=60)
    assert (answer.status, answer.json()["body_length"]) == (200, size)


def test_an_application_of_the_schools_own_sees_its_public_name(served):
    one = phone("app")
    first = one.get("/desk")
    assert (first.status, first.header("Location")) == (302, f"https://{one.domain}/login?next=%2Fdesk")
    page = one.follow("/desk")
    assert (page.status, one.refused) == (200, [])
    assert f"https://{one.domain}/logout" in page.body.decode()
    assert one.get("/static/app.js").body == b"// /static/app.js\n"


def test_wecoms_api_answers_below_its_path_alone(served):
    one = phone("api")
    wrong = one.get(f"/wxapi/cgi-bin/gettoken?corpid={wecom.CORP}&corpsecret=wrong").json()
    assert wrong["errcode"] == 40001
    assert f"from ip: {topology.address(HOST)}" in wrong["errmsg"]
    token = one.get(f"/wxapi/cgi-bin/gettoken?corpid={wecom.CORP}&corpsecret={wecom.SECRET}").json()["access_token"]
    who = one.get(f"/wxapi/cgi-bin/auth/getuserinfo?access_token={token}&code={wecom.CODE}").json()
    assert (who["errcode"], who["userid"]) == (0, "zhangsan")
    assert one.get("/wxapi/cgi-bin/getcallbackip?access_token=forged").json()["errcode"] == 40014
    assert one.get("/cgi-bin/gettoken").status == 404


def test_an_upstream_may_be_an_address(served):
    told = phone("address").get("/x").json()
    assert (told["tls"], told["port"]) == (False, 8080)
    assert ["Host", f"{topology.address('platform')}:8080"] in told["headers"]


def test_nodes_with_a_private_authority_share_the_visitors(served):
    told = [phone("private").get("/x").json() for _ in range(8)]
    assert {one["node"] for one in told} == {"platform", "node-b"}
    assert {(one["platform"], one["port"]) for one in told} == {(topology.PRIVATE_NAME, 8443)}
    # without its authority nobody is believed
    assert own.ask(HOST, f"https://private.{ZONE}:9003/x").status == 502


@pytest.mark.parametrize(("port", "kind"), [(9001, "closed"), (9002, "silent")])
def test_a_dead_node_costs_a_visitor_one_connect_timeout_at_most(served, port, kind):
    spent = []
    for _ in range(6):
        begun = time.monotonic()
        answer = own.ask(HOST, f"https://private.{ZONE}:{port}/x", timeout=20)
        spent.append(time.monotonic() - begun)
        assert (answer.status, answer.json()["node"]) == (200, "platform")
    assert max(spent) < 7, (kind, spent)
    # left out for a while afterwards
    assert sum(one > 1 for one in spent) <= 2, (kind, spent)


def test_a_node_that_goes_away_is_not_noticed_for_long(served):
    hosts.stop("node-b")
    try:
        statuses = [own.ask(HOST, f"https://private.{ZONE}/x", timeout=20).status for _ in range(6)]
    finally:
        standins.ensure(silent)
    assert statuses == [200] * 6


def test_verify_finds_every_shipped_platform_in_order(served):
    done = served.run(
        *("python", "-m", "gateway", "verify", "inventory/own.py", "--json", "--ca", str(topology.CA)),
        *("--resolve", topology.address(HOST)),
    )
    assert done.stdout, done.stderr
    wrong = [
        (result["name"], finding["subject"], finding["reason"])
        for result in json.loads(done.stdout)["results"]
        for finding in result["findings"]
        if finding["outcome"] == "failed"
    ]
    # the route without its authority, which is a fault on purpose
    assert [subject for _, subject, _ in wrong] == [f"https://private.{ZONE}:9003/"], wrong
    assert done.returncode == 1


def test_a_sheet_says_what_each_app_has_to_be_told(served, tmp_path):
    done = served.run("python", "-m", "gateway", "handover", "inventory/own.py", "--out", str(tmp_path / "sheets"))
    assert done.returncode == 0, done.stderr
    sheets = {path.stem: path.read_text() for path in (tmp_path / "sheets").glob("*.md")}
    for site, (home, _, static) in BLUEKING.items():
        (sheet,) = [text for name, text in sheets.items() if name.startswith(f"{site}.{ZONE}")]
        assert "BKAPP_WEIXIN_APP_EXTERNAL_HOST" in sheet
        assert f"https://{site}.{ZONE}{home}" in sheet
        moved = site == "monitor"
        assert ("BKAPP_WEIXIN_SITE_URL" in sheet, "BKAPP_WEIXIN_STATIC_URL" in sheet) == (moved, moved)
        assert static in sheet
    (sheet,) = [text for name, text in sheets.items() if name.startswith(f"app.{ZONE}")]
    assert "BKAPP_" not in sheet
