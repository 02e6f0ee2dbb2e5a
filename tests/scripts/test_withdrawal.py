"""A host for which the inventory has nothing left: nginx is what it was before the gateway came."""

from __future__ import annotations

import hashlib

import pytest

from gateway.nginx import release as releases
from gateway.nginx.build import Build
from gateway.nginx.release import File
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree

from .host_stage import GIVES_UP, NGINX_CONF, Stage


@pytest.fixture
def host(tmp_path, parse) -> Stage:
    """One site in force."""
    made = Stage(tmp_path / "host")
    made.install_nginx()
    parsed, _ = parse({"domain": "a.edu.cn", "edge": "slb", "platform": "wanxiao_prod"})
    files = tree(parsed, Build(Version((1, 22, 1)))) | {"ports": File(b""), "upstreams": File(b"")}
    built = releases.build(files)
    assert made.publish(built).returncode == 0
    done = made.activate(built.id)
    assert done.returncode == 0, done.stderr
    assert made.serves == built.id
    return made


def _theirs(host: Stage) -> str:
    return (host.root / "etc/nginx/nginx.conf").read_text().replace(str(host.root), "")


def test_nginx_is_as_it_was_and_nothing_of_the_gateway_runs(host):
    assert _theirs(host) != NGINX_CONF
    done = host.run("withdraw", instead=GIVES_UP)
    assert done.returncode == 0, done.stderr
    assert _theirs(host) == NGINX_CONF
    assert host.serves is host.current is None
    left = [path for path in (host.root / "etc").rglob("*wecom-gateway*") if host.home not in (path, *path.parents)]
    assert left == []
    calls = (host.told / "calls").read_text().splitlines()
    assert "systemctl stop wecom-gateway-resolve.timer" in calls
    assert calls[-1] == "systemctl daemon-reload"


@pytest.mark.parametrize("ran_before", [True, False])
def test_a_welcome_page_that_was_served_before_the_gateway_is_served_after_it(tmp_path, parse, ran_before):
    """Of an nginx that the deploy itself has installed it is not, and never was."""
    made = Stage(tmp_path / "host")
    made.install_nginx()
    nginx = made.root / "etc/nginx"
    (nginx / "sites-available").mkdir()
    page = nginx / "sites-available/default"
    page.write_text("server { listen 80 default_server; }\n")
    (nginx / "sites-enabled/default").symlink_to(page)
    # as dpkg has it: the conffile as it was shipped
    digest = hashlib.md5(page.read_bytes(), usedforsecurity=False).hexdigest()
    with (made.told / "packages").open("a") as file:
        file.write(f" {page} {digest}\n")
    if ran_before:
        (made.told / "active").touch()
    parsed, _ = parse({"domain": "a.edu.cn", "edge": "slb", "platform": "wanxiao_prod"})
    built = releases.build(tree(parsed, Build(Version((1, 22, 1)))) | {"ports": File(b""), "upstreams": File(b"")})
    assert made.publish(built).returncode == 0
    assert made.activate(built.id).returncode == 0
    assert not (nginx / "sites-enabled/default").exists()
    done = made.run("withdraw", instead="reload_nginx() { :; }")
    assert done.returncode != 0
    assert not (nginx / "sites-enabled/default").exists()
    done = made.run("withdraw", instead=GIVES_UP)
    assert done.returncode == 0, done.stderr
    assert (nginx / "sites-enabled/default").exists() is ran_before
    assert not (made.home / "had-stock-site").exists()


def test_the_last_release_can_come_back(host):
    (last,) = host.history
    assert host.run("withdraw", instead=GIVES_UP).returncode == 0
    done = host.activate(last, purpose="rollback")
    assert done.returncode == 0, done.stderr
    assert host.serves == host.current == last


def test_where_nginx_would_not_load_without_it_all_stays(host):
    before = _theirs(host)
    (host.told / "says").write_text("nginx: [emerg] theirs\n")
    (host.told / "refuses").touch()
    done = host.run("withdraw", instead=GIVES_UP)
    assert done.returncode != 0
    assert "nginx would not load without the gateway" in done.stderr
    assert "[emerg] theirs" in done.stderr
    assert (host.serves, _theirs(host)) == (host.current, before)
    assert host.entry.is_symlink()


def test_where_the_running_nginx_goes_on_with_it_it_is_included_again(host):
    before = _theirs(host)
    done = host.run("withdraw", instead="reload_nginx() { :; }")
    assert done.returncode != 0
    assert f"the gateway is not taken out of nginx; {host.current} goes on" in done.stderr
    assert (host.serves, _theirs(host)) == (host.current, before)
    assert host.entry.is_symlink()


def test_where_nginx_was_removed_with_its_main_file_the_rest_goes_too(host):
    (host.root / "etc/nginx/nginx.conf").unlink()
    (host.told / "active").unlink()
    done = host.run("withdraw", instead=GIVES_UP)
    assert done.returncode == 0, done.stderr
    left = [path for path in (host.root / "etc").rglob("*wecom-gateway*") if host.home not in (path, *path.parents)]
    assert left == []
    assert host.current is None
