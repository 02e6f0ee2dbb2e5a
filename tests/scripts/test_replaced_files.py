"""Files of the host's own nginx whose place a release takes: aside while it is in force, back when it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.deploys import state
from gateway.nginx import release as releases
from gateway.nginx.build import Build
from gateway.nginx.release import File, Release
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree

from .host_stage import GIVES_UP, Stage

THEIRS = "server { listen 80; server_name a.edu.cn; }\n"
OTHER = "server { listen 80; server_name b.edu.cn; }\n"


_ONE_SECOND = "date() { echo 20260101T000000Z; }"


@pytest.fixture
def host(tmp_path) -> Stage:
    """Two schools by hand: one in a file of conf.d, one by a link as Debian's sites-enabled has it."""
    made = Stage(tmp_path / "host")
    made.install_nginx()
    (made.told / "active").touch()
    nginx = made.root / "etc/nginx"
    (nginx / "conf.d/school.conf").write_text(THEIRS)
    (nginx / "sites-available").mkdir()
    (nginx / "sites-available/other").write_text(OTHER)
    (nginx / "sites-enabled/other").symlink_to("../sites-available/other")
    return made


@pytest.fixture
def build(host, parse):
    """Publishes a release that takes the place of the named files, below /etc/nginx or by their whole path."""

    def made(*names: str, hsts: int = 0) -> Release:
        parsed, _ = parse({"domain": "a.edu.cn", "edge": "slb", "platform": "wanxiao_prod", "hsts": hsts})
        files = tree(parsed, Build(Version((1, 22, 1)))) | {"ports": File(b""), "upstreams": File(b"")}
        if names:
            files["replaces"] = File("".join(f"{host.root / 'etc/nginx' / name}\n" for name in names).encode())
        built = releases.build(files)
        assert host.publish(built).returncode == 0
        return built

    return made


def _config(host: Stage) -> dict[str, str]:
    """What nginx would read beside the gateway, by name."""
    nginx = host.root / "etc/nginx"
    paths = [path for folder in ("conf.d", "sites-enabled") for path in (nginx / folder).iterdir()]
    return {path.name: path.read_text() for path in paths if "wecom-gateway" not in path.name}


def _earlier(host: Stage) -> list[Path]:
    return [path for path in (host.home / "aside-earlier").rglob("*") if path.is_file()]


BOTH = ("conf.d/school.conf", "sites-enabled/other")


def test_they_go_with_the_release_and_come_back_with_the_one_before(host, build):
    before = _config(host)
    first, second = build(), build(*BOTH)
    for release in (first, second):
        done = host.activate(release.id)
        assert done.returncode == 0, done.stderr
    assert _config(host) == {}
    assert host.serves == second.id
    done = host.activate(first.id, purpose="rollback")
    assert done.returncode == 0, done.stderr
    assert _config(host) == before
    assert (host.root / "etc/nginx/sites-enabled/other").readlink() == Path("../sites-available/other")


def test_a_file_that_is_no_longer_named_comes_back_alone(host, build):
    for release in (build(*BOTH), build(BOTH[0])):
        assert host.activate(release.id).returncode == 0
    assert _config(host) == {"other": OTHER}


def test_nginx_tests_the_release_without_them(host, build):
    """The candidate's own folder has no file that goes, and what comes back."""
    seen = host.told / "candidate"
    look = f'run_nginx() {{ local conf=${{*: -1}}; ls "${{conf%/*}}/conf.d" "${{conf%/*}}/sites-enabled" >{seen}; '
    look += f'cat "${{conf%/*}}"/sites-enabled/* >>{seen}; "$nginx_program" "$@"; }}'
    release = build(BOTH[0])
    parts = ("activate", release.id, "deploy", str(host.entry))
    assert host.run(*parts, instead=look).returncode == 0
    assert "school.conf" not in seen.read_text()
    assert "b.edu.cn" in seen.read_text()
    assert host.activate(build(*BOTH).id).returncode == 0
    # back to the first: what is aside is looked at in its own place
    assert host.run("activate", release.id, "rollback", str(host.entry), instead=look).returncode == 0
    assert "b.edu.cn" in seen.read_text()
    assert "school.conf" not in seen.read_text()


def test_a_link_to_a_file_that_is_aside_as_well_leads_to_it_in_the_test(host, build):
    seen = host.told / "candidate"
    (host.root / "etc/nginx/sites-enabled/again").symlink_to("../conf.d/school.conf")
    first, second = build(), build(BOTH[0], "sites-enabled/again")
    for release in (first, second):
        assert host.activate(release.id).returncode == 0
    look = f'run_nginx() {{ local conf=${{*: -1}}; cat "${{conf%/*}}/sites-enabled/again" >{seen}; '
    look += '"$nginx_program" "$@"; }'
    assert host.run("activate", first.id, "rollback", str(host.entry), instead=look).returncode == 0
    assert seen.read_text() == THEIRS


