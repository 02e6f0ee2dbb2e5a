"""Redirects that login survives, and those that it does not."""

from __future__ import annotations

import pytest

from gateway.outside import locations

DOMAIN = "wx.school.edu.cn"
OAUTH = "https://open.weixin.qq.com/connect/oauth2/authorize?appid=ww1&redirect_uri={}#wechat_redirect"


@pytest.fixture
def site(parse):
    host, _ = parse({"domain": DOMAIN, "edge": "slb", "platform": "wanxiao_prod"})
    return host.sites[0]


@pytest.mark.parametrize(
    "location",
    [
        "",
        "/login",
        "login?x=1",
        f"https://{DOMAIN}/a",
        f"//{DOMAIN}/a",
        f"https://{DOMAIN}:9001/a",
        "https://cas.school.edu.cn/login",
        "https://school.edu.cn/",
        OAUTH.format(f"https%3A%2F%2F{DOMAIN}%2Fcallback"),
        "https://open.work.weixin.qq.com/wwlogin",
    ],
)
def test_these_are_right(site, location):
    assert locations.location_fault(location, site) is None


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        (f"http://{DOMAIN}/a", "plain http"),
        (f"https://{DOMAIN}:443/a", "50001"),
        (f"https://{DOMAIN}:80/a", "50001"),
        (f"https://{DOMAIN}:8080/a", "50001"),
        ("https://hub.17wanxiao.com/a", "the platform's own name"),
        ("https://open.17wanxiao.com/a", "the platform's own name"),
        ("https://other.edu.cn/a", f"away from {DOMAIN}"),
        ("https://weixin.qq.com.evil.example/", f"away from {DOMAIN}"),
        (f"https://{DOMAIN}@evil.example/", "redirects to https://evil.example/"),
        (f"https://{DOMAIN}:99999/", "not a URL"),
        ("https://[::1/", "not a URL"),
        (OAUTH.format(f"https%3A%2F%2F{DOMAIN}%3A9001%2Fcallback"), f"come back to {DOMAIN}:9001"),
        (OAUTH.format("https%3A%2F%2Fhub.17wanxiao.com%2F"), "come back to hub.17wanxiao.com"),
        (OAUTH.format("x"), "come back to nowhere"),
        (OAUTH.format("https%3A%2F%2F%5B"), "come back to nowhere"),
    ],
)
def test_these_break_login(site, location, reason):
    fault = locations.location_fault(location + ("" if "?" in location else "?code=secret"), site)
    assert fault
    assert reason in fault.reason
    assert fault.remedy
    assert "secret" not in fault.reason


def test_a_registry_is_no_owner(parse):
    host, _ = parse({"domain": "school.edu.cn", "edge": "slb", "platform": "wanxiao_prod"})
    assert locations.location_fault("https://other.edu.cn/", host.sites[0]) is not None
