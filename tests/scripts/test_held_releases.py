"""What a host says of the releases that it holds is what a deploy computes of them: by real releases, put on a host
made of folders by the script that puts them there."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.deploys.facts import CertificateEnds, ReleaseDigest, ReleaseFiles, ReleaseHeld, ReleaseTexts
from gateway.nginx import release as releases
from gateway.nginx.build import Build
from gateway.nginx.release import File, Release
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree
from tests.unit.conftest import long_domain

from .host_scripts import upload
from .host_stage import Stage

LONG = long_domain(200)
ORIGIN = f"{'c' * 40} 2026-11-20T09:12:33+08:00 main clean wang@desk"


@pytest.fixture
def host(tmp_path) -> Stage:
    return Stage(tmp_path / "host")


@pytest.fixture
def build(parse, store_pair, files):
    """A release of a site with a certificate, and of one whose paths are long, for an nginx."""
    store_pair("t.edu.cn")
    folder = files / "verify" / "t.edu.cn"
    folder.mkdir(parents=True)
    (folder / "WW_verify_AbCdEfGhIjKlMnOp.txt").write_text("AbCdEfGhIjKlMnOp")
    sites = (
        {"domain": "t.edu.cn", "edge": "tls", "platform": "wanxiao_prod"},
        {"domain": LONG, "edge": "tls", "platform": "wanxiao_prod", "cert": {"acme": {"email": "ops@edu.cn"}}},
    )
    parsed, problems = parse(*sites)
    assert not problems

    def make(**more: object) -> Release:
        return releases.build(tree(parsed, replace(Build(Version((1, 22, 1))), **more)))

    return make


@pytest.fixture
def release(build, host) -> Release:
    """It, on the host."""
    built: Release = build()
    done = host.publish(built)
    assert done.returncode == 0, done.stderr
    return built


def _said(host: Stage, release: Release | str, part: str, stdin: str = "") -> list[str]:
    name = release if isinstance(release, str) else release.id
    done = host.run("manifest", name, part, stdin=stdin)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def _digest(host: Stage, release: Release) -> str:
    return ReleaseDigest().process(_said(host, release, "digest"))


def test_an_intact_release_is_what_a_deploy_computes(host, release):
    assert _digest(host, release) == release.digest()
    assert ReleaseFiles().process(_said(host, release, "files")) == release.manifest()
    held = ReleaseHeld().process(_said(host, release, "held"))
    assert held.sources == release.sources()
    assert held.domains == {"t.edu.cn", LONG}


def _edit(path):
    path.write_bytes(path.read_bytes() + b"\n")


def _swap_mode(mode):
    return lambda path: path.chmod(mode)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("gateway.conf", _edit),
        ("verify/t.edu.cn/WW_verify_AbCdEfGhIjKlMnOp.txt", _edit),
        ("certs/t.edu.cn/privkey.pem", _swap_mode(0o644)),
        ("certs/t.edu.cn/privkey.pem", _swap_mode(0o640)),
        ("sites/t.edu.cn.conf", _swap_mode(0o666)),
        ("closed.conf", lambda path: path.unlink()),
        ("sites/more.conf", lambda path: path.write_text("server { }\n")),
        ("sites/link.conf", lambda path: path.symlink_to("/etc/passwd")),
        ("closed.conf", lambda path: (path.unlink(), path.symlink_to("gateway.conf"))),
    ],
)
def test_whatever_was_changed_by_hand_is_seen_and_put_back(host, release, name, change):
    change(host.folder(release.id) / name)
    (host.home / "activated").write_text(release.id)
    assert _digest(host, release) != release.digest()
    found = ReleaseFiles().process(_said(host, release, "files"))
    assert [one.path for one in releases.diff(found, release.manifest())] == [name]
    # nothing counts as loaded any more, so that the next step loads it
    assert host.publish(release).returncode == 0
    assert _digest(host, release) == release.digest()
    assert not (host.home / "activated").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file to another user")
@pytest.mark.parametrize(("user", "group"), [(65534, 0), (0, 65534)])
def test_a_file_that_is_another_users_is_seen(host, release, user, group):
    os.chown(host.folder(release.id) / "certs/t.edu.cn/privkey.pem", user, group)
    assert _digest(host, release) != release.digest()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file to another group")
def test_keys_that_nginxs_group_may_read_are_that_groups_on_the_host(host, parse, store_pair, monkeypatch):
    monkeypatch.setattr("gateway.nginx.plan.TOGETHER", 2)
    for name in ("a", "b"):
        store_pair(f"{name}.edu.cn")
    parsed, _ = parse(*({"domain": f"{name}.edu.cn", "edge": "tls", "platform": "wanxiao_prod"} for name in "ab"))
    built = releases.build(tree(parsed, replace(Build(Version((1, 22, 1))), group="daemon")))
    assert host.publish(built).returncode == 0
    key = host.folder(built.id) / "certs/a.edu.cn/privkey.pem"
    assert (oct(key.stat().st_mode)[-3:], oct(key.parent.stat().st_mode)[-3:], key.group()) == ("640", "750", "daemon")
    assert _digest(host, built) == built.digest()
    assert ReleaseFiles().process(_said(host, built, "files")) == built.manifest()


def test_keys_are_for_their_owner_alone_on_the_host(host, release):
    key = host.folder(release.id) / "certs/t.edu.cn/privkey.pem"
    assert [oct(path.stat().st_mode)[-3:] for path in (key, key.parent)] == ["600", "700"]


def test_of_a_release_that_is_not_there_nothing_is_said(host, build):
    missing = build().id
    assert ReleaseFiles().process(_said(host, missing, "files")) == frozenset()
    assert ReleaseHeld().process(_said(host, missing, "held")) == ReleaseHeld.default()
    assert ReleaseTexts().process(_said(host, missing, "texts", "gateway.conf\n")) == {}
    assert ReleaseDigest().process(_said(host, missing, "digest")) != build().digest()


def test_where_a_release_came_from_and_until_when_its_certificates_are_valid(host, release):
    (host.home / "origins").mkdir()
    (host.home / "origins" / release.id).write_text(f"{ORIGIN} 2026-11-20T01:13:00Z\n")
    held = ReleaseHeld().process(_said(host, release, "held"))
    assert held.origin
    assert (held.origin.commit, held.origin.by) == ("c" * 40, "wang@desk")
    ends = CertificateEnds().process(_said(host, release, "ends", "t.edu.cn\nnobody.edu.cn\n"))
    assert ends.keys() == {"t.edu.cn"}
    assert timedelta(days=59) < ends["t.edu.cn"] - datetime.now(UTC) < timedelta(days=61)


def test_texts_that_are_not_for_everybody_never_leave_the_host(host, build):
    built = build()
    # a key in a file that everybody may read, as an operator's own directives may have one
    files = {**built.files, "own.conf": File(b"# -----BEGIN EC PRIVATE KEY-----\n"), "bin": File(b"\0\1")}
    built = releases.build({path: file for path, file in files.items() if path != releases.SOURCES})
    assert host.publish(built).returncode == 0
    asked = ["gateway.conf", "certs/t.edu.cn/fullchain.pem", "certs/t.edu.cn/privkey.pem", "own.conf", "bin", "no"]
    (host.folder(built.id) / "certs/t.edu.cn/privkey.pem").chmod(0o644)
    (host.folder(built.id) / "certs/t.edu.cn").chmod(0o755)
    texts = ReleaseTexts().process(_said(host, built, "texts", "".join(f"{name}\n" for name in asked)))
    assert texts == {"gateway.conf": built.files["gateway.conf"].body}


def test_what_host_a_release_was_rendered_for_is_no_part_of_it(host, release):
    assert (host.home / "builds" / release.id).read_bytes() == release.files[releases.BUILD].body
    assert not (host.folder(release.id) / releases.BUILD).exists()


def test_an_upload_that_broke_off_leaves_nothing_behind(host, build):
    built = build()
    *arguments, _ = upload(built)
    # The last one can be unpacked: only its digest tells that it is not what was sent.
    *_, another = upload(build(ipv6=False))
    for name, encoded in (("cut", "H4sIAAAA"), ("empty", ""), ("no base64", "***"), ("another", another)):
        done = host.run("publish", *arguments, stdin=encoded)
        assert done.returncode != 0, name
        assert "nothing was changed" in done.stderr
        assert not list((host.home / "releases").iterdir())


def test_a_release_is_on_the_disk_before_it_has_its_place(host, build):
    """A power failure would leave files empty whose names are there already."""
    built = build()
    watch = f"""sync() {{
        if [ "${{1-}}" = --help ]; then echo "$knows"; return; fi
        [ ! -e "$target" ] || echo late >>{host.told}/late
        echo "sync $*" >>{host.told}/calls
    }}"""
    done = host.publish(built, instead=f"knows=--file-system; {watch}")
    assert done.returncode == 0, done.stderr
    assert "sync -f" in (host.told / "calls").read_text()
    assert not (host.told / "late").exists()
    # as before coreutils 8.24
    (host.told / "calls").unlink()
    assert host.publish(replace(built, id="e" * 16), instead=f"knows=; {watch}").returncode == 0
    assert (host.told / "calls").read_text() == "sync \n"
    other = replace(built, id="f" * 16)
    assert host.publish(other, instead="sync() { return 1; }").returncode != 0
    assert not host.folder(other.id).exists()
