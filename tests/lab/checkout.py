"""A copy of the product with an inventory of its own, and the host that it deploys to."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import client, hosts, pki, topology

from .. import warm
from ..conftest import REPO

# What the product needs of others.
warm.preload("pyinfra_cli.main", "pyinfra.api", "paramiko", "pydantic", "cryptography.x509", "crossplane", "pytest")

HOME = "/etc/nginx/wecom-gateway"

SLB: dict[str, Any] = {"domain": "a.edu.example", "edge": "slb", "platform": "wanxiao_prod"}
TLS: dict[str, Any] = {
    "domain": "b.edu.example",
    "edge": "tls",
    "platform": "bkitsm",
    "bk": {"upstream": "https://paas.inner.example", "apps": ["itsm"]},
}


def on_host(name: str, script: str) -> str:
    """What the script prints, run as root in the host's container; LabError where it fails."""
    return hosts.exec_in(name, ["bash", "-c", script])


def ask(name: str, url: str, **options: Any) -> client.Response:
    """One request to the host itself."""
    return client.request(url, connect=topology.address(name), **options)


def answers(name: str, url: str) -> bool:
    """Whether the host itself answers with 200."""
    try:
        return ask(name, url).status == 200
    except OSError:
        return False


@dataclass
class Checkout:
    """A copy of the product with files and an inventory of its own."""

    path: Path
    default_host: str

    @classmethod
    def make(cls, path: Path, default_host: str) -> Checkout:
        """Copies what an operator's checkout has and a deploy needs, compiled modules too: they save time."""
        for name in ("gateway", "templates", "group_data"):
            shutil.copytree(REPO / name, path / name)
        for name in ("deploy.py", "rollback.py", "config.py"):
            shutil.copy(REPO / name, path)
        (path / "inventory").mkdir()
        (path / "files").mkdir()
        return cls(path, default_host)

    def write_sites(self, *sites: dict[str, Any]) -> None:
        """An inventory of the default host alone."""
        self.write_hosts({self.default_host: list(sites)})

    def write_hosts(self, sites: dict[str, list[dict[str, Any]]], **more: Any) -> None:
        """An inventory of several hosts; `more` is further data of each."""
        ssh = {
            "ssh_user": topology.SSH_USER,
            "ssh_key": str(topology.SSH_KEY),
            "ssh_known_hosts_file": str(topology.KNOWN_HOSTS),
            "_sudo": True,
            **more,
        }
        entries = [(name, {"ssh_hostname": topology.address(name), **ssh, "sites": own}) for name, own in sites.items()]
        (self.path / "inventory" / "own.py").write_text(f"hosts = {entries!r}\n")

    def start(self, *arguments: str, **more: Any) -> subprocess.Popen[str]:
        """A command of the checkout in the background; `more` is Popen's."""
        return subprocess.Popen(
            [str(Path(sys.executable).parent / arguments[0]), *arguments[1:]],
            cwd=self.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )

    def run(self, *arguments: str, timeout: float = 600, **more: Any) -> subprocess.CompletedProcess[str]:
        """A command of the checkout, to its end. One in Python has packages imported, but in odd surroundings."""
        module, words = _module(arguments)
        if module and more.keys() <= {"env"}:
            return _warm(self.path, module, words, more.get("env", os.environ), timeout)
        return self.run_anew(*arguments, timeout=timeout, **more)

    def run_anew(self, *arguments: str, timeout: float = 600, **more: Any) -> subprocess.CompletedProcess[str]:
        """A command of the checkout, to its end, as a shell starts it."""
        process = self.start(*arguments, **more)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def deploy(self, *options: str) -> subprocess.CompletedProcess[str]:
        """A deploy that may take away sites: the tests of a module share a host, each with sites of its own."""
        return self.deploy_guarded("--data", "allow_site_removal=1", *options)

    def deploy_guarded(self, *options: str) -> subprocess.CompletedProcess[str]:
        """A deploy as an operator types it."""
        return self.run("pyinfra", "-y", *options, "inventory/own.py", "deploy.py")

    def deploy_well(self, *options: str) -> str:
        done = self.deploy(*options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def roll_back(self) -> subprocess.CompletedProcess[str]:
        return self.run("pyinfra", "-y", "inventory/own.py", "rollback.py")

    def accept(self) -> None:
        """Has the acceptance tests pass on the hosts of the inventory."""
        for name in ("__init__.py", "conftest.py", "acceptance"):
            source, target = REPO / "tests" / name, self.path / "tests" / name
            if target.exists():
                continue
            target.parent.mkdir(exist_ok=True)
            shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
        shutil.copy(REPO / "pyproject.toml", self.path)
        if not (self.path / "lab").exists():
            (self.path / "lab").symlink_to(REPO / "lab")
        done = self.run(
            *("python", "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("tests/acceptance", "--inventory", "inventory/own.py"),
            env={**os.environ, "SSL_CERT_FILE": str(topology.CA)},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(r"\b[1-9][0-9]+ passed", done.stdout)

    def status(self) -> tuple[int, dict[str, Any]]:
        """Exit code and the report of `python -m gateway status --json`."""
        done = self.run("python", "-m", "gateway", "status", "inventory/own.py", "--json", "--no-outside")
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    def certificate(self, domain: str) -> bytes:
        """Puts a certificate of the lab's CA where the convention wants it; returns the key."""
        folder = self.path / "files" / "certs" / domain
        pki.issue(domain, [domain], folder)
        return (folder / "privkey.pem").read_bytes()

    def verification(self, domain: str, code: str) -> None:
        folder = self.path / "files" / "verify" / domain
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"WW_verify_{code}.txt").write_text(code)


def run_product(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command of the product, as an operator runs it in that folder."""
    module, arguments = ("pyinfra", words[1:]) if words[0] == "pyinfra" else ("gateway", words)
    return _warm(folder, module, arguments, os.environ | {"PYTHONPATH": str(REPO)}, 300)


def _module(command: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The module of a Python program and its arguments; no module where the command is none."""
    if command[:2] == ("python", "-m"):
        return command[2], command[3:]
    return ("pyinfra" if command[0] == "pyinfra" else ""), command[1:]


def _warm(
    path: Path, module: str, words: Sequence[str], environment: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory(prefix="command-") as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        code = warm.run(module, words, path, environment, out, err, timeout)
        if code is None:
            raise subprocess.TimeoutExpired([module, *words], timeout)
        return subprocess.CompletedProcess([module, *words], code, out.read_text(), err.read_text())


def no_changes(output: str) -> bool:
    """True where pyinfra's table of results says so for every operation."""
    (total,) = [line.split() for line in output.splitlines() if "Grand total" in line]
    return total[3:5] == ["-", "-"]


def result_of(output: str, operation: str) -> list[str]:
    """Hosts, success, error, no change: the operation's row in pyinfra's table of results."""
    (row,) = [line for line in output.partition("--> Results:")[2].splitlines() if operation in line]
    return row.split(operation)[1].split()
