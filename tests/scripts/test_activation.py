"""A release comes into force whole or not at all: the script that does it, on a host made of folders."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from gateway.nginx import release as releases
from gateway.nginx.build import Build
from gateway.nginx.release import File, Release
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree

from .host_stage import NGINX_CONF, Stage

ORIGIN = f"{'c' * 40} 2026-11-20T09:12:33+08:00 main clean wang@desk"


@pytest.fixture
def host(tmp_path) -> Stage:
    """An nginx runs there, with its own configuration alone."""
    made = Stage(tmp_path / "host")
    made.install_nginx()
    (made.told / "active").touch()
    return made


@pytest.fixture
def put(host, parse) -> Callable[..., Release]:
    """put("a.edu.cn", ...): the release of those sites, published. `ports` are what it needs beside none."""

    def publish(*domains: str, ports: tuple[str, ...] = ()) -> Release:
        parsed, problems = parse(*({"domain": one, "edge": "slb", "platform": "wanxiao_prod"} for one in domains))
        assert not problems
        files = dict(tree(parsed, Build(Version((1, 22, 1)))))
        # ports and names of this machine are none of the test's
        files |= {"ports": File("".join(f"{port}\n" for port in ports).encode()), "upstreams": File(b"")}
        built = releases.build(files)
        done = host.publish(built)
        assert done.returncode == 0, done.stderr
        return built

    return publish


def _loaded(host: Stage) -> bool:
    calls = (host.told / "calls").read_text() if (host.told / "calls").exists() else ""
    return "systemctl kill --signal=HUP" in calls or "systemctl start nginx" in calls


def _in_force(host: Stage, release: Release) -> bool:
    told = (host.home / "activated").read_text().strip()
    return host.current == host.serves == told == release.id


@pytest.fixture
def first(host, put) -> Release:
    """A release that is in force."""
    release: Release = put("a.edu.cn")
    done = host.activate(release.id, origin=ORIGIN)
    assert done.returncode == 0, done.stderr
    (host.told / "calls").unlink()
    return release


def test_a_release_comes_into_force_and_is_remembered(host, first):
    assert _in_force(host, first)
    assert host.history == [first.id]
    assert host.entry.readlink().name == "gateway.conf"
    assert host.entry.resolve() == (host.folder(first.id) / "gateway.conf").resolve()
    conf = (host.root / "etc/nginx/nginx.conf").read_text()
    assert "worker_connections 16384;" in conf
    assert " # 768 before wecom-gateway\n" in conf
    assert (host.home / "origins" / first.id).read_text().startswith(f"{ORIGIN} 20")


def test_it_is_proven_by_asking_the_running_nginx(host, first, put):
    """nginx takes a reload and keeps its old configuration where it cannot have the new one."""
    (host.told / "deaf").touch()
    second = put("a.edu.cn", "b.edu.cn")
    done = host.activate(second.id)
    assert done.returncode != 0
    assert f"the running nginx did not take release {second.id}" in done.stderr
    assert f"release {first.id} is in force again" in done.stderr
    assert _in_force(host, first)
    assert host.history == [first.id]


def test_a_copy_of_nginx_conf_with_the_line_does_not_bring_it_back_beside_a_link(host, first, put):
    """An activation that went from the line to the link was killed, and the next one fails."""
    main = host.root / "etc/nginx/nginx.conf"
    line = f"include {host.home}/current/gateway.con[f]; # wecom-gateway"
    now = main.read_text().replace("sites-enabled/*; }", "sites-enabled/*;\n}")
    main.write_text(now)
    (host.home / "nginx.conf.before").write_text(now.removesuffix("}\n") + f"    {line}\n}}\n")
    second = put("a.edu.cn", "b.edu.cn")
    (host.told / "deaf").touch()
    assert host.activate(second.id).returncode != 0
    assert _in_force(host, first)
    assert line not in main.read_text()
    assert not (host.home / "nginx.conf.before").exists()
    assert host.entry.is_symlink()


def test_what_nginx_refuses_is_never_switched_to(host, first, put):
    second = put("b.edu.cn")
    (host.told / "refuses").touch()
    (host.told / "says").write_text("nginx: [emerg] unknown directive\n")
    done = host.activate(second.id)
    assert done.returncode != 0
    assert "nginx refuses the new release; the old one goes on" in done.stderr
    assert "unknown directive" in done.stderr
    assert _in_force(host, first)
    assert not _loaded(host)


def test_the_operators_own_file_that_nginx_refuses_without_naming_it_is_named(host, first, parse, files):
    (files / "nginx").mkdir()
    (files / "nginx/a.edu.cn.conf").write_text("add_header X-A $host;\n")
    (files / "nginx/b.edu.cn.conf").write_text("add_header X-School $schol;\n")
    sites = ({"domain": f"{name}.edu.cn", "edge": "slb", "platform": "wanxiao_prod"} for name in "abc")
    parsed, problems = parse(*sites)
    assert not problems
    made = dict(tree(parsed, Build(Version((1, 22, 1))))) | {"ports": File(b""), "upstreams": File(b"")}
    second = releases.build(made)
    assert host.publish(second).returncode == 0
    (host.told / "refused words").write_text("schol")
    done = host.activate(second.id)
    assert done.returncode != 0
    assert "the old one goes on: it takes it without what is in files/nginx/b.edu.cn.conf:\n" in done.stderr
    assert 'unknown "schol"' in done.stderr
    assert _in_force(host, first)
    held = host.home / "releases" / second.id / "files/nginx"
    assert {path.name: path.read_bytes() for path in held.iterdir()} == {
        f"{name}.edu.cn.conf": (files / f"nginx/{name}.edu.cn.conf").read_bytes() for name in "ab"
    }


def test_a_configuration_that_is_broken_already_is_told_as_that(host, put):
    release = put("a.edu.cn")
    (host.told / "broken").write_text("nginx: [emerg] theirs\n")
    done = host.activate(release.id)
    assert "broken already, without this release" in done.stderr
    assert host.current is None


def test_a_release_that_nginx_would_never_read_is_not_switched_to(host, put):
    release = put("a.edu.cn")
    (host.told / "blind").touch()
    done = host.activate(release.id)
    assert done.returncode != 0
    assert "would never serve what is in it" in done.stderr
    assert host.current is None
    assert not _loaded(host)


def test_a_port_that_somebody_else_holds_stops_it_before_anything_changes(host, first, put):
    with socket.create_server(("127.0.0.1", 0)) as theirs:
        port = theirs.getsockname()[1]
        second = put("b.edu.cn", ports=(str(port),))
        done = host.activate(second.id)
    assert done.returncode != 0
    assert f"port {port} is held by " in done.stderr
    assert _in_force(host, first)
    assert not _loaded(host)
    assert host.activate(second.id).returncode == 0, "and free again it is taken"


@pytest.mark.parametrize(("own", "free"), [("127.0.0.1 0100007F", False), ("127.0.0.2 0200007F", True)])
def test_a_listener_of_one_address_needs_that_address_alone(host, put, own, free):
    with socket.create_server(("127.0.0.1", 0)) as theirs:
        release = put("b.edu.cn", ports=(f"{theirs.getsockname()[1]} {own}",))
        assert (host.activate(release.id).returncode == 0) == free


def test_a_site_of_somebody_elses_with_the_same_name_on_the_same_port_stops_it(host, first, put):
    port = "64999"
    second = put("b.edu.cn", ports=(port,))
    says = host.told / "says"
    says.write_text(f'nginx: [warn] conflicting server name "b.edu.cn" on 0.0.0.0:{port}, ignored\n')
    done = host.activate(second.id)
    assert "one of the two would never answer" in done.stderr
    assert _in_force(host, first)
    # what two sites of others share, or share on a port of theirs, is no matter of ours
    says.write_text(
        f'nginx: [warn] conflicting server name "theirs.edu.cn" on 0.0.0.0:{port}, ignored\n'
        'nginx: [warn] conflicting server name "b.edu.cn" on 0.0.0.0:8080, ignored\n'
    )
    assert host.activate(second.id).returncode == 0


def test_a_first_deploy_that_fails_leaves_the_host_as_it_was(host, put):
    release = put("a.edu.cn")
    (host.told / "deaf").touch()
    done = host.activate(release.id)
    assert done.returncode != 0
    assert "what was there before is in force again" in done.stderr
    assert host.current is None
    assert not host.entry.exists()
    assert not host.entry.is_symlink()
    assert (host.root / "etc/nginx/nginx.conf").read_text().count("worker_connections 768;") == 1
    assert (host.told / "active").exists()


def test_an_nginx_that_was_stopped_is_stopped_again_after_a_failure(host, put):
    release = put("a.edu.cn")
    (host.told / "active").unlink()
    (host.told / "deaf").touch()
    assert "nginx is stopped, as it was" in host.activate(release.id).stderr
    assert not (host.told / "active").exists()


def test_a_release_that_was_never_published_is_not_switched_to(host, first):
    done = host.activate("f" * 16)
    assert "is not on this host" in done.stderr
    assert _in_force(host, first)


def test_a_rollback_keeps_the_order_and_a_deploy_after_it_leaves_out_what_was_rolled_back_from(host, first, put):
    second = put("b.edu.cn")
    assert host.activate(second.id).returncode == 0
    assert host.activate(first.id, "rollback").returncode == 0
    assert host.history == [first.id, second.id]
    assert _in_force(host, first)
    third = put("c.edu.cn")
    assert host.activate(third.id).returncode == 0
    assert host.history == [first.id, third.id]


def test_five_releases_are_kept_and_no_key_of_an_older_one(host, put):
    made = [put(f"s{number}.edu.cn") for number in range(6)]
    waiting = put("waiting.edu.cn")
    for one in made:
        assert host.activate(one.id).returncode == 0
    assert host.history == [one.id for one in made[1:]]
    kept = {path.name for path in (host.home / "releases").iterdir()}
    assert kept == {*host.history, waiting.id}, "what somebody has just published stays"
    assert {path.name for path in (host.home / "builds").iterdir()} == kept


def test_a_deploy_that_was_killed_behind_its_switch_is_gone_back_from_to_what_ran(host, first, put):
    dead = put("dead.edu.cn")
    (host.home / "current").unlink()
    (host.home / "current").symlink_to(f"releases/{dead.id}")
    second = put("b.edu.cn")
    (host.told / "deaf").touch()
    assert f"release {first.id} is in force again" in host.activate(second.id).stderr
    assert host.current == first.id


def test_an_nginx_conf_that_has_room_stays_as_it_is(host, first):
    conf = host.root / "etc/nginx/nginx.conf"
    assert conf.read_text() != NGINX_CONF
    before = conf.read_text()
    assert host.activate(first.id).returncode == 0
    assert conf.read_text() == before


def test_one_deploy_at_a_time(host, first):
    """The other one waits two minutes; here for the lock's own time."""
    done = host.run("activate", first.id, "deploy", str(host.entry), instead="flock() { return 1; }")
    assert "another deploy has been at work" in done.stderr


