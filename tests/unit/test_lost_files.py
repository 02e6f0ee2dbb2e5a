"""A verification file that was there before is missed by `check` before a deploy takes it from its site."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gateway.checkout import lost_files
from gateway.nginx import release
from gateway.nginx.build import Build
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree

SITE = {"domain": "wx.a.edu.cn", "edge": "slb", "platform": "wanxiao_prod"}
NAME = "WW_verify_AaaaAaaaAaaa0001.txt"


def _git(*arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def known_file(files, monkeypatch):
    """A verification file that git knows, in a checkout that is the current directory."""
    monkeypatch.chdir(files.parent)
    path = Path("files/verify/wx.a.edu.cn") / NAME
    path.parent.mkdir(parents=True)
    path.write_text(NAME[10:26])
    _git("init", "-q")
    _git("add", "files")
    _git("commit", "-qm", "x")
    return path


def _warnings() -> list[str]:
    return [str(problem) for problem in lost_files.warnings([("h1", "wx.a.edu.cn")], Path("files"))]


def test_a_file_that_is_there_is_not_missed(known_file):
    assert _warnings() == []


@pytest.mark.parametrize("committed", [False, True])
def test_a_deleted_file_is_missed(known_file, committed):
    known_file.unlink()
    if committed:
        _git("commit", "-qam", "gone")
    (warning,) = _warnings()
    assert warning.startswith(f"h1: wx.a.edu.cn: {known_file}: ")


def test_a_file_that_came_back_is_not_missed(known_file):
    body = known_file.read_text()
    known_file.unlink()
    _git("commit", "-qam", "gone")
    known_file.write_text(body)
    assert _warnings() == []


def test_files_of_sites_that_went_are_not_missed(known_file):
    known_file.unlink()
    assert lost_files.warnings([("h1", "wx.b.edu.cn")], Path("files")) == []


def test_a_file_in_a_folder_that_cannot_be_read_is_not_taken_for_a_lost_one(closed, monkeypatch):
    files, close = closed
    path = files / "verify" / "wx.a.edu.cn" / NAME
    path.parent.mkdir(parents=True)
    path.write_text(NAME[10:26])
    monkeypatch.setattr(lost_files, "_deleted", lambda folder: [path])  # what git makes of such a folder
    with close(path.parent):
        assert lost_files.warnings([("h1", "wx.a.edu.cn")], files) == []


def test_outside_git_nothing_is_missed(files, monkeypatch):
    monkeypatch.chdir(files.parent)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(files.parent.parent))
    assert _warnings() == []


def _built(parse, *sites) -> release.Release:
    host, problems = parse(*sites)
    assert not problems
    return release.build(tree(host, Build(Version((1, 22, 1)))))


def test_a_change_tells_what_it_takes_from_sites_that_stay(files, parse):
    folder = files / "verify" / "wx.a.edu.cn"
    folder.mkdir(parents=True)
    (folder / NAME).write_text(NAME[10:26])
    other = {**SITE, "domain": "wx.b.edu.cn"}
    old = _built(parse, SITE, other)
    (folder / NAME).unlink()
    for sites, lost in (((SITE, other), [f"wx.a.edu.cn/{NAME}"]), ((other,), [])):
        new = _built(parse, *sites)
        found = release.diff(old.sources(), new.sources())
        assert release.lost_verification(found, new) == lost


def test_a_change_of_one_site_shows_as_that_and_no_more(parse):
    """The id stands in nearly every file, so digests of what lies on a host would show all as changed."""
    old, new = _built(parse, SITE), _built(parse, {**SITE, "max_body": "9m"})
    found = release.diff(old.sources(), new.sources())
    assert [(change.kind, change.path) for change in found] == [("changed", "sites/wanxiao_prod-slb.conf")]
    assert len(release.diff(old.manifest(), new.manifest())) > 5
