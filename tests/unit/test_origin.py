"""Which commit a release came from, and how a checkout stands to it, in real repositories."""

from __future__ import annotations

import subprocess

import pytest

from gateway.deploys import origin
from gateway.deploys.origin import Origin, read, sentence

COMMIT, DATE, AT = "c" * 40, "2026-11-20T09:12:33+08:00", "2026-11-20T01:13:00Z"


def _git(*arguments):
    who = ["-c", "user.name=Wang", "-c", "user.email=wang@edu.cn", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A repository with two commits, and what `here` says of the first."""
    monkeypatch.chdir(tmp_path)
    _git("init", "-q", "-b", "main")
    (tmp_path / "prod.py").write_text("one")
    _git("add", ".")
    _git("commit", "-q", "-m", "one")
    first = _here()
    (tmp_path / "prod.py").write_text("two")
    _git("commit", "-q", "-a", "-m", "two")
    return first


def _here():
    origin.of_checkout.cache_clear()
    return origin.of_checkout()


@pytest.fixture(autouse=True)
def asked_anew():
    origin.of_checkout.cache_clear()
    yield
    origin.of_checkout.cache_clear()


def _kept(one):
    """As a host gives it back."""
    return read(f"{one.line()} {AT}")


def test_what_git_says_goes_to_the_host_and_comes_back(checkout):
    own = _here()
    assert own.commit == _git("rev-parse", "HEAD")
    assert (own.branch, own.changed) == ("main", False)
    assert own.date == _git("log", "-1", "--format=%cI")
    assert "@" in own.by
    kept = _kept(own)
    assert (kept.commit, kept.date, kept.branch, kept.changed, kept.by, kept.at) == (
        own.commit, own.date, "main", False, own.by, AT
    )  # fmt: skip


def test_changes_that_are_not_committed_are_said_and_so_is_a_new_file(checkout, tmp_path):
    (tmp_path / "new.txt").write_text("x")
    assert _here().changed
    assert "with changes not committed" in sentence(_kept(checkout), _here())


def test_a_detached_head_has_no_branch(checkout):
    _git("checkout", "-q", "--detach")
    assert _here().branch == ""
    assert _here().commit


@pytest.mark.parametrize("name", ["$(reboot)", "a;b", "x'y", "学校", "a`b`"])
def test_no_branch_and_no_user_s_name_means_anything_to_a_shell(checkout, name, monkeypatch):
    _git("checkout", "-q", "-b", name)
    monkeypatch.setenv("LOGNAME", f"wang {name}\n")
    line = _here().line()
    assert not set(line) & set("$;'`()\"\n\\")
    assert line.count(" ") == 4
    assert _kept(_here()).branch


def test_outside_of_git_somebody_deployed_all_the_same(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = _here()
    assert (own.commit, own.date, own.branch) == ("", "", "")
    assert _kept(own) == Origin(by=own.by, at=AT)


def test_a_repository_without_a_commit_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _git("init", "-q")
    assert _here().commit == ""


@pytest.mark.parametrize(
    "line",
    [
        "",
        "x",
        f"{COMMIT} {DATE} main clean wang@desk",
        f"--upload-pack=x {DATE} main clean wang@desk {AT}",
        f"{COMMIT[:12]} {DATE} main clean wang@desk {AT}",
        f"{COMMIT} yesterday main clean wang@desk {AT}",
        f"{COMMIT} {DATE} main maybe wang@desk {AT}",
        f"{COMMIT} {DATE} \x1b[31m clean wang@desk {AT}",
        f"{COMMIT} {DATE} main clean wang@desk {AT} more",
    ],
)
def test_a_record_that_is_none_is_not_believed(line):
    assert read(line) is None


def test_an_older_checkout_is_told_to_pull(checkout):
    newest = _kept(_here())
    _git("checkout", "-q", "HEAD~1")
    text = sentence(newest, _here())
    assert f"commit {newest.commit[:12]} of" in text
    assert f"this checkout is at commit {checkout.commit[:12]}" in text
    assert text.endswith("which does not contain it: git pull first")


def test_a_commit_that_this_checkout_has_never_heard_of_is_told_in_the_same_way(checkout):
    assert sentence(Origin(COMMIT, DATE, "main", by="wang@desk", at=AT), _here()).endswith("git pull first")


def test_a_newer_checkout_is_pointed_to_the_commits_since(checkout):
    text = sentence(_kept(checkout), _here())
    assert "which contains it" in text
    assert f"git log -p {checkout.commit[:12]}.." in text
    assert "git pull" not in text


def test_the_same_commit_with_changes_points_to_them(checkout, tmp_path):
    same = _kept(_here())
    (tmp_path / "prod.py").write_text("three")
    assert sentence(same, _here()).endswith("the same commit: git diff HEAD shows what is not committed")


def test_what_was_deployed_without_being_committed_is_asked_for(checkout):
    own = _here()
    held = read(f"{own.line().replace(' clean ', ' changed ')} {AT}")
    assert "was never committed, ask" in sentence(held, own)


def test_the_same_commit_and_nothing_changed_was_another_inventory(checkout):
    assert "another inventory" in sentence(_kept(_here()), _here())


def test_little_is_known_of_releases_of_earlier_versions_and_outside_of_git(checkout):
    assert "is it up to date (git pull)?" in sentence(None, _here())
    assert "ask who deployed last" in sentence(None, Origin(by="li@desk"))
    known = Origin(COMMIT, DATE, "main", by="wang@desk", at=AT)
    assert "is no git checkout: take one that contains that commit" in sentence(known, Origin(by="li@desk"))
    assert "not from a git checkout" in sentence(Origin(by="wang@desk", at=AT), _here())
