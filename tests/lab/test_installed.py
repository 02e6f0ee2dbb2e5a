"""The installed package deploys to a real host from a folder that holds an inventory and no code of the product."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway import product

from .. import installed
from ..conftest import REPO
from . import checkout as own
from .checkout import HOME, SLB, Checkout, no_changes

HOST = "t01"
CODE = "abcdEFGH12345678"
CURRENT = f"$(readlink {HOME}/current | cut -d / -f 2)"


@dataclass
class Folder(Checkout):
    """An operator's own folder, with the programs of the environment that the product is installed in."""

    programs: Path = Path()

    def start(self, *arguments: str, **more: Any) -> subprocess.Popen[str]:
        return super().start(str(self.programs / arguments[0]), *arguments[1:], **more)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """What stands in Checkout.make, but for the product's own folders."""
    path = tmp_path / "own"
    shutil.copytree(REPO / "group_data", path / "group_data", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("deploy.py", "rollback.py", "config.py"):
        shutil.copy(REPO / name, path)
    (path / "inventory").mkdir()
    (path / "files").mkdir()
    made = Folder(path, HOST, installed.environment(tmp_path / "environment"))
    made.verification(SLB["domain"], CODE)
    return made


def test_the_installed_product_deploys_what_the_checkout_would(bare_host, folder, tmp_path):
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


def test_a_template_of_the_folder_s_own_goes_first_and_rolls_back(bare_host, folder):
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


def test_a_host_keeps_which_version_each_of_its_releases_came_from(bare_host, folder):
    """Beside the releases and their origins, as long as those are there; one of before it was kept has none."""
    for number in range(7):
        folder.write_sites({**SLB, "max_body": f"{number + 1}m"})
        folder.deploy_well()
        assert own.on_host(HOST, f"cat {HOME}/versions/{CURRENT}").strip() == product.version()
    releases, versions = (own.on_host(HOST, f"ls {HOME}/{name}").split() for name in ("releases", "versions"))
    assert set(versions) <= set(releases)
    assert own.on_host(HOST, f"wc -w <{HOME}/origins/{CURRENT}").strip() == "6"
    own.on_host(HOST, f"rm -r {HOME}/versions")
    assert no_changes(folder.deploy_well())
    code, report = folder.status()
    assert (code, report["hosts"][0]["version"]) == (0, None)
