"""The installed package deploys to a real host from a folder that holds an inventory and no code of the product."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway import product
from lab import topology

from .. import installed
from ..conftest import REPO
from . import checkout as own
from .checkout import SLB, Checkout, no_changes

HOST = "t01"
CODE = "abcdEFGH12345678"


@dataclass
class Folder(Checkout):
    """An operator's own folder, with the programs of the environment that the product is installed in."""

    programs: Path = Path()

    def start(self, *arguments: str, **more: Any) -> subprocess.Popen[str]:
        return super().start(str(self.programs / arguments[0]), *arguments[1:], **more)

    def run(self, *arguments: str, timeout: float = 600, **more: Any) -> subprocess.CompletedProcess[str]:
        return self.run_anew(*arguments, timeout=timeout, **more)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Those of an environment that the product is installed in."""
    return installed.environment(tmp_path_factory.mktemp("installed") / "environment")


@pytest.fixture
def folder(programs: Path, tmp_path: Path) -> Folder:
    """What `init` writes, with a verification file."""
    made = Folder(tmp_path / "own", HOST, programs)
    subprocess.run([made.programs / "wecom-gateway", "init", made.path], check=True, capture_output=True)
    (made.path / ".venv").symlink_to(programs.parent)
    made.verification(SLB["domain"], CODE)
    return made


def test_the_installed_product_deploys_what_the_checkout_would(packaged_host, folder, tmp_path):
    folder.write_sites(SLB)
    folder.deploy_well()
    answer = own.ask(HOST, f"http://{SLB['domain']}/WW_verify_{CODE}.txt")
    assert answer.body == CODE.encode()
    code, report = folder.status()
    (host,) = report["hosts"]
    assert (code, host["in_sync"], host["version"]) == (0, True, product.version())
    told = folder.run("wecom-gateway", "status", "inventory/own.py", "--no-outside")
    assert product.version() in told.stdout
    # the checkout finds nothing to change: it is the same release
    checkout = Checkout.make(tmp_path / "checkout", HOST)
    for name in ("inventory", "files"):
        shutil.copytree(folder.path / name, checkout.path / name, dirs_exist_ok=True)
    assert no_changes(checkout.deploy_well())


@pytest.mark.skipif(shutil.which("ssh-agent") is None, reason="needs an SSH client")
def test_a_runner_previews_and_deploys_with_a_key_that_no_file_holds(packaged_host, folder, tmp_path):
    """As the workflow does, whose other steps tests/unit/test_workflow.py runs."""

    def run(*command: str, **secrets: str) -> subprocess.CompletedProcess[str]:
        variables = {**os.environ, "HOME": str(tmp_path), "INVENTORY": "inventory/own.py", **secrets}
        return subprocess.run(
            ["ci/with-secrets.sh", *command],
            cwd=folder.path,
            env={key: value for key, value in variables.items() if key != "SSH_AUTH_SOCK"},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def write(body: str) -> None:
        folder.write_sites({**SLB, "max_body": body})
        inventory = folder.path / "inventory/own.py"
        inventory.write_text(inventory.read_text().replace("'ssh_key'", "'note'"))

    key = topology.SSH_KEY.read_text()
    write("11m")
    assert run("ci/deploy.sh", "1/1").returncode == 1
    done = run("ci/deploy.sh", "1/1", GATEWAY_SSH_KEY=key)
    assert done.returncode == 0, done.stdout + done.stderr
    assert own.ask(HOST, f"http://{SLB['domain']}/WW_verify_{CODE}.txt").body == CODE.encode()
    write("12m")
    done = run("ci/preview.sh", "preview.txt", GATEWAY_SSH_KEY=key)
    assert done.returncode == 0, done.stdout + done.stderr
    preview = (folder.path / "preview.txt").read_text()
    assert re.search(r"-.*client_max_body_size 11m;", preview)
    assert re.search(r"\+.*client_max_body_size 12m;", preview)


def test_a_template_of_the_folder_s_own_goes_first_and_rolls_back(packaged_host, folder):
    folder.write_sites(SLB)
    folder.deploy_well()
    snippet = folder.path / "templates" / "nginx" / "snippets" / "server.conf.j2"
    snippet.parent.mkdir(parents=True)
    shipped = (REPO / "templates" / "nginx" / "snippets" / "server.conf.j2").read_text()
    snippet.write_text(f"{shipped}add_header X-Folder own always;\n")
    folder.deploy_well()
    url = f"http://{SLB['domain']}/healthz"
    assert "X-Folder: own" in own.on_host(HOST, f"curl -sI -H 'Host: {SLB['domain']}' http://127.0.0.1/nothing.txt")
    assert folder.roll_back().returncode == 0
    assert own.ask(HOST, url).status == 200
    snippet.write_text("{% iff %}")
    done = folder.deploy()
    assert done.returncode == 1
    assert "templates/nginx/snippets/server.conf.j2:1: Encountered unknown tag 'iff'" in done.stderr
    assert "no host was contacted" in done.stderr
