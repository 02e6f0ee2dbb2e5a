"""A release that an earlier version put on a host is read, replaced and gone back to like any other."""

from __future__ import annotations

import tarfile

import pytest

from gateway.deploys.facts import GatewayState, ReleaseFiles, ReleaseHeld
from gateway.deploys.state import HostState
from gateway.nginx import release as releases
from gateway.nginx.build import Build
from gateway.nginx.release import File, Release
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree

from ..earlier import CODE, SITES, VERSIONS, archive
from .host_stage import Stage

ORIGIN = f"{'c' * 40} 2026-11-20T09:12:33+08:00 main clean wang@desk"
UNIT = "LoadState=loaded\nFragmentPath=/lib/x\nSourcePath=\nUnitFileState=enabled\nActiveState=active\nMainPID=900\n"
_OF_NGINX = "etc/nginx/"


@pytest.fixture(params=VERSIONS)
def version(request) -> str:
    return request.param


@pytest.fixture
def host(tmp_path, version) -> Stage:
    """A host as that version left it, whose nginx serves its release."""
    made = Stage(tmp_path / "host")
    made.install_nginx()
    (made.told / "active").touch()
    (made.told / "units").write_text(UNIT)
    with tarfile.open(archive(version)) as packed:
        names = [one for one in packed if one.name.startswith(_OF_NGINX) and not one.name.endswith("nginx.conf")]
        packed.extractall(made.root, names, filter="fully_trusted")  # noqa: S202, made by this project
    (made.told / "serves").write_text(made.current)
    return made


@pytest.fixture
def before(host) -> str:
    """The earlier version's release."""
    return host.current


@pytest.fixture
def after(host, parse, files) -> Release:
    """The same sites by this version, published."""
    folder = files / "verify" / "a.edu.example"
    folder.mkdir(parents=True)
    (folder / f"WW_verify_{CODE}.txt").write_text(CODE)
    parsed, problems = parse(*SITES)
    assert not problems
    trees = dict(tree(parsed, Build(Version((1, 22, 1)))))
    built = releases.build(trees | _nothing_of_this_machine())
    done = host.publish(built)
    assert done.returncode == 0, done.stderr
    return built


def _nothing_of_this_machine() -> dict[str, File]:
    """Ports and names of this machine are none of the test's."""
    return {"ports": File(b""), "upstreams": File(b"")}


def _state(host: Stage) -> HostState:
    return GatewayState().process(host.says("state"))


def test_it_is_read(host, before, version):
    known = _state(host)
    assert known.current == known.running == known.activated == known.in_place == before
    # 0.1.0 kept neither the version nor where a release came from
    assert known.product == ("" if version == "0.1.0" else version)
    held = ReleaseHeld().process(host.run("manifest", before, "held").stdout.splitlines())
    assert held.domains == {"a.edu.example", "b.edu.example"}
    assert {entry.path for entry in held.sources} >= {"gateway.conf", f"verify/a.edu.example/WW_verify_{CODE}.txt"}
    assert (held.origin is None) == (version == "0.1.0")
    files = ReleaseFiles().process(host.run("manifest", before, "files").stdout.splitlines())
    assert {entry.path for entry in held.sources} <= {entry.path for entry in files}


def test_it_is_replaced(host, before, after):
    done = host.activate(after.id, origin=ORIGIN)
    assert done.returncode == 0, done.stderr
    assert host.current == host.serves == after.id
    assert host.history == [before, after.id]
    assert host.folder(before).is_dir()
    assert _state(host).in_force(after.id)


def test_it_is_gone_back_to_and_deploys_go_forward_again(host, before, after, version):
    for name, body in _nothing_of_this_machine().items():
        (host.folder(before) / name).write_bytes(body.body)
    assert host.activate(after.id, origin=ORIGIN).returncode == 0
    assert _state(host).previous == before
    done = host.activate(before, "rollback")
    assert done.returncode == 0, done.stderr
    known = _state(host)
    assert host.serves == known.current == known.running == before
    # so that the earlier version may deploy there again
    assert known.product == ("" if version == "0.1.0" else version)
    assert host.activate(after.id, origin=ORIGIN).returncode == 0
    assert host.current == after.id


def test_where_the_new_release_does_not_come_into_force_it_stays(host, before, after):
    (host.told / "refuses").touch()
    assert host.activate(after.id, origin=ORIGIN).returncode != 0
    assert host.current == host.serves == before
