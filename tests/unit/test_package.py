"""The package that `pip install .` makes: whole, declared, and the same product as the checkout."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from gateway import environment, product, starter
from gateway.cli import version

from .. import installed
from .conftest import REPO

RELEASES = """
import gateway
from gateway.fleet.loading import load
from gateway.nginx import release, tree
from gateway.nginx.trial import LIKELY_BUILD
for host in load("inventory/prod.py", certificates=False).hosts:
    print(host.name, release.build(tree.tree(host, LIKELY_BUILD)).id)
"""


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    return installed.environment(tmp_path_factory.mktemp("environment"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What an operator has who installed the product: an inventory and what belongs to it, and no code but this."""
    own = tmp_path_factory.mktemp("own")
    for name in ("inventory", "group_data", "files"):
        shutil.copytree(REPO / name, own / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("deploy.py", "rollback.py", "config.py"):
        shutil.copy(REPO / name, own)
    return own


def _run(folder, *command):
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_the_installed_product_renders_the_checkout_s_releases(programs, folder):
    own = _run(folder, programs / "python", "-c", RELEASES)
    assert own.stdout == _run(REPO, sys.executable, "-c", RELEASES).stdout
    assert len(own.stdout.splitlines()) == 4


def test_wecom_gateway_is_python_m_gateway(programs, folder):
    told = _run(folder, programs / "wecom-gateway", "check", "inventory/prod.py")
    assert told.stdout == _run(folder, programs / "python", "-m", "gateway", "check", "inventory/prod.py").stdout
    assert "inventory/prod.py: 4 errors, 5 warnings" in told.stdout
    assert told.returncode == 1


def test_the_installed_product_says_its_version_and_no_commit(programs, folder):
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    for command in ([programs / "wecom-gateway"], [programs / "python", "-m", "gateway"]):
        assert _run(folder, *command, "--version").stdout == f"wecom-gateway {project['version']}\n"


def test_config_py_checks_with_the_installed_product_before_anything_else(programs, folder):
    done = _run(folder, programs / "pyinfra", "-y", "inventory/prod.py", "deploy.py")
    assert done.returncode == 1
    assert "4 problems in inventory/prod.py; no host was contacted" in done.stderr


def test_every_file_of_the_product_is_in_the_package(programs):
    (packages,) = (programs.parent / "lib").glob("python*/site-packages")
    for source, target in ((REPO / "gateway", "gateway"), (REPO / "templates", "gateway/templates")):
        for path in source.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert (packages / target / path.relative_to(source)).read_bytes() == path.read_bytes()
    # a deploy quotes it
    assert (packages / "gateway" / "CHANGELOG.md").read_bytes() == (REPO / "CHANGELOG.md").read_bytes()


def test_the_installed_product_begins_the_repository_that_the_checkout_begins(programs, tmp_path):
    starter.write(tmp_path / "checkout")
    told = _run(tmp_path, programs / "wecom-gateway", "init", "--json", "installed")
    assert told.returncode == 0, told.stderr
    written = {path.relative_to(tmp_path / "checkout") for path in (tmp_path / "checkout").rglob("*")}
    assert {path.relative_to(tmp_path / "installed") for path in (tmp_path / "installed").rglob("*")} == written
    for name in written:
        one, other = (tmp_path / folder / name for folder in ("checkout", "installed"))
        assert one.is_dir() or (one.read_bytes() == other.read_bytes() and one.stat().st_mode == other.stat().st_mode)


def test_a_checkout_says_its_commit(monkeypatch, tmp_path):
    def git(*arguments):
        who = ["-c", "user.name=Wang", "-c", "user.email=wang@edu.cn", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True)

    monkeypatch.setattr(product, "checkout", lambda: tmp_path)
    assert version.described() == product.full_name()
    git("init", "-q")
    (tmp_path / "a").write_text("a")
    git("add", ".")
    git("commit", "-q", "-m", "a")
    git("tag", "-m", "any", "v9.9.9")
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=tmp_path, check=True, capture_output=True, text=True)
    name = f"{product.full_name()} (checkout at commit {commit.stdout[:12]}"
    assert version.described() == f"{name})"
    (tmp_path / "a").write_text("b")
    assert version.described() == f"{name}, with changes not committed)"
    git("checkout", "-q", "a")
    (tmp_path / "new").touch()
    assert version.described() == f"{name}, with changes not committed)"


def test_another_project_s_pyproject_is_not_believed(monkeypatch, tmp_path):
    """As one that lies beside the packages of an environment by somebody's mistake."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "other"\nversion = "7"\n')
    monkeypatch.setattr(product, "_PACKAGE", tmp_path / "gateway")
    for cached in (product.version, product._project):
        cached.cache_clear()
    try:
        assert product.version() != "7"
        assert product.checkout() is None
    finally:
        for cached in (product.version, product._project):
            cached.cache_clear()


def test_the_changelog_s_newest_version_is_the_product_s():
    versions = re.findall(r"(?m)^## \[(\d[^]]*)\] - \d{4}-\d\d-\d\d$", (REPO / "CHANGELOG.md").read_text())
    assert versions[0] == _project()["version"]
    assert len(versions) == len(set(versions))


def test_every_import_is_declared():
    """A dependency of a dependency is there by chance: it may leave, or change, with any version of that."""
    named = {text.split("~")[0].split(">")[0] for text in _project()["dependencies"]}
    found = packages_distributions()
    imported = set()
    for name in _imported() - {"gateway"} - sys.stdlib_module_names:
        (one,) = {distribution.lower() for distribution in found[name]}
        imported.add(one)
    assert imported == named


def test_what_python_must_have_is_what_the_project_says():
    """`python -m gateway` names what is missing before an import can fail."""
    found = packages_distributions()
    needed = {distribution.lower() for name in environment.PACKAGES for distribution in found[name]}
    assert needed == {text.split("~")[0].split(">")[0] for text in _project()["dependencies"]}
    assert _project()["requires-python"] == ">=" + ".".join(map(str, environment.OLDEST))


def _project():
    return tomllib.loads((REPO / "pyproject.toml").read_text())["project"]


def _imported():
    """The top-level names that the product imports, wherever in a module."""
    names = set()
    for path in Path(REPO / "gateway").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names.add(str(node.module).partition(".")[0])
    return names
