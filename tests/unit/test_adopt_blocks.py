"""What `adopt` says of a server block: left alone and why, or what will be different."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from gateway.fleet import loading
from tests.platforms import PLATFORMS

from .adopting import PASS, SITE, adopted, here, put, run, site, told
from .importing import LEAF

__all__ = ["here"]

TLS = "443 ssl"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (site(PASS, listen=TLS) + site(PASS, listen="9001"), "speaks plain http on port 9001, and TLS on another"),
        (site(PASS, listen="443"), "listens on 443 without TLS"),
        (site(PASS, listen="80 ssl"), "speaks TLS on port 80"),
        (site(PASS, listen="8080") + site(PASS, listen="8081"), "listens on 8080, 8081"),
        (site("return 301 https://$host$request_uri;", PASS), "sends all plain http on to https"),
        (site("return 301 https://$host$request_uri;", PASS, listen=TLS), "sends visitors by https to the same place"),
        (site(PASS, "deny 10.0.0.9;"), "no key keeps out single networks"),
        (
            site(PASS, "location /x/ { proxy_pass http://10.0.0.9; allow 10.0.0.0/8; deny all; }"),
            "lets some visitors use one part of the site alone",
        ),
        (
            site("location / { set $up 10.0.0.8; if ($cookie_a) { set $up 10.0.0.9; } proxy_pass http://$up; }"),
            "decides by a condition",
        ),
        (site("location / { proxy_pass http://$arg_host; }"), "depends on a variable"),
        (site("location / { proxy_pass http://unix:/run/x.sock; }"), "a socket of the host"),
        (site("location / { proxy_pass https://10.0.0.8; }"), "the gateway verifies a name; write proxy_ssl_name"),
        (
            site("location / { proxy_pass https://a.inner.cn; proxy_set_header Host b.inner.cn; }"),
            "a.inner.cn gets another name as Host, b.inner.cn",
        ),
        (
            "upstream two { server a.inner.cn; server b.inner.cn; }" + site("location / { proxy_pass http://two; }"),
            "has several names; nodes are addresses",
        ),
        (
            "upstream two { server 10.0.0.8; server 10.0.0.9 backup; }" + site("location / { proxy_pass http://two; }"),
            "none of them is a backup",
        ),
        (site(PASS, "error_page 404 = @old; location @old { proxy_pass http://10.0.0.9; }"), "after an error"),
        (site(PASS, "location = /a { proxy_pass http://10.0.0.9:8080; }"), "one single page"),
        (site("location /index.jsp { proxy_pass http://10.0.0.8; }"), "which looks like a page"),
        (
            site(
                "location / { root /srv/spa; try_files $uri /index.html; }",
                "location /api/ { proxy_pass http://10.0.0.8; }",
            ),
            "a site of files",
        ),
        (site(PASS, "location /private/ { alias /etc/ssl/; }"), "publishes whatever nginx can read there"),
        (site("location / { satisfy any; allow 10.0.0.0/8; deny all; proxy_pass http://10.0.0.8; }"), "satisfy any"),
        (site(PASS, listen="80 proxy_protocol"), "takes the PROXY protocol on a plain port"),
        (site(PASS, listen="443 ssl proxy_protocol"), "names no network of a load balancer"),
        (site(PASS) + site("root /srv;", listen="8080"), "beside server blocks that do: a site of files"),
        (site(PASS, listen=TLS) + site("location /x/ { proxy_pass http://10.0.0.7; }"), "by plain http alone"),
    ],
)
def test_a_server_block_that_no_entry_can_say_is_left_alone(text: str, reason: str) -> None:
    found = adopted(text)
    assert reason in told(found)
    assert not found.sites


def test_one_that_is_left_alone_takes_the_others_of_its_domain_with_it() -> None:
    found = adopted(site(PASS) + site("auth_basic x;", PASS, listen="9001") + site(PASS, name="b.a.edu.cn"))
    assert [block.outcome for block in found.blocks] == ["left", "left", "different"]
    assert "belongs to wx.a.edu.cn, of which another server block cannot be carried over (old/nginx.conf:2)" in told(
        found
    )


@pytest.mark.parametrize(
    ("text", "routes", "different"),
    [
        (
            site("location /a { proxy_pass http://10.0.0.8/b/; }"),
            [("/a/", "http://10.0.0.8/b/")],
            "/a/x went out as /b//x; the double slash is mended",
        ),
        (
            site("location /a/ { proxy_pass http://10.0.0.8/b; }"),
            [("/a/", "http://10.0.0.8/b/")],
            "/a/x went out as /bx; the missing slash is mended",
        ),
        (
            site("location /a { rewrite ^/a/(.*)$ /b/$1 break; proxy_pass http://10.0.0.8; }"),
            [("/a/", "http://10.0.0.8/b/")],
            "/a/ and what is below it is passed on, /ax no longer",
        ),
        (
            site("location ~ ^/(a|b)/x/ { proxy_pass http://10.0.0.8; }"),
            [("/a/x/", "http://10.0.0.8/a/x/"), ("/b/x/", "http://10.0.0.8/b/x/")],
            "the expression becomes /a/x/, /b/x/",
        ),
        (
            site("try_files $uri @app; location @app { proxy_pass http://10.0.0.8; }"),
            [("/", "http://10.0.0.8/")],
            "slb_cidrs",
        ),
        (site(PASS, listen="8080"), [("/", "http://10.0.0.8:8080/")], "has to come in on port 80, in place of 8080"),
        (
            site(PASS, "location ~ \\.php$ { fastcgi_pass x; }").replace("location / {", "location ^~ / {"),
            [("/", "http://10.0.0.8:8080/")],
            "slb_cidrs",
        ),
        (
            site("location / { proxy_pass https://10.0.0.8:8443; proxy_ssl_name a.inner.cn; }"),
            [("/", "https://a.inner.cn/")],
            "the certificate of https://a.inner.cn is verified from now on",
        ),
        (
            site(PASS, "location = /x { return 302 /y; }", "limit_req zone=one;"),
            [("/", "http://10.0.0.8:8080/")],
            '"limit_req zone=one" is left out',
        ),
        (
            site(PASS, "add_header X-A $from_map;") + "map $uri $from_map { default 1; }",
            [("/", "http://10.0.0.8:8080/")],
            "$from_map is made outside of the server block",
        ),
        (site(PASS, 'more_set_headers "Server: x";'), [("/", "http://10.0.0.8:8080/")], "no deploy installs"),
        (
            site(
                "location = / { proxy_pass http://10.0.0.8:8080; }",
                PASS,
                "location /a.jsp { proxy_pass http://10.0.0.8:8080; }",
            ),
            [("/", "http://10.0.0.8:8080/")],
            "slb_cidrs",
        ),
        (
            site(PASS, "location ^~ /WW_verify_ { root /data/verify; }"),
            [("/", "http://10.0.0.8:8080/")],
            "what is in /data/verify is not in the source",
        ),
        (
            site(PASS, "if ($http_x_forwarded_proto = http) { return 301 https://$host$request_uri; }"),
            [("/", "http://10.0.0.8:8080/")],
            'where "slb_cidrs" names the load balancer that tells of it',
        ),
        (site(PASS, "client_max_body_size 0;"), [("/", "http://10.0.0.8:8080/")], "bodies of any size passed"),
    ],
)
def test_what_will_be_different_is_told(text: str, routes: list[tuple[str, str]], different: str) -> None:
    found = adopted(text)
    (platform,) = found.platforms.values()
    assert [(row["path"], row["upstream"]) for row in platform["routes"]] == routes
    assert different in told(found)


def test_a_listener_of_the_host_s_own_programs_is_no_part_of_a_site() -> None:
    found = adopted(site(PASS) + site("stub_status;", listen="127.0.0.1:8080"))
    assert [block.outcome for block in found.blocks] == ["different", "left"]


def test_authorities_of_one_name_stay_apart() -> None:
    put("old/a/ca.pem", "a")
    put("old/b/ca.pem", "b")
    parts = [
        site(
            f"location / {{ proxy_pass https://{name}.inner.cn; proxy_ssl_trusted_certificate {name}/ca.pem; }}",
            name=f"{name}.a.edu.cn",
        )
        for name in ("a", "b")
    ]
    found = adopted("".join(parts))
    assert [dict(one.cas) for one in found.sites] == [{"ca.pem": b"a"}, {"other-ca.pem": b"b"}]


def test_what_certbot_writes_is_one_site() -> None:
    found = adopted(
        site(PASS, "include /etc/letsencrypt/options-ssl-nginx.conf;", listen=TLS)
        + site("if ($host = wx.a.edu.cn) { return 301 https://$host$request_uri; }", "return 404;")
        + "server { listen 80 default_server; server_name _; return 444; }"
    )
    assert [(one.entry["domain"], one.entry["edge"]) for one in found.sites] == [("wx.a.edu.cn", "tls")]
    assert [block.outcome for block in found.blocks] == ["different", "adopted", "left"]


def test_a_block_without_a_name_belongs_to_the_only_name_there_is() -> None:
    found = adopted(SITE + "server { listen 9001; location / { proxy_pass https://open.17wanxiao.com; } }")
    assert [one.entry["platform"] for one in found.sites] == ["wanxiao_prod"]
    two = adopted(SITE + site(PASS, name="b.a.edu.cn") + "server { listen 9001; " + PASS + " }")
    assert two.blocks[2].outcome == "left"


def test_the_second_of_a_name_and_port_is_passed_over_as_nginx_does() -> None:
    found = adopted(site(PASS) + site("root /srv;"))
    assert [block.outcome for block in found.blocks] == ["different", "left"]
    assert "nginx passes it over" in told(found)


def test_a_second_on_an_address_of_its_own_is_told_so() -> None:
    found = adopted(site(PASS, listen="10.0.0.1:80") + site(PASS, listen="10.0.0.2:80"))
    assert [block.outcome for block in found.blocks] == ["different", "left"]
    assert "answers for wx.a.edu.cn on an address of its own, and old/nginx.conf:1 on another" in told(found)


@pytest.mark.parametrize(
    "directive",
    [
        "add_header X-Key hunter2;",
        "set $key hunter2;",
        'proxy_set_header Authorization "Basic hunter2";',
        'proxy_set_header X-Key "hunter2 $remote_addr";',
        "location /b/ { if ($http_x_key = hunter2) { return 403; } proxy_pass http://10.0.0.8:8080; }",
    ],
)
def test_no_value_that_may_be_a_password_is_told(directive: str) -> None:
    """The folder has it where an upstream needs it; a terminal's or a forge's log is read by more people."""
    put("old.conf", site(PASS, directive))
    done = run("old.conf", "--out", "new")
    assert "old.conf:1: " in done.output
    assert "hunter2" not in done.output
    assert "hunter2" not in run("old.conf", "--out", "newer", "--json").output


def test_a_longer_wait_makes_a_copy_of_a_known_platform() -> None:
    nine = site("location / { proxy_pass https://open.17wanxiao.com; }", listen="9001")
    found = adopted(SITE.replace("location", "proxy_read_timeout 300; location") + nine)
    assert found.sites[0].entry["platform"] == "wanxiao_prod_300s"
    assert found.platforms["wanxiao_prod_300s"] == {**PLATFORMS["wanxiao_prod"], "read_timeout": 300}


def test_a_balancer_of_layer_4_becomes_a_key_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    put(
        "old.conf",
        site("set_real_ip_from 10.0.0.0/24; real_ip_header proxy_protocol;", PASS, listen="443 ssl proxy_protocol"),
    )
    assert run("old.conf", "--out", "new").exit_code == 0
    monkeypatch.chdir("new")
    (host,) = loading.load("inventory/prod.py", certificates=False).hosts
    assert host.proxy_protocol == ("10.0.0.0/24",)


def test_an_authority_of_ones_own_is_taken_along(monkeypatch: pytest.MonkeyPatch) -> None:
    put("old/ca.pem", LEAF.pem)
    put(
        "old/nginx.conf",
        site(
            "location / { proxy_pass https://a.inner.cn; proxy_ssl_trusted_certificate ca.pem; proxy_ssl_verify on; }"
        ),
    )
    assert run("old", "--out", "new").exit_code == 0
    assert Path("new/files/ca/ca.pem").read_bytes() == LEAF.pem
    assert '"ca": "files/ca/ca.pem"' in Path("new/group_data/all.py").read_text()


def test_a_site_with_pages_of_its_own_is_left_alone_where_they_can_be_seen() -> None:
    put("old/html/WW_verify_AbCdEfGh12345678.txt", "AbCdEfGh12345678")
    text = site("location / { root html; index index.html; }", "location /b/ { proxy_pass http://10.0.0.8; }")
    found = adopted(text)
    assert dict(found.sites[0].verify) == {"WW_verify_AbCdEfGh12345678.txt": b"AbCdEfGh12345678"}
    put("old/html/news.html", "x")
    assert "files of the host are served from html: news.html" in told(adopted(text))


def test_the_shipped_platforms_stay_in_the_folder_and_own_ones_come_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of group_data/ that are shipped name them, and are there too."""
    put("old.conf", site(PASS, name="b.a.edu.cn"))
    assert run("old.conf", "--out", "new").exit_code == 0
    found = runpy.run_path("new/group_data/all.py")
    own = {"b_a_edu_cn": {"routes": [{"port": "entry", "path": "/", "upstream": "http://10.0.0.8:8080/"}]}}
    assert found["platforms"] == {**PLATFORMS, **own}


def test_a_platform_of_ones_own_never_has_the_name_of_a_shipped_one() -> None:
    (one,) = adopted(site(PASS, name="wanxiao.prod")).sites
    assert one.entry["platform"] == "wanxiao_prod_2"
