"""An older checkout on a real host: what would go is refused and shown, and no preview shows a key."""

from __future__ import annotations

import subprocess

import pytest

from . import checkout as own
from .checkout import HOME, SLB, no_changes

HOST = "t01"
KEY = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0\n-----END PRIVATE KEY-----\n"
OTHER = {**SLB, "domain": "other.edu.example"}


def on_host(script: str) -> str:
    return own.on_host(HOST, script)


def _git(checkout, *arguments: str) -> str:
    who = ["-c", "user.name=Wang", "-c", "user.email=wang@edu.example"]
    done = subprocess.run(["git", *who, *arguments], cwd=checkout.path, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _commit(checkout, text: str) -> str:
    _git(checkout, "add", "-A")
    _git(checkout, "commit", "-q", "-m", text)
    return _git(checkout, "rev-parse", "HEAD")


@pytest.fixture
def two_commits(packaged_host, checkout):
    """A checkout with a commit before and one after a school came, both deployed: it is at the first, stale."""
    _git(checkout, "init", "-q", "-b", "main")
    (checkout.path / ".gitignore").write_text("__pycache__\n")
    checkout.write_sites(SLB)
    first = _commit(checkout, "one school")
    checkout.deploy_well()
    checkout.write_sites(SLB, OTHER)
    second = _commit(checkout, "another school")
    checkout.deploy_well()
    _git(checkout, "checkout", "-q", first)
    return checkout, first, second


def _dry(checkout, *options: str, script: str = "deploy.py"):
    return checkout.run("pyinfra", "--dry", *options, "inventory/own.py", script)


def test_a_stale_checkout_takes_no_school_away(two_commits):
    checkout, first, second = two_commits
    before = on_host(f"find {HOME} -printf '%p %T@ %l\\n' | sort")
    refused = checkout.deploy_guarded()
    shown = _dry(checkout, "--diff")
    assert refused.returncode == 1
    for done in (refused, shown):
        assert "in force on this host: other.edu.example;" in done.stderr
        assert f"deployed from commit {second[:12]} of " in done.stderr
        assert f"this checkout is at commit {first[:12]} of " in done.stderr
        assert "which does not contain it: git pull first" in done.stderr
    # its release is still kept on the host, and every file is listed all the same
    assert "sites: - other.edu.example" in shown.stderr
    assert "~ sites/wanxiao_prod-slb.conf" in shown.stderr
    assert "-other.edu.example" in shown.stderr
    assert on_host(f"find {HOME} -printf '%p %T@ %l\\n' | sort") == before
    code, report = checkout.status()
    assert code == 2
    problem = report["hosts"][0]["problem"]
    assert "other.edu.example" in problem
    assert "git pull first" in problem
    assert "; deploy" not in problem
    assert own.ask(HOST, "http://other.edu.example/x").status == 200
    # meant, it goes, and comes again; the record follows
    checkout.deploy_well()
    assert first in on_host(f"cat {HOME}/origins/$(readlink {HOME}/current | cut -d / -f 2)")
    assert no_changes(checkout.deploy_well())
    _git(checkout, "checkout", "-q", "main")
    checkout.deploy_well()
    kept = on_host(f"ls {HOME}/origins; echo; ls {HOME}/releases").split("\n\n")
    assert set(kept[0].split()) <= set(kept[1].split())


def test_a_rollback_says_what_comes_and_goes(two_commits):
    checkout, *_ = two_commits
    shown = _dry(checkout, "--diff", script="rollback.py").stderr
    for done in (shown, checkout.roll_back().stderr):
        assert "sites: - other.edu.example" in done
    assert "-other.edu.example" in shown


def test_a_new_school_looks_like_one_and_no_key_shows_whatever_its_file_is_called(packaged_host, checkout):
    checkout.write_sites(SLB)
    checkout.deploy_well()
    # by accident, or by hand: readable files with a key in them
    for name in ("sites/extra.conf", "verify/key.txt", "closed.conf"):
        path = f"{HOME}/current/{name}"
        on_host(f"mkdir -p {HOME}/current/verify; printf %s '{KEY}' >>{path}; chmod 644 {path}")
    on_host(f"echo '# by hand' >>{HOME}/current/snippets/server.conf")
    shown = _dry(checkout, "--diff", "-vvv")
    text = shown.stdout + shown.stderr
    for line in ("- sites/extra.conf", "- verify/key.txt", "~ closed.conf", "-# by hand"):
        assert line in text
    assert "PRIVATE KEY" not in text
    assert KEY.splitlines()[1] not in text
    checkout.deploy_well()
    checkout.write_sites(SLB, {**SLB, "domain": "new.edu.example"})
    shown = _dry(checkout, "--diff").stderr
    assert "sites: + new.edu.example" in shown
    assert "sites: + new.edu.example" in _dry(checkout).stderr
    assert "+new.edu.example" in shown
    (marks,) = [line for line in shown.splitlines() if "sites/wanxiao_prod-slb.conf" in line]
    assert "~ sites/" in marks
    current = on_host(f"readlink {HOME}/current").strip().removeprefix("releases/")
    assert f"      -{current}" not in shown
