"""Ansible and Mitogen in an environment of their own, bench/.venv, made when first needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.errors import BenchError
from bench.progress import say
from lab import topology

_BENCH = Path(__file__).resolve().parent
_VENV = _BENCH / ".venv"
_LOCK = _BENCH / "requirements.lock"
_STAMP = _VENV / ".complete"  # holds the lock that was installed


def install() -> None:
    """Installs what the lock names, unless that is done. Raises BenchError where pip fails."""
    lock = _LOCK.read_bytes()
    if _STAMP.exists() and _STAMP.read_bytes() == lock:
        return
    say("installing Ansible and Mitogen into bench/.venv")
    pip: list[str | Path] = [
        _VENV / "bin" / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    steps: list[list[str | Path]] = [
        [sys.executable, "-m", "venv", "--clear", _VENV],
        [*pip, "--require-hashes", "--only-binary", ":all:", "-r", _LOCK],
    ]
    for command in steps:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BenchError(f"Ansible cannot be installed (--quick goes without it):\n{done.stderr.strip()}")
    _STAMP.write_bytes(lock)


def command(name: str) -> Path:
    """The path of one of its commands."""
    return _VENV / "bin" / name


def versions() -> dict[str, str]:
    """The pinned versions, by package."""
    pins = [line.split()[0].split("==") for line in _LOCK.read_text().splitlines() if "==" in line]
    return {name: version for name, version in pins if name in ("ansible-core", "mitogen")}


def host_variables(address: str) -> dict[str, str]:
    """Variables by which Ansible reaches a lab host. The interpreter is named, so that Ansible need not look for it."""
    return {
        "ansible_host": address,
        "ansible_user": topology.SSH_USER,
        "ansible_ssh_private_key_file": str(topology.SSH_KEY),
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={topology.KNOWN_HOSTS}",
        "ansible_python_interpreter": "/usr/bin/python3",
    }


def environment(folder: Path, mitogen: bool) -> dict[str, str]:
    """Ansible's settings: pipelining, or Mitogen's strategy. Its files go to `folder`; the user's are not read."""
    config = folder / "ansible.cfg"
    config.write_text("[defaults]\n")
    settings = {"ANSIBLE_HOME": str(folder / "home"), "ANSIBLE_CONFIG": str(config)}
    if not mitogen:
        return {**settings, "ANSIBLE_PIPELINING": "True"}
    plugins = next(_VENV.glob("lib/python*/site-packages/ansible_mitogen/plugins/strategy"))
    return {**settings, "ANSIBLE_STRATEGY": "mitogen_linear", "ANSIBLE_STRATEGY_PLUGINS": str(plugins)}
