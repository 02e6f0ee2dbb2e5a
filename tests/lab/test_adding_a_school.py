"""From a clean checkout to a served verification file by what the README says alone."""

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


def _of_the_readme(start: str, language: str = "") -> str:
    """The code of the README that begins like this, word for word."""
    return re.search(rf"```{language}\n({re.escape(start)}.*?)```", (REPO / "README.md").read_text(), re.S)[1]


def test_a_school_is_added_by_one_command_and_a_file(bare_host, clean, record_property):
    started = time.monotonic()
    # The lab's host has its own address, key and known_hosts; everything else is the README's, its user and sudo too.
    login = _of_the_readme("ssh_user", "python")
    commands = _of_the_readme("python -m gateway add").replace("\\\n", "").splitlines()
    assert "~/.ssh/id_ed25519" in login
    assert "203.0.113.10" in commands[0]
    (clean.path / "inventory" / "prod.py").write_text("")
    group = clean.path / "group_data" / "all.py"
    login = login.replace("~/.ssh/id_ed25519", str(topology.SSH_KEY))
    group.write_text(f"{group.read_text()}\n{login}ssh_known_hosts_file = {str(topology.KNOWN_HOSTS)!r}\n")
    # As a browser on Windows saves it.
    downloaded = clean.path / f"WW_verify_{CODE}.txt"
    downloaded.write_bytes(b"\xef\xbb\xbf" + CODE.encode() + b"\r\n")

    python = str(Path(sys.executable))
    words = commands[0].replace("203.0.113.10", topology.address(HOST)).split()
    words = [str(downloaded) if word.startswith("~") else word for word in words]
    added = clean.run(python.rpartition("/")[2], *words[1:])
    assert added.returncode == 0, added.stdout + added.stderr
    downloaded.unlink()
    deployed = clean.run("pyinfra", "-y", "inventory/prod.py", "deploy.py")
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr

    answer = own.ask(HOST, f"http://wx.school-a.edu.cn/WW_verify_{CODE}.txt")
    assert (answer.status, answer.body) == (200, CODE.encode())
    record_property("seconds", round(time.monotonic() - started, 1))
    assert own.no_changes(clean.run("pyinfra", "-y", "inventory/prod.py", "deploy.py").stderr)
