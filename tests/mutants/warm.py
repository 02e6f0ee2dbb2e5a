"""pytest in processes that begin with all packages imported: that takes longer than most of the tests.

Only what is no part of the checkout stays imported. Each process reads the product and the tests from a copy.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.mutants.catalogue import CHECKOUT

# With these every package that the product and its fast tests use is there.
_PRELOADED = ["gateway.cli.main", "gateway.deploys.stages", "tests.unit.conftest", "tests.scripts.conftest"]

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(_PRELOADED)


def run(root: Path, arguments: Sequence[str], output: Path, patience: float) -> int | None:
    """pytest's exit code in the copy of the checkout at `root`; None where it has not ended after `patience` seconds.

    What it prints goes to the file `output`.
    """
    process = _processes.Process(target=_pytest, args=(str(root), list(arguments), str(output)))
    process.start()
    process.join(patience)
    if process.exitcode is None and process.pid:
        # with what its tests have started
        os.killpg(process.pid, signal.SIGKILL)
        process.join()
        return None
    return process.exitcode


def _pytest(root: str, arguments: list[str], output: str) -> None:
    os.setsid()
    with Path(os.devnull).open() as nothing, Path(output).open("w") as said:
        os.dup2(nothing.fileno(), 0)
        for number in (1, 2):
            os.dup2(said.fileno(), number)
    own = {path.stem for path in Path(CHECKOUT).iterdir()}
    for name in [name for name in sys.modules if name.partition(".")[0] in own]:
        del sys.modules[name]
    sys.path[:] = [root, *(path for path in sys.path if path not in ("", str(CHECKOUT)))]
    os.environ["PYTHONPATH"] = root
    os.chdir(root)
    sys.exit(int(pytest.main(arguments)))
