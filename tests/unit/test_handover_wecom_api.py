"""The sheet of a way to WeCom's API: network, trusted IPs and application servers, and nothing of an app's home."""

from __future__ import annotations

import json

import pytest

from gateway.handover.sheet import BLANK_START

from .test_handover import SLB, WECOM, both, handover

__all__ = ["handover"]

SITE = {"domain": "wxapi.a.edu.cn", "edge": "tls", "allow": ["10.0.0.0/24"]}
HOST = {"ssh_hostname": "10.0.0.5"}


@pytest.fixture
def sheet(handover):
    """The sheet of this site at a host with these values, as Markdown; what is warned of."""

    def made(site: dict = SITE, **host: object) -> tuple[str, str]:
        result, out = handover(wxapi=[("gw", {**HOST, **host, "sites": [site]})])
        assert result.exit_code == 0, result.output
        markdown, page = both(out, "wxapi.a.edu.cn")
        assert "https://wxapi.a.edu.cn/wxapi/" in page
        return markdown, result.stderr

    return made


def test_it_has_what_a_caller_of_the_api_needs(sheet):
    markdown, _ = sheet()
    assert "`https://wxapi.a.edu.cn/wxapi/`" in markdown
    assert "`10.0.0.5 wxapi.a.edu.cn`" in markdown
    assert "`10.0.0.0/24`" in markdown
    assert "`qyapi.weixin.qq.com:443`" in markdown
    assert "curl -s 'https://wxapi.a.edu.cn/wxapi/cgi-bin/gettoken?corpid=x&corpsecret=x'" in markdown


@pytest.mark.parametrize("edge", ["tls", "slb", "layer 4"])
def test_nothing_is_said_of_an_app_that_nobody_opens(sheet, edge):
    site = {**SITE, "edge": "slb", "slb_cidrs": ["10.0.9.0/24"]} if edge == "slb" else SITE
    markdown, told = sheet(site, **({"proxy_protocol": ["10.0.9.0/24"]} if edge == "layer 4" else {}))
    for word in ("应用主页", "home", "可信域名", "Trusted domain", "回调", "allback", "WW_verify", "校验", "JS-SDK"):
        assert word not in markdown
    for word in ("工作台", "workbench", "创建应用", "Secret 用", "flag", "备案", "公网 →", "public →", "to the public"):
        assert word not in markdown
    assert [line for line in told.splitlines() if "left blank" in line] == [
        "warning: gw: wxapi.a.edu.cn: wecom: trusted_ips missing; left blank in the sheet"
    ]


def test_trusted_is_this_hosts_address_and_no_application_servers(sheet):
    markdown, _ = sheet()
    assert f"{BLANK_START}本主机的出口公网 IP" in markdown
    assert "not those of the application servers" in markdown
    assert "not this gateway's" not in markdown
    markdown, told = sheet({**SITE, "wecom": {"trusted_ips": ["120.27.208.144"]}})
    assert "`120.27.208.144`" in markdown
    assert "出口公网 IP】" not in markdown
    assert "left blank" not in told


def test_ports_are_open_to_those_who_may_call_alone(sheet):
    markdown, _ = sheet()
    step = next(part for part in markdown.split("\n### ") if "`https 443`" in part and part.startswith("A"))
    assert "to the application servers alone" in step
    assert "http 80" not in markdown
    # an automatic certificate needs the name and port 80 in public
    markdown, _ = sheet({**SITE, "cert": {"acme": {"email": "ops@a.edu.cn"}}})
    assert "port 80 must be open to the public" in markdown
    assert "wxapi.a.edu.cn. A" in markdown


@pytest.mark.parametrize(
    ("host", "site", "line"),
    [
        (
            {"ssh_hostname": "203.0.113.7"},
            {},
            f"`{BLANK_START}gw (203.0.113.7) 的内网地址 inner address】 wxapi.a.edu.cn`",
        ),
        (
            {"ssh_hostname": "gw.a.edu.cn"},
            {},
            f"`{BLANK_START}gw (gw.a.edu.cn) 的内网地址 inner address】 wxapi.a.edu.cn`",
        ),
        ({"ssh_hostname": "127.0.0.1"}, {}, f"`{BLANK_START}gw (127.0.0.1) 的内网地址 inner address】 wxapi.a.edu.cn`"),
        ({"ssh_hostname": "fd00::5"}, {}, "`fd00::5 wxapi.a.edu.cn`"),
        ({"proxy_protocol": ["10.0.9.0/24"]}, {}, f"`{BLANK_START}负载均衡的内网地址 load balancer's inner address】"),
        ({}, {"edge": "slb"}, f"`{BLANK_START}负载均衡的内网地址 load balancer's inner address】"),
    ],
)
def test_the_name_leads_to_the_inner_address(sheet, host, site, line):
    markdown, _ = sheet({**SITE, **site}, **host)
    assert line in markdown


def test_steps_are_numbered_without_a_gap(sheet):
    for host in ({}, {"proxy_protocol": ["10.0.9.0/24"]}):
        markdown, _ = sheet(**host)
        numbers = [line.split()[1] for line in markdown.splitlines() if line.startswith("### ")]
        inner = [one for one in numbers if one.startswith("A")]
        assert inner == [f"A{number}" for number in range(1, len(inner) + 1)]
        assert numbers[len(inner) :] == ["1", "2", "3", "4"]


def test_json_has_no_blank_for_what_it_does_not_ask(handover):
    result, _ = handover("--json", wxapi=[("gw", {"sites": [SITE]})])
    assert "verify" not in [problem["field"] for problem in json.loads(result.stdout)["problems"]]


def test_a_platform_with_wecoms_api_as_a_further_route_has_an_apps_sheet(handover):
    rows = [
        {"port": "entry", "path": "/", "upstream": "https://a.example/"},
        {"port": "entry", "path": "/wxapi/", "upstream": "https://qyapi.weixin.qq.com/"},
    ]
    host = {"sites": [{**SLB, "platform": "own", "wecom": WECOM}], "platforms": {"own": {"routes": rows}}}
    _, out = handover(wanxiao_prod=[("h1", host)])
    assert "应用主页" in both(out, "wx.a.edu.cn")[0]