@pytest.mark.parametrize("served_before", [False, True])
def test_a_release_that_nginx_does_not_take_puts_them_back(host, build, served_before):
    before = _config(host)
    first = build(hsts=60) if served_before else None
    if first:
        assert host.activate(first.id).returncode == 0
    release = build(*BOTH)
    (host.told / "deaf").touch()
    done = host.run("activate", release.id, "deploy", str(host.entry), instead="seq() { echo 1; }")
    assert done.returncode != 0
    assert _config(host) == before
    assert host.current == (first.id if first else None)


def test_without_a_gateway_they_are_back(host, build):
    before = _config(host)
    assert host.activate(build(*BOTH).id).returncode == 0
    assert _config(host) == {}
    done = host.run("withdraw", instead=GIVES_UP)
    assert done.returncode == 0, done.stderr
    assert _config(host) == before
    assert host.current is None


def test_a_withdrawal_that_fails_leaves_them_aside(host, build):
    release = build(*BOTH)
    assert host.activate(release.id).returncode == 0
    done = host.run("withdraw", instead="reload_nginx() { :; }")
    assert done.returncode != 0
    assert _config(host) == {}
    assert host.serves == host.current == release.id


def test_a_file_that_was_made_again_is_told_and_put_aside_again_and_nothing_of_either_is_lost(host, build):
    release = build(*BOTH)
    assert host.activate(release.id).returncode == 0
    nginx = host.root / "etc/nginx"
    (nginx / BOTH[0]).write_text("# a panel's\n")
    known = state.read(host.says("state"))
    assert known.strays == {"/etc/nginx/conf.d/school.conf"}
    assert known.aside == {f"/etc/nginx/{name}" for name in BOTH}
    assert not known.in_force(release.id)
    assert host.activate(release.id).returncode == 0
    assert _config(host) == {}
    assert (host.home / "aside" / str(nginx / BOTH[0]).lstrip("/")).read_text() == "# a panel's\n"
    assert [path.read_text() for path in _earlier(host)] == [THEIRS]


def test_of_files_that_were_made_again_none_takes_the_place_of_another_of_its_name(host, build):
    nginx = host.root / "etc/nginx"
    names = ("conf.d/school.conf", "sites-enabled/school.conf")
    release = build(*names)
    (nginx / names[1]).write_text(OTHER)
    for text in ("# again\n", "# and again\n"):
        assert host.run("activate", release.id, "deploy", str(host.entry), instead=_ONE_SECOND).returncode == 0
        for name in names:
            (nginx / name).write_text(text + name)
    assert host.run("activate", release.id, "deploy", str(host.entry), instead=_ONE_SECOND).returncode == 0
    kept = sorted(path.read_text() for path in _earlier(host))
    assert kept == sorted([THEIRS, OTHER, *("# again\n" + name for name in names)])


def test_a_file_that_was_made_again_is_what_nginx_reads(host, build):
    """Also where a rollback has left it in its place."""
    first, second = build(), build(BOTH[0])
    for release in (first, second):
        assert host.activate(release.id).returncode == 0
    again = THEIRS.replace("a.edu.cn", "new.edu.cn")
    (host.root / "etc/nginx" / BOTH[0]).write_text(again)
    for _ in range(2):
        known = state.read(host.says("state"))
        assert {one.names: one.file for one in known.neighbours.servers}[("new.edu.cn",)] == f"/etc/nginx/{BOTH[0]}"
        assert host.activate(first.id, purpose="rollback").returncode == 0


def test_a_file_that_was_made_again_is_not_overwritten_by_what_comes_back(host, build):
    first, second = build(), build(BOTH[0])
    for release in (first, second):
        assert host.activate(release.id).returncode == 0
    (host.root / "etc/nginx" / BOTH[0]).write_text("# a panel's\n")
    assert host.activate(first.id, purpose="rollback").returncode == 0
    assert _config(host)["school.conf"] == "# a panel's\n"


def test_what_is_aside_is_no_neighbour_and_what_is_not_yet_is_one(host, build):
    known = state.read(host.says("state"))
    assert {one.file for one in known.neighbours.servers} == {f"/etc/nginx/{name}" for name in BOTH}
    assert host.activate(build(BOTH[0]).id).returncode == 0
    known = state.read(host.says("state"))
    assert {one.file for one in known.neighbours.servers} == {f"/etc/nginx/{BOTH[1]}"}
    assert known.aside == {f"/etc/nginx/{BOTH[0]}"}
