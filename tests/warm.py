"""Programs in processes that begin with all packages imported: that takes longer than most of what tests want of them.

Only what is no part of the checkout stays imported: each process reads the product and the tests where it is told to.
"""

from __future__ import annotations

import atexit
import compileall
import multiprocessing
import os
import runpy
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

CHECKOUT = Path(__file__).parent.parent

_processes = multiprocessing.get_context("forkserver")


def preload(*modules: str) -> None:
    """Has every process that `run` starts later begin with these imported, and what they import."""
    _processes.set_forkserver_preload([*modules])


def compile_product() -> None:
    """Compiles the product's modules where they are not, so that no command of a test has to, nor one of a copy.

    Also where the environment forbids Python to keep what it compiles: each command would do it again then.
    """
    compileall.compile_dir(CHECKOUT / "gateway", quiet=2)


def run(
    module: str,
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    out: Path,
    err: Path,
    patience: float,
) -> int | None:
    """Runs `python -m MODULE ARGUMENT...` in the folder. What it prints goes to the files `out` and `err`.

    Returns the exit code; None where it has not ended after `patience` seconds, and then has ended it and what it
    started.
    """
    process = _processes.Process(
        target=_begin, args=(module, [*arguments], str(folder), dict(environment), str(out), str(err))
    )
    process.start()
    process.join(patience)
    if process.exitcode is None and process.pid:
        os.killpg(process.pid, signal.SIGKILL)
        process.join()
        return None
    return process.exitcode


def _begin(
    module: str, arguments: Sequence[str], folder: str, environment: Mapping[str, str], out: str, err: str
) -> None:
    os.setsid()
    _redirect(0, os.devnull, os.O_RDONLY)
    # one file may be given for both
    for number, path in ((1, out), (2, err)):
        _redirect(number, path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environment)
    sys.dont_write_bytecode = bool(environment.get("PYTHONDONTWRITEBYTECODE"))
    own = {path.stem for path in CHECKOUT.iterdir()}
    for name in [name for name in sys.modules if name.partition(".")[0] in own]:
        del sys.modules[name]
    given = environment.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = [folder, *filter(None, given), *(path for path in sys.path if path not in ("", str(CHECKOUT)))]
    os.chdir(folder)
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()


def _redirect(number: int, path: str, flags: int) -> None:
    opened = os.open(path, flags, 0o600)
    os.dup2(opened, number)
    os.close(opened)
