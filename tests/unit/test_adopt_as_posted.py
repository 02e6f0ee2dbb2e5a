"""`adopt` on configurations of the kinds that people post and copy: nothing of them is lost without a word."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

from .adopting import PASS, SITE, adopted, here, put, run, site, told

__all__ = ["here"]

DEBIAN = "include /etc/nginx/modules-enabled/*.conf;\nhttp { include /etc/nginx/sites-enabled/*; }\n"
RPM = "include /usr/share/nginx/modules/*.conf;\nhttp { include /etc/nginx/sites-enabled/*; }\n"


# what it reads


@pytest.mark.parametrize("main", [DEBIAN, RPM])
def test_a_copied_folder_without_the_modules_folder_is_read(main: str) -> None:
    """The pattern of a folder that was not copied means no file of another one."""
    put("old/nginx.conf", main)
    put("old/sites-enabled/school", SITE)
    done = run("old", "--out", "new")
    assert done.exit_code == 0, done.output
    assert "old/sites-enabled/school:1: wx.a.edu.cn [80]: adopted" in done.output
    assert "not read" not in done.output


def test_a_file_that_includes_itself_is_read_but_for_that() -> None:
    put("old/nginx.conf", f"http {{ include nginx.conf; {SITE} }}")
    done = run("old", "--out", "new")
    assert "old/nginx.conf:1: wx.a.edu.cn [80]: adopted" in done.output
    assert "not read: old/nginx.conf:1: old/nginx.conf includes itself" in done.output


@pytest.mark.parametrize("given", ["old", ".", "nginx.conf"])
def test_a_pattern_without_a_folder_means_the_folder_itself(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put("old/nginx.conf", "http { include *.vhost; }")
    put("old/a.vhost", SITE)
    if given != "old":
        monkeypatch.chdir("old")
    assert "a.vhost:1: wx.a.edu.cn [80]: adopted" in run(given, "--out", "../new").output


def test_an_included_file_may_be_empty() -> None:
    """Panels make an empty file of rewrites for every site."""
    put("old/nginx.conf", f"http {{ {site(PASS, 'include rewrite/a.conf;')} }}")
    put("old/rewrite/a.conf", "")
    done = run("old", "--out", "new")
    assert done.exit_code == 0
    assert "not read" not in done.output


@pytest.mark.parametrize("before", ["", "nginx: [warn] conflicting server name\n" * 3])
def test_what_nginx_printed_in_place_of_a_configuration_is_told(before: str) -> None:
    put("old.txt", f"{before}nginx: [emerg] cannot load certificate\nnginx: configuration file test failed\n")
    assert 'nginx printed no configuration: "nginx: [emerg] cannot load' in run("old.txt", "--out", "new").output


# what becomes of it


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            site(
                "location / { proxy_pass http://10.0.0.8; error_page 502 = @other; }",
                "location @other { proxy_pass http://10.0.0.9; }",
            ),
            '"error_page 502 = @other": asks somebody else after an error',
        ),
        (site(PASS, listen="8000-8010"), '"listen 8000-8010": is no port, or several'),
        (site(PASS, listen="10.0.0.5:8000-8010"), '"listen 10.0.0.5:8000-8010": is no port, or several'),
    ],
)
def test_what_no_entry_can_say_is_left_alone(text: str, reason: str) -> None:
    found = adopted(text)
    assert not found.sites
    assert reason in told(found)


UNDERSCORES = "request headers with _ in their names are no longer passed on"


@pytest.mark.parametrize(
    ("text", "different"),
    [
        (site(PASS, "underscores_in_headers on;"), UNDERSCORES),
        (f"http {{ underscores_in_headers on; {site(PASS)} }}", UNDERSCORES),
        (site(PASS, "ignore_invalid_headers off;"), "request headers with odd names are no longer passed on"),
        (site(PASS, "proxy_cookie_path / '/; HttpOnly; Secure';"), "cookies no longer get HttpOnly; Secure"),
        (site(PASS, "merge_slashes off;"), "// in a path counts as one slash"),
        (site(PASS, "add_header Alt-Svc 'h3=\":443\"';"), '"add_header Alt-Svc ..." is left out: HTTP/3 is gone'),
        (site("location / { set $who x; proxy_pass http://10.0.0.8; add_header X-A $who; }"), "$who is set elsewhere"),
        (site(PASS, "set $who x;", "add_header X-A $who;"), "$who is set elsewhere"),
        (
            site("location ~ ^/(a|b)/ { proxy_pass http://10.0.0.8; proxy_set_header X-A $1; }"),
            "$1 is what an expression matched",
        ),
    ],
)
def test_what_would_be_lost_is_told(text: str, different: str) -> None:
    found = adopted(text)
    assert different in told(found)
    assert [one.own for one in found.sites] == [""]


@pytest.mark.parametrize("text", ["underscores_in_headers off;", "ignore_invalid_headers on;", "merge_slashes on;"])
def test_what_the_gateway_says_too_is_no_difference(text: str) -> None:
    assert "no longer" not in told(adopted(site(PASS, text)))


def test_what_is_set_to_another_variable_goes_along() -> None:
    (one,) = adopted(site(PASS, "set $who $host;", "add_header X-A $who;")).sites
    assert "set $who $host;" in one.own
    assert "add_header X-A $who;" in one.own


def test_an_upstream_that_got_its_own_name_gets_it_still() -> None:
    found = adopted(
        "upstream hub { server hub.17wanxiao.com:443; }"
        + site("location / { proxy_pass https://hub; proxy_set_header Host hub.17wanxiao.com; }")
    )
    assert "its own name as Host" not in told(found)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("ssl/pipe.pem", "ssl/pipe.pem is no regular file"),
        (
            '"data:-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n-----END PRIVATE KEY-----"',
            "stands in the configuration itself",
        ),
        ("engine:pkcs11:school", "stands in no file"),
    ],
)
def test_a_key_that_is_in_no_file_is_told_and_never_shown(key: str, why: str) -> None:
    Path("old/ssl").mkdir(parents=True)
    os.mkfifo("old/ssl/pipe.pem")
    pair = ("ssl_certificate ssl/pipe.pem;", f"ssl_certificate_key {key};", "ssl_password_file /etc/keys/words;")
    put("old/nginx.conf", f"http {{ {site(PASS, *pair, listen='443 ssl')} }}")
    done = run("old", "--out", "new")
    assert why in done.output
    assert "MIGHAgEA" not in done.output
    assert "PRIVATE KEY" not in done.output
    assert not Path("new/files/nginx/wx.a.edu.cn.conf").exists()


# what it writes


@pytest.mark.parametrize("name", ["x\nfaults = 1 #.conf", "x\udce9.conf"])
def test_the_name_of_a_file_is_no_code(name: str) -> None:
    put("old/nginx.conf", "http { include c/*.conf; }")
    put(f"old/c/{name}", site(PASS, "gunzip on;"))
    done = run("old", "--out", "new")
    assert done.exit_code == 0, done.output
    tree = ast.parse(Path("new/inventory/prod.py").read_text())
    assert [type(one) for one in tree.body] == [ast.Expr, ast.ImportFrom, ast.AnnAssign]
    own = Path("new/files/nginx/wx.a.edu.cn.conf").read_text().splitlines()
    assert [line for line in own if not line.startswith("#")] == ["gunzip on;"]


@pytest.mark.parametrize("host", ["ops@203.0.113.10", "203.0.113.10:22", "a b", "", "\udce9"])
def test_a_host_that_is_none_is_refused(host: str) -> None:
    put("old", SITE)
    done = run("old", "--out", "new", f"--host={host}")
    assert done.exit_code == 1
    assert "is no host name or address; right would be" in done.output
    assert not Path("new").exists()
