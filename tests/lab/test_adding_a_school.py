"""From a clean checkout to a served verification file by the README's three steps alone."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab import topology

from ..conftest import REPO
from . import checkout as own

HOST = "t01"
CODE = "abcdEFGH12345678"


@pytest.fixture
def clean(tmp_path) -> own.Checkout:
    """What git has, and nothing else."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPO, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((REPO / name).read_bytes())
    return own.Checkout(tmp_path, HOST)


def _entry_of_the_readme() -> str:
    """Step 1's entry, word for word."""
    section = (REPO / "README.md").read_text().partition("**Step 1: an entry")[2]
    return re.search(r"```python\n(.*?)```", section, re.S)[1]


def test_a_school_is_added_by_the_three_steps(bare_host, clean, record_property):
    started = time.monotonic()
    # The lab's host has its own address, key and known_hosts; everything else is the README's, its user and sudo too.
    entry = _entry_of_the_readme()
    for theirs, ours in (("203.0.113.10", topology.address(HOST)), ("~/.ssh/id_ed25519", str(topology.SSH_KEY))):
        assert theirs in entry
        entry = entry.replace(theirs, ours)
    (clean.path / "inventory" / "prod.py").write_text(entry)
    group = clean.path / "group_data" / "all.py"
    group.write_text(group.read_text() + f"\nssh_known_hosts_file = {str(topology.KNOWN_HOSTS)!r}\n")

    folder = clean.path / "files" / "verify" / "wx.school-a.edu.cn"
    folder.mkdir(parents=True)
    # As a browser on Windows saves it.
    (folder / f"WW_verify_{CODE}.txt").write_bytes(b"\xef\xbb\xbf" + CODE.encode() + b"\r\n")

    python = str(Path(sys.executable))
    checked = clean.run(python.rpartition("/")[2], "-m", "gateway", "check", "inventory/prod.py")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    deployed = clean.run("pyinfra", "-y", "inventory/prod.py", "deploy.py")
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr

    answer = own.ask(HOST, f"http://wx.school-a.edu.cn/WW_verify_{CODE}.txt")
    assert (answer.status, answer.body) == (200, CODE.encode())
    record_property("seconds", round(time.monotonic() - started, 1))
    assert own.no_changes(clean.run("pyinfra", "-y", "inventory/prod.py", "deploy.py").stderr)