def test_what_failed_for_want_of_a_release_has_not_failed_any_longer(host, first, put):
    """Else `status` would tell of drift for half a minute after the deploy that healed it."""
    (host.told / "calls").unlink(missing_ok=True)
    assert host.activate(put("b.edu.cn").id).returncode == 0
    assert "systemctl reset-failed wecom-gateway-resolve.service" in (host.told / "calls").read_text()


UNITS = "etc/systemd/system"
SOCKET = "wecom-gateway-errors.socket"


def _older(release: Release) -> Release:
    """The same, as a version made it that had no such unit."""
    files = {path: file for path, file in release.files.items() if "-errors." not in path}
    return releases.build({path: file for path, file in files.items() if path != releases.SOURCES})


def test_a_socket_listens_as_soon_as_a_release_has_it(host, put):
    assert host.activate(put("a.edu.cn").id).returncode == 0
    assert (host.root / UNITS / SOCKET).readlink() == host.home / "current/units" / SOCKET
    calls = (host.told / "calls").read_text()
    assert f"systemctl is-active --quiet {SOCKET}" in calls, "else it is enabled and started, as timers are"
    assert f"systemctl restart {SOCKET}" in calls


def test_units_that_a_release_has_not_go_with_it_and_come_again(host, first):
    before = _older(first)
    assert host.publish(before).returncode == 0
    wants = host.root / UNITS / "sockets.target.wants"
    wants.mkdir()
    (wants / SOCKET).symlink_to(host.root / UNITS / SOCKET)
    theirs = host.root / UNITS / "wecom-gateway-theirs.service"
    theirs.symlink_to("/nowhere/theirs.service")
    assert host.activate(before.id).returncode == 0
    left = {path.name for path in (host.root / UNITS).iterdir() if "wecom-gateway" in path.name}
    assert left == {path.name for path in (host.folder(before.id) / "units").iterdir()} | {theirs.name}
    assert not any(wants.iterdir())
    calls = (host.told / "calls").read_text()
    assert calls.index(f"systemctl stop {SOCKET}") < calls.index("systemctl daemon-reload")
    assert "restart" not in calls
    assert host.activate(first.id, "rollback").returncode == 0
    assert (host.root / UNITS / SOCKET).exists()


def test_a_service_that_runs_takes_the_script_of_the_new_release(host, first, put):
    assert host.activate(put("b.edu.cn").id).returncode == 0
    calls = (host.told / "calls").read_text()
    assert "systemctl try-restart wecom-gateway-errors.service" in calls
    assert f"systemctl restart {SOCKET}" not in calls, "what waits in it would be lost"


def test_the_logs_are_for_root_and_its_group_alone(host, first):
    for name in ("access", "error"):
        assert (host.root / f"var/log/nginx/wecom-gateway.{name}.log").stat().st_mode & 0o777 == 0o640
