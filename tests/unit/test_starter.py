"""A repository of one's own: what `init` writes, and that nothing is lost or half-written."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib

import pytest
from click.testing import CliRunner

from gateway import product, starter
from gateway.cli.main import main
from gateway.fleet.loading import load
from gateway.starter import texts

from .conftest import REPO

PROD = 'hosts = [("h1", {"sites": []})]\n'


@pytest.fixture
def own(tmp_path):
    starter.write(tmp_path / "own")
    return tmp_path / "own"


def _files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_it_has_everything_that_a_deploy_needs_as_the_checkout_has_it(own):
    for name in ("deploy.py", "rollback.py", "config.py", ".gitignore", "inventory/prod.py"):
        assert (own / name).read_bytes() == (REPO / name).read_bytes()
    for path in (REPO / "group_data").glob("*.py"):
        assert (own / "group_data" / path.name).read_bytes() == path.read_bytes()
    assert sorted(path.name for path in (own / "files").iterdir()) == ["ca", "certs", "nginx", "verify"]
    assert not (own / "inventory" / "demo.py").exists()


def test_its_examples_lack_nothing_but_certificates_and_verification_files(own, monkeypatch):
    monkeypatch.chdir(own)
    for name in ("prod", "test"):
        problems = load(f"inventory/{name}.py").problems
        assert problems
        assert {problem.field for problem in problems} <= {"cert", "verify", "bk.upstream"}


def test_the_paths_are_those_written_in_their_order(tmp_path):
    folder = tmp_path / "a" / "own"
    written = starter.write(folder)
    assert [path.relative_to(folder).as_posix() for path in written] == _files(folder)


def test_inventories_of_ones_own_replace_all_examples(tmp_path):
    starter.write(tmp_path / "own", inventory={"prod.py": PROD})
    assert [path.name for path in (tmp_path / "own/inventory").iterdir()] == ["prod.py"]
    assert (tmp_path / "own/inventory/prod.py").read_text() == PROD
    assert (tmp_path / "own/group_data/wanxiao_prod.py").is_file()


def test_platforms_of_ones_own_come_after_the_shipped_ones(tmp_path):
    starter.write(tmp_path / "own", platforms="platforms |= {}\n")
    shipped = (REPO / "group_data/all.py").read_text()
    assert (tmp_path / "own/group_data/all.py").read_text() == f"{shipped}\nplatforms |= {{}}\n"


def test_scripts_can_be_run_and_nothing_else(own):
    able = [path.relative_to(own).as_posix() for path in own.rglob("*") if path.is_file() and os.access(path, os.X_OK)]
    assert able
    assert all(name.startswith("ci/") and name.endswith(".sh") for name in able)


def test_a_folder_with_something_in_it_stays_as_it_is(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(starter.FolderError, match="is not empty; name a new folder"):
        starter.write(tmp_path)
    assert _files(tmp_path) == ["notes.txt"]


def test_a_repository_that_was_just_cloned_counts_as_empty(tmp_path):
    """A forge makes it; and the product may be installed in the folder itself."""
    for name in (".git", ".venv"):
        (tmp_path / name).mkdir()
    starter.write(tmp_path)
    assert (tmp_path / "deploy.py").is_file()


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path):
    (tmp_path / "own").write_text("mine")
    with pytest.raises(starter.FolderError, match="own: cannot be written: "):
        starter.write(tmp_path / "own")
    assert (tmp_path / "own").read_text() == "mine"


@pytest.mark.parametrize("there", [True, False])
def test_nothing_is_left_where_writing_ends_half_way(tmp_path, there):
    """A name that no file system takes stands in for a disk that is full."""
    folder = tmp_path / "new" / "own"
    if there:
        folder.mkdir(parents=True)
    with pytest.raises(starter.FolderError, match="cannot be written: File name too long; name another folder"):
        starter.write(folder, inventory={f"{'x' * 300}.py": ""})
    assert [*folder.parent.glob("**/*")] == ([folder] if there else [])
    assert (tmp_path / "new").exists() == there


def test_the_lock_names_the_product_by_version_and_what_it_needs_as_the_checkout_does(own):
    lock = (own / "requirements.lock").read_text()
    assert f"\n# wecom-gateway=={product.version()}\n" in lock
    names = set(re.findall(r"(?m)^([\w-]+)==", lock))
    project = tomllib.loads((REPO / "pyproject.toml").read_text())
    assert {re.split(r"[~><=]", text)[0] for text in project["project"]["dependencies"]} <= names
    assert not names & {"pytest", "ruff", "mypy", "hatchling", "hypothesis", "mkdocs", "import-linter"}
    # what is needed in turn: of paramiko, of pydantic, of gevent
    assert {"bcrypt", "pynacl", "pydantic-core", "greenlet"} <= names
    assert set(lock.splitlines()[2:]) <= set((REPO / "requirements.lock").read_text().splitlines())


def test_every_package_of_the_lock_has_hashes(own):
    lock = (own / "requirements.lock").read_text()
    for entry in re.findall(r"(?m)^[\w-]+==.*\n(?:    .*\n)*", lock):
        assert "--hash=sha256:" in entry


def test_the_wheel_has_what_init_takes_from_the_checkout():
    wheel = tomllib.loads((REPO / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    starting = {source for source, target in wheel["force-include"].items() if target.startswith("gateway/starter/")}
    assert starting == {*texts.FROM_CHECKOUT, "requirements.lock"}
    for source in starting:
        assert wheel["force-include"][source] == f"gateway/starter/checkout/{source}"


def test_no_file_names_this_machine_or_an_index(own):
    for path in own.rglob("*"):
        if path.is_file():
            text = path.read_text()
            assert str(REPO) not in text
            assert not re.search(r"pypi|--index-url|--extra-index", text), path


def test_init_says_what_comes_next(tmp_path):
    done = CliRunner().invoke(main, ["init", str(tmp_path / "schools")])
    assert done.exit_code == 0, done.output
    for step in (
        "git init -b main",
        "inventory/prod.py",
        "wecom-gateway check inventory/prod.py",
        "README.zh-CN.md",
        "wheels/",
    ):
        assert step in done.output
    assert not (tmp_path / "schools" / ".git").exists()


def test_init_leaves_out_the_steps_that_are_done(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["init", "."])
    assert "  1. put wheels/" in done.output
    assert "git init" not in done.output


def test_init_refuses_a_folder_that_is_not_empty(tmp_path):
    (tmp_path / "mine").touch()
    done = CliRunner().invoke(main, ["init", str(tmp_path)])
    assert (done.exit_code, done.output) == (1, f"error: {tmp_path}: is not empty; name a new folder\n")
    told = CliRunner().invoke(main, ["init", "--json", str(tmp_path)])
    assert (told.exit_code, json.loads(told.output)) == (1, {"error": f"{tmp_path}: is not empty; name a new folder"})


def test_init_lists_its_files_for_programs(tmp_path):
    done = CliRunner().invoke(main, ["init", "--json", str(tmp_path / "own")])
    assert [str(tmp_path / "own" / name) for name in _files(tmp_path / "own")] == json.loads(done.output)["files"]


def test_both_readmes_have_the_same_commands(own):
    code = re.compile(r"^```\n(.*?)^```", re.M | re.S)
    english, chinese = (code.findall((own / name).read_text()) for name in ("README.md", "README.zh-CN.md"))
    assert english == chinese


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_git_leaves_out_a_key_and_takes_the_rest(own):
    (own / "files/certs/wx.a.edu.cn").mkdir()
    (own / "files/certs/wx.a.edu.cn/privkey.pem").touch()
    (own / "wheels/wecom_gateway-0.2.0-py3-none-any.whl").touch()
    subprocess.run(["git", "init", "-q"], cwd=own, check=True)
    told = subprocess.run(
        ["git", "status", "--porcelain", "-uall"], cwd=own, check=True, capture_output=True, text=True
    )
    assert sorted(line[3:] for line in told.stdout.splitlines()) == [
        name for name in _files(own) if not name.startswith(".git/") and not name.endswith("privkey.pem")
    ]
