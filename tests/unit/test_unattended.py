"""Runs from the wrong place, with the wrong Python, with the wrong file first, or with nobody to press enter."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import environment

from .conftest import REPO

SITE = '"sites": [{"domain": "wx.a.edu.cn", "edge": "slb"}]'
ALONE = {"stdin": subprocess.DEVNULL, "start_new_session": True, "capture_output": True, "text": True, "timeout": 60}


@pytest.fixture
def checkout(tmp_path):
    """A checkout with an inventory of one host that is this machine's closed port, and one that asks nobody."""
    for name in ("group_data", "gateway", "templates"):
        (tmp_path / name).symlink_to(REPO / name)
    for name in ("config.py", "deploy.py", "rollback.py"):
        shutil.copy(REPO / name, tmp_path)
    (tmp_path / "inventory").mkdir()
    (tmp_path / "inventory/prod.py").write_text(f'wanxiao_prod = [("h1", {{"ssh_key": "none", {SITE}}})]\n')
    return tmp_path


def _pyinfra(folder, *arguments, **more):
    program = str(Path(sys.executable).parent / "pyinfra")
    done = subprocess.run([program, *arguments], cwd=folder, **{**ALONE, **more})
    assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
    return done


@pytest.mark.parametrize("name", ["deploy.py", "rollback.py"])
def test_the_inventory_goes_first(checkout, name):
    done = _pyinfra(checkout, "-y", name, "inventory/prod.py")
    assert done.returncode == 1
    assert f"{name} is no inventory" in done.stderr
    assert f"right would be: pyinfra inventory/prod.py {name}" in done.stderr


@pytest.mark.parametrize("name", ["deploy.py", "rollback.py"])
def test_a_deploy_of_another_folder_says_where_to_run_it(checkout, name, tmp_path_factory):
    """@local, so that something is there to connect to: pyinfra reads the file afterwards."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    done = _pyinfra(elsewhere, "-y", "@local", str(checkout / name))
    assert done.returncode == 1
    assert f"{name}: No module named 'gateway'; run it in its own folder" in done.stderr


def test_a_pyinfra_without_the_projects_packages_says_so(checkout):
    (checkout / "gateway").unlink()
    done = _pyinfra(checkout, "-y", "inventory/prod.py", "deploy.py")
    assert done.returncode == 1
    assert "config.py: No module named 'gateway" in done.stderr
    assert "run the pyinfra that is installed beside wecom-gateway" in done.stderr


def test_a_python_without_the_packages_says_so(checkout):
    done = subprocess.run(
        [sys.executable, "-S", "-m", "gateway", "check", "inventory/prod.py"], cwd=checkout, check=False, **ALONE
    )
    assert done.returncode == 1
    assert done.stderr.startswith("wecom-gateway: ")
    assert "lacks pyinfra, gevent, jinja2" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_python_that_is_too_old_says_so(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    assert environment.why_unusable().startswith("needs Python 3.11 or later, this is 3.9; ")


def test_nobody_to_press_enter_is_a_sentence_and_no_success(checkout):
    """Two hosts, so that pyinfra would ask whether to go on without the other one."""
    (checkout / "inventory/prod.py").write_text(
        f'wanxiao_prod = [("h1", {{"ssh_key": "none", {SITE}}}), ("@local", {{{SITE}}})]\n'
    )
    done = _pyinfra(checkout, "inventory/prod.py", "deploy.py")
    assert done.returncode == 1
    assert "nobody is there to press enter; add -y" in done.stderr


def test_a_key_file_that_is_not_there_is_a_warning_of_check(checkout):
    (checkout / "inventory/prod.py").write_text(
        f'wanxiao_prod = [("h1", {{"ssh_key": "~/none", {SITE}}}), ("h2", {{"ssh_key": "~/none", {SITE}}})]\n'
    )
    command = [sys.executable, "-m", "gateway", "check", "inventory/prod.py", "--json"]
    done = subprocess.run(command, cwd=checkout, check=False, **ALONE)
    assert done.returncode == 0
    (problem,) = [one for one in json.loads(done.stdout)["problems"] if one["field"] == "ssh_key"]
    assert problem["host"] == "h1"
    assert problem["severity"] == "warning"
    assert "~/none: No such file or directory" in problem["text"]
    assert "(and 1 more host)" in problem["text"]


@pytest.mark.parametrize("home", ["/proc/none", None])
def test_check_works_without_a_home(checkout, home):
    environment = {key: value for key, value in os.environ.items() if key != "HOME"} | ({"HOME": home} if home else {})
    command = [sys.executable, "-m", "gateway", "check", "inventory/prod.py"]
    done = subprocess.run(command, cwd=checkout, check=False, env=environment, **ALONE)
    assert "Traceback" not in done.stderr
    assert done.returncode == 0
