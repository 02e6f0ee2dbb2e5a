"""What comes back from an upstream points at the school."""

from __future__ import annotations

import pytest

PLACES = {"card-test": "/bserver/x", "card": "/x", "itsm": "/o/itsm/weixin/x"}


@pytest.mark.parametrize(
    ("site", "rest", "location", "public"),
    [
        ("card-test", "/bserver/x", "https://api.17wanxiao.com/b-server/y?z", "https://{domain}/bserver/y?z"),
        ("card-test", "/bserver/x", "http://api.17wanxiao.com/b-server/y", "https://{domain}/bserver/y"),
        ("card-test", "/bserver/x", "/b-server/y", "/bserver/y"),
        ("card-test", "/bserver/x", "https://api.17wanxiao.com/y", "https://{domain}:9001/y"),
        ("card-test", "/bserver/x", "/y", "https://{domain}:9001/y"),
        ("card-test", ":9001/x", "https://api.17wanxiao.com/b-server/y", "https://{domain}/bserver/y"),
        ("card-test", ":9001/x", "/y", "/y"),
        ("card-test", ":9001/x", "http://api.17wanxiao.com:80/y", "https://{domain}:9001/y"),
        ("card-test", "/bserver/x", "https://api.17wanxiao.com", "https://{domain}:9001/"),
        ("card-test", "/bserver/x", "y", "y"),
        ("card", "/x", "https://hub.17wanxiao.com/y", "https://{domain}/y"),
        ("card", "/x", "http://open.17wanxiao.com/y", "https://{domain}:9001/y"),
        ("card", ":9001/x", "https://hub.17wanxiao.com/y", "https://{domain}/y"),
        ("card", "/x", "https://hub.17wanxiao.com?a=1", "https://{domain}/?a=1"),
        ("card", "/x", "/y", "/y"),
        ("card", "/x", "//cdn.example/y", "//cdn.example/y"),
        ("card", "/x", "https://hub.17wanxiao.com.evil.example/", "https://hub.17wanxiao.com.evil.example/"),
        (
            "card",
            "/x",
            "https://open.weixin.qq.com/a?redirect_uri=b",
            "https://open.weixin.qq.com/a?redirect_uri=b",
        ),
        (
            "itsm",
            "/o/itsm/weixin/x",
            "https://paas.inner.example/o/itsm/weixin/y",
            "https://{domain}/o/itsm/weixin/y",
        ),
        (
            "itsm",
            "/o/itsm/weixin/x",
            "https://paas.inner.example/login/",
            "https://paas.inner.example/login/",
        ),
        ("itsm", "/o/itsm/weixin/x", "/o/itsm/weixin/y", "/o/itsm/weixin/y"),
    ],
)
def test_redirects(ask, edge, site, rest, location, public):
    """A redirect off the domain, or to a port that WeCom does not expect, breaks the login (50001)."""
    answer = ask(site, rest, headers={"X-Lab-Status": "302", "X-Lab-Location": location})
    assert answer.status == 302
    assert answer.header("Location") == public.format(domain=f"{site}.{edge}.demo.example")


@pytest.mark.parametrize(
    ("site", "rest", "cookie", "public"),
    [
        ("card-test", "/bserver/x", "s=1; Path=/b-server/", "s=1; Path=/bserver/"),
        ("card-test", "/bserver/x", "s=1; Path=/b-server", "s=1; Path=/bserver"),
        ("card-test", "/bserver/x", "s=1; Path=/b-server/y; HttpOnly", "s=1; Path=/bserver/y; HttpOnly"),
        ("card-test", "/bserver/x", "s=1; Path=/b-serverX", "s=1; Path=/b-serverX"),
        ("card-test", "/bserver/x", "s=1; Path=/", "s=1; Path=/"),
        ("card-test", "/bserver/x", "s=1; Domain=api.17wanxiao.com", "s=1; Domain={domain}"),
        ("card", "/x", "s=1; Domain=.17wanxiao.com; Path=/", "s=1; Domain={domain}; Path=/"),
        ("card", "/x", "s=1; domain=HUB.17wanxiao.com", "s=1; domain={domain}"),
        ("card", ":9001/x", "s=1; Domain=open.17wanxiao.com; Secure", "s=1; Domain={domain}; Secure"),
        ("card", "/x", "s=1; Domain=other.example", "s=1; Domain=other.example"),
        (
            "itsm",
            "/o/itsm/weixin/x",
            "s=1; Domain=.inner.example; Path=/o/itsm/",
            "s=1; Domain={domain}; Path=/o/itsm/",
        ),
    ],
)
def test_cookies(ask, edge, site, rest, cookie, public):
    """A cookie for the platform's own name or path would never be sent back: every login would be lost."""
    answer = ask(site, rest, headers={"X-Lab-Set-Cookie": cookie})
    assert answer.all("Set-Cookie") == [public.format(domain=f"{site}.{edge}.demo.example")]


@pytest.mark.parametrize("site", PLACES)
def test_bodies_come_back_whole(ask, site):
    assert len(ask(site, PLACES[site], headers={"X-Lab-Body-Bytes": "3000000"}).body) == 3_000_000


@pytest.mark.parametrize("status", ["204", "400", "401", "404", "500", "503"])
def test_statuses_come_back_as_they_are(ask, status):
    assert ask("card", "/x", headers={"X-Lab-Status": status}).status == int(status)


def test_nginx_does_not_tell_its_version(ask):
    assert ask("itsm", "/").header("Server") == "nginx"


@pytest.mark.parametrize(
    "header",
    [
        "X-Accel-Redirect: /healthz",
        "X-Accel-Redirect: /.wecom-gateway-error",
        "X-Accel-Redirect: @wecom_gateway_error_page",
        "X-Accel-Limit-Rate: 1000",
        "X-Accel-Buffering: yes",
        "X-Accel-Charset: koi8-r",
        "X-Accel-Expires: 60",
    ],
)
def test_an_upstream_has_no_say_over_this_nginx(ask, edge, header):
    """Meant for the platform's own front, it would be answered here by another page, slowly or recoded."""
    options = {"X-Lab-Header": [header, "Content-Type: text/plain"], "X-Lab-Body-Bytes": "20000"}
    answer = ask("card", "/x", headers=options, timeout=10)
    assert answer.status == 200
    assert len(answer.body) == 20_000
    assert answer.body.startswith(b"0123456789abcdef")
    assert answer.header("Content-Type") == "text/plain"
    # words between an upstream and its front: no visitor's business
    assert not [name for name, _ in answer.headers if name.lower().startswith("x-accel-")]
