"""What a host says of itself, by the script as it runs there on a folder made up for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .host_scripts import body, run


def _state(home: Path) -> dict[str, str]:
    # what apt knows here takes most of the time and is of no matter
    done = run("state", f"apt-cache() {{ :; }}\n{body('state')}", home)
    assert done.returncode == 0, done.stderr
    return dict(line.partition(" ")[::2] for line in done.stdout.splitlines())


@pytest.fixture
def home(tmp_path) -> Path:
    """Three releases were in force here, each with a name of its own; the second is now."""
    (tmp_path / "upstreams").mkdir()
    for number in (1, 2, 3):
        release = tmp_path / "releases" / f"{number:016}"
        release.mkdir(parents=True)
        (release / "upstreams").write_text(f"common.example 443\nn{number}.example 443\n")
        (tmp_path / "upstreams" / f"n{number}.example_443.conf").write_text("server 127.0.0.1:9 down;\n")
    (tmp_path / "upstreams" / "common.example_443.conf").write_text("server 10.0.0.1:443;\n")
    (tmp_path / "current").symlink_to("releases/0000000000000002")
    return tmp_path


def test_only_names_of_the_release_in_force_are_told_as_unresolved(home):
    """A typo that was mended, and a route that was removed, are kept in the releases to roll back to."""
    assert _state(home)["unresolved"] == "n2.example"


def test_a_rollback_brings_its_own_back(home):
    (home / "current").unlink()
    (home / "current").symlink_to("releases/0000000000000003")
    assert _state(home)["unresolved"] == "n3.example"


def test_the_version_of_the_release_in_force_is_told_where_it_is_recorded(home):
    assert _state(home)["product"] == ""
    (home / "versions").mkdir()
    (home / "versions" / "0000000000000002").write_text("0.2.0\n")
    (home / "versions" / "0000000000000003").write_text("0.3.0\n")
    assert _state(home)["product"] == "0.2.0"
    (home / "current").unlink()
    assert "product" not in _state(home)


@pytest.mark.parametrize("gone", ["current", "upstreams/n2.example_443.conf"])
def test_what_is_not_there_is_not_told(home, gone):
    (home / gone).unlink()
    assert _state(home)["unresolved"] == ""
