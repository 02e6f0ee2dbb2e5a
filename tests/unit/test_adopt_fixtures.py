"""Configurations of the kinds that schools have, each with the entry that has to come out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.adopt import adopting, reading, source, writing
from gateway.adopt.adopting import Adoption
from gateway.fleet import loading
from gateway.problems import errors
from tests.conftest import REPO

HERE = REPO / "tests/adopt"


def adopted(name: str, *domains: str, root: Path | None = None) -> Adoption:
    files = source.read(HERE / name, root)
    return adopting.adopt(reading.read(files), files, domains)


def entries(adoption: Adoption) -> list[dict[str, Any]]:
    return [dict(one.entry) for one in adoption.sites]


def told(adoption: Adoption) -> str:
    return "\n".join(str(finding) for block in adoption.blocks for finding in block.findings)


CASES: dict[str, tuple[tuple[str, ...], list[dict[str, Any]]]] = {
    "campus-slb.conf": (
        ("api.59wanmei.com",),
        [{"domain": "api.59wanmei.com", "edge": "slb", "platform": "wanxiao_test"}],
    ),
    "campus-tls.conf": ((), [{"domain": "api.59wanmei.com", "edge": "tls", "platform": "wanxiao_test"}]),
    "bk-itsm.conf": (
        (),
        [
            {
                "domain": "itsm.exter.com",
                "edge": "tls",
                "platform": "bkitsm",
                "bk": {"upstream": "https://paas.inner.com", "apps": ["itsm"], "envs": ["o", "t"]},
            }
        ],
    ),
    "from-source": ((), [{"domain": "wx.school.edu.cn", "edge": "tls", "platform": "wanxiao_prod"}]),
    "panel.txt": (
        (),
        [{"domain": "card.school.edu.cn", "edge": "tls", "platform": "card_school_edu_cn", "hsts": 31536000}],
    ),
    "blueking-nodes.conf": (
        (),
        [
            {
                "domain": "itsm.example.com",
                "edge": "slb",
                "platform": "bkitsm",
                "slb_cidrs": ["10.0.0.0/24"],
                "bk": {
                    "upstream": "http://paas.inner.example.com",
                    "apps": ["bk_itsm"],
                    "extra_paths": ["/o/bk_itsm/jsi18n/"],
                    "nodes": ["10.30.211.116:8080", "10.30.211.117:8080"],
                },
            }
        ],
    ),
    "own-app.conf": (
        (),
        [
            {
                "domain": domain,
                "edge": "slb",
                "platform": "oa_school_edu_cn",
                "allow": ["10.0.0.0/8", "172.16.0.0/12"],
                "max_body": "100m",
            }
            for domain in ("oa.school.edu.cn", "app.school.edu.cn")
        ],
    ),
    "verification": ((), [{"domain": "wx.verify.edu.cn", "edge": "slb", "platform": "wanxiao_test"}]),
    "balancer.conf": (
        (),
        [
            {
                "domain": domain,
                "edge": "slb",
                "platform": "wanxiao_prod",
                "slb_cidrs": ["10.0.0.0/24", "100.64.0.0/10"],
            }
            for domain in ("wx.school-a.edu.cn", "wx.school-b.edu.cn")
        ],
    ),
    "monitoring.conf": (
        (),
        [
            {
                "domain": "ops.example.com",
                "edge": "slb",
                "platform": "ops_example_com",
                "slb_cidrs": ["10.0.0.0/24"],
            }
        ],
    ),
}

PLATFORMS: dict[str, dict[str, Any]] = {
    "panel.txt": {
        "routes": [{"port": "entry", "path": "/", "upstream": "http://10.30.211.116:8080/", "host": "domain"}],
    },
    "own-app.conf": {
        "routes": [
            {
                "port": "entry",
                "path": "/",
                "upstream": "http://oa/",
                "nodes": ["10.1.2.3:7001", "10.1.2.4:7001"],
                "host": "domain",
                "headers": {"X-App-Region": "east"},
            }
        ],
        "read_timeout": 300,
    },
    "monitoring.conf": {
        "routes": [
            {
                "port": "entry",
                "path": "/xxxxx/bkmonitor/",
                "upstream": "https://paas.inner.example.com/o/bk_monitorv3/weixin/",
                "guarded": True,
                "headers": {"X-Original-URI": "{path}"},
            },
            {
                "port": "entry",
                "path": "/xxxxx/bkmonitor/static/",
                "upstream": "https://paas.inner.example.com/o/bk_monitorv3/static/weixin/",
                "guarded": True,
                "headers": {"X-Original-URI": "{path}"},
            },
        ],
        "read_timeout": 180,
        "domain_headers": ["X-Forwarded-Weixin-Host"],
    },
}


@pytest.mark.parametrize("name", CASES)
def test_an_entry_comes_out_of_each_kind(name: str) -> None:
    domains, expected = CASES[name]
    found = adopted(name, *domains)
    assert entries(found) == expected
    assert not found.unread
    if name in PLATFORMS:
        assert list(found.platforms.values()) == [PLATFORMS[name]]


@pytest.mark.parametrize("name", CASES)
def test_what_is_written_passes_check_but_for_certificates(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = adopted(name, *CASES[name][0])
    writing.write(tmp_path / "out", found, "203.0.113.10")
    monkeypatch.chdir(tmp_path / "out")
    monkeypatch.setattr("pyinfra_cli.util.PYTHON_CODES", {})  # it remembers files by a name without a folder
    fleet = loading.load("inventory/prod.py")
    assert {problem.field for problem in errors(fleet.problems)} <= {"cert"}
    whole = loading.load("inventory/prod.py", certificates=False)
    assert [site.domain for host in whole.hosts for site in host.sites] == [one["domain"] for one in CASES[name][1]]


def test_the_samples_bugs_are_mended_and_told() -> None:
    texts = told(adopted("campus-tls.conf"))
    assert "campus-tls.conf:22: /bserver/x went out as /b-server//x; the double slash is mended" in texts
    assert "campus-tls.conf:11: TLSv1, TLSv1.1 are gone" in texts
    assert "campus-tls.conf:23: the certificate of https://api.17wanxiao.com is verified from now on" in texts


def test_a_block_without_a_name_needs_one() -> None:
    (left, *_) = adopted("campus-slb.conf").blocks
    assert (left.outcome, left.line) == ("left", 2)
    assert "--domain NAME says which is meant" in left.findings[0].text


def test_files_of_the_host_are_found_below_root() -> None:
    found = adopted("from-source", root=HERE / "from-source")
    assert dict(found.sites[0].verify) == {"WW_verify_AbCdEfGh12345678.txt": b"AbCdEfGh12345678"}


def test_every_way_to_hand_out_a_verification_file() -> None:
    found = adopted("verification")
    assert dict(found.sites[0].verify) == {
        "WW_verify_AAAAAAAAAAAAAAAA.txt": b"A" * 16,
        "WW_verify_BBBBBBBBBBBBBBBB.txt": b"B" * 16,
        "WW_verify_CCCCCCCCCCCCCCCC.txt": b"C" * 16,
        "MP_verify_DDDDDDDDDDDDDDDD.txt": b"D" * 16,
    }
    assert "site.conf:9: answered for any file that was asked for" in told(found)
    assert "site.conf:11: web/gone.txt is not in the source" in told(found)


def test_what_a_panel_writes_is_understood() -> None:
    found = adopted("panel.txt")
    outcomes = {block.names: block.outcome for block in found.blocks}
    assert outcomes == {
        ("phpmyadmin",): "left",
        ("_",): "left",
        ("card.school.edu.cn",): "different",
        ("www.school.edu.cn",): "left",
    }
    assert dict(found.sites[0].verify) == {"WW_verify_Zy9876543210AbCd.txt": b"Zy9876543210AbCd"}
    assert found.sites[0].own.endswith("add_header X-Cache $upstream_cache_status;\n")
    assert "/www/server/nginx/conf/enable-php.conf:4" in told(found)


def test_what_no_key_says_goes_into_a_file_of_the_domain() -> None:
    found = adopted("own-app.conf")
    lines = [line for line in found.sites[0].own.splitlines() if not line.startswith("#")]
    assert lines == [
        "add_header X-Frame-Options SAMEORIGIN;",
        r"location ~ /\.(git|svn) {",
        "    deny all;",
        "}",
        "location = /nginx_status {",
        "    stub_status;",
        "    allow 127.0.0.1;",
        "    deny all;",
        "}",
    ]
    texts = told(found)
    assert 'own-app.conf:2: "ip_hash" is gone' in texts
    assert "own-app.conf:3: no longer answered: *.oa.school.edu.cn" in texts
    assert 'own-app.conf:10: "add_header X-Frame-Options ..." goes into files/nginx/oa.school.edu.cn.conf' in texts


LEFT = {
    1: "fastcgi_pass",
    2: "rewrite ^/a/(.*)$ /b/$1",
    3: "if ($http_user_agent ~ MicroMessenger)",
    4: "access_by_lua_block",
    5: "ssl_client_certificate",
    6: "a site of files",
    7: "regular expression",
    8: "auth_basic",
    9: "one single page",
    10: "no site can have the name 10.0.0.9",
    11: "programs of this host alone",
    12: "is a public address",
    13: "a location in a location",
    14: "https://other.example.com$request_uri",
    15: "sends visitors on to https, and nothing here answers them there",
    16: "names no domain",
    17: "is no web server",
}


def test_what_cannot_be_carried_over_is_left_alone_with_reason_and_line() -> None:
    found = adopted("left-alone.conf")
    assert not found.sites
    assert {block.line: block.outcome for block in found.blocks} == dict.fromkeys(LEFT, "left")
    for block in found.blocks:
        assert LEFT[block.line] in "; ".join(finding.text for finding in block.findings)
        assert all(finding.line == block.line for finding in block.findings)
