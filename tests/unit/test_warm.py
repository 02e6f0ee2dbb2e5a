"""Programs in processes that begin warm do what the same command would do in a new Python."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests import warm

TELLS = """
import os, sys
print(sorted(name for name in sys.modules if name.partition(".")[0] in ("gateway", "tests")))
print(os.getcwd(), sys.argv[1:], os.environ.get("ASKED"), sys.stdin.read())
print("wrong: \\udc80", file=sys.stderr)
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tells.py").write_text(TELLS)
    (tmp_path / "waits.py").write_text("import time; print('here', flush=True); time.sleep(60)")
    (tmp_path / "gateway.py").write_text("print('of this folder')")
    return tmp_path


def _run(folder: Path, module: str, *arguments: str, patience: float = 60) -> tuple[int | None, str, str]:
    out, err = folder / "out", folder / "err"
    environment = {"PATH": os.environ["PATH"], "ASKED": "yes"}
    code = warm.run(module, arguments, folder, environment, out, err, patience)
    return code, out.read_text(), err.read_text()


@pytest.mark.parametrize("code", [0, 3])
def test_it_has_its_own_folder_words_surroundings_and_exit_code(folder: Path, code: int) -> None:
    assert _run(folder, "tells", str(code)) == (code, f"[]\n{folder} ['{code}'] yes \n", "wrong: \\udc80\n")


def test_what_stands_in_its_folder_goes_before_the_checkout(folder: Path) -> None:
    assert _run(folder, "gateway") == (0, "of this folder\n", "")


def test_one_that_does_not_end_is_ended(folder: Path) -> None:
    began = time.monotonic()
    assert _run(folder, "waits", patience=3) == (None, "here\n", "")
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(("said", "kept"), [("1", False), ("", True)])
def test_what_it_compiles_is_kept_where_its_surroundings_allow_it(folder: Path, said: str, kept: bool) -> None:
    (folder / "imports.py").write_text("import tells_nothing")
    (folder / "tells_nothing.py").write_text("")
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": said}
    assert warm.run("imports", [], folder, environment, folder / "out", folder / "err", 60) == 0
    assert (folder / "__pycache__").exists() is kept


def test_both_outputs_may_be_one_file_of_which_nothing_older_is_left(folder: Path) -> None:
    both = folder / "both"
    both.write_text("older " * 100)
    (folder / "says.py").write_text("import sys; print('one', flush=True); print('two', file=sys.stderr)")
    assert warm.run("says", [], folder, {"PATH": os.environ["PATH"]}, both, both, 60) == 0
    assert both.read_text() == "one\ntwo\n"
