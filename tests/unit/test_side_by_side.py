"""Two test processes together run every test once, and tests that share hosts in one of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests import side_by_side
from tests.conftest import REPO

_TESTS = """
import os, time
import pytest

def say(word):
    with open({told!r}, "a") as file:
        file.write(word + " " + str(os.getpid()) + "\\n")
    time.sleep(0.05)

@pytest.mark.parametrize("number", range(3))
def test_of_this_module(number):
    say("{name}" + str(number))

@pytest.mark.parametrize("suite", ["one", "two"])
def test_of_a_release(suite):
    say("{name}" + suite)
"""


def _run(folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text("[pytest]\n")
    return subprocess.run(
        [sys.executable, "-m", "tests.side_by_side", "-c", str(folder / "pytest.ini"), str(folder)],
        cwd=REPO,
        # Of the run that this test is in, nothing.
        env={key: value for key, value in os.environ.items() if key != side_by_side.TAKEN},
        capture_output=True,
        text=True,
        check=False,
    )


def test_each_test_runs_once_and_those_of_a_module_or_a_release_in_one_process(tmp_path: Path) -> None:
    told = tmp_path / "told"
    names = [f"m{number}" for number in range(6)]
    for name in names:
        (tmp_path / f"test_{name}.py").write_text(_TESTS.format(told=str(told), name=name))
    done = _run(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    ran = [line.split() for line in told.read_text().splitlines()]
    assert sorted(word for word, _ in ran) == sorted(
        f"{name}{which}" for name in names for which in ("0", "1", "2", "one", "two")
    )
    assert len({process for _, process in ran}) == 2
    for name in names:
        assert len({process for word, process in ran if word in {f"{name}{number}" for number in range(3)}}) == 1
    for release in ("one", "two"):
        assert len({process for word, process in ran if word.endswith(release)}) == 1


def test_a_failure_in_either_process_fails_both(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"test_{name}.py").write_text(f"def test_it():\n    assert {name!r} == 'a'\n")
    done = _run(tmp_path)
    assert done.returncode == 1
    assert "FAILED" in done.stdout


def test_what_one_process_has_taken_the_other_one_leaves_out_in_a_copy_too(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    said = []
    for name in ("checkout", "copy"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "pytest.ini").write_text("[pytest]\n")
        (folder / "test_a.py").write_text("def test_it():\n    pass\n")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "tests.side_by_side"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(REPO), side_by_side.TAKEN: str(tmp_path / "taken")},
            capture_output=True,
            text=True,
            check=False,
        )
        said.append("1 passed" in done.stdout)
    assert said == [True, False]
