"""Sites that stay on their host: which files a deploy puts aside."""

from __future__ import annotations

import json

import pytest

from gateway.adopt import replacing
from gateway.fleet.loading import load

from .adopting import adopted, here, run

# pytest finds the fixture by its name here.
__all__ = ["here"]

SCHOOL = """
# configuration file /etc/nginx/nginx.conf:
http { include conf.d/*.conf; %s }
# configuration file /etc/nginx/conf.d/school.conf:
server { listen 80; server_name a.edu.cn; location / { proxy_pass https://hub.17wanxiao.com/; } }
%s
# configuration file /etc/nginx/conf.d/www.conf:
server { listen 80; server_name www.edu.cn; location ~ php$ { fastcgi_pass unix:/run/php.sock; } }
"""
PHP = "server { listen 80; server_name php.edu.cn; location ~ php$ { fastcgi_pass unix:/run/php.sock; } }"
OWN = "server { listen 80; server_name b.edu.cn; location / { proxy_pass https://hub.17wanxiao.com/; } }"


def _replaced(text: str):
    return replacing.replaced(adopted(text).blocks)


def test_a_file_of_which_every_server_was_adopted_is_put_aside():
    assert _replaced(SCHOOL % ("", "")) == (["/etc/nginx/conf.d/school.conf"], [])


def test_a_file_with_a_server_that_is_left_alone_stays_and_says_by_which_line():
    files, kept = _replaced(SCHOOL % ("", PHP))
    assert files == []
    (told,) = kept
    assert str(told).startswith("/etc/nginx/conf.d/school.conf:")
    assert "has a server that is left alone (line 2)" in told.text
    assert "move the servers of a.edu.cn into a file of their own" in told.text


def test_the_main_file_stays():
    files, (told,) = _replaced(SCHOOL % (OWN, ""))
    assert files == ["/etc/nginx/conf.d/school.conf"]
    assert told.file == "/etc/nginx/nginx.conf"
    assert "is nginx's main file, which stays" in told.text


@pytest.mark.parametrize("stays", [True, False])
def test_the_entry_names_them_where_the_sites_stay(tmp_path, monkeypatch, stays):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.txt").write_text(SCHOOL % ("", ""))
    done = run("old.txt", "--out", "school", "--host", "203.0.113.7", *(["--in-place"] if stays else []))
    assert done.exit_code == 0
    assert ("put aside by a deploy: /etc/nginx/conf.d/school.conf" in done.stdout) is stays
    monkeypatch.chdir(tmp_path / "school")
    fleet = load("inventory/prod.py", certificates=False)
    assert fleet.hosts[0].replaces == (("/etc/nginx/conf.d/school.conf",) if stays else ())


def test_programs_are_told_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.txt").write_text(SCHOOL % (OWN, ""))
    done = run("old.txt", "--out", "school", "--in-place", "--json")
    told = json.loads(done.stdout)
    assert told["replaces"] == ["/etc/nginx/conf.d/school.conf"]
    assert [one["file"] for one in told["kept"]] == ["/etc/nginx/nginx.conf"]
