"""Commands in processes of their own, forked from the tests' process: all is imported there, which a new Python takes
most of a second for. What a command changes in its process, as pyinfra does, is gone with it, and one that waits for
ever is ended.

A test of what a Python does before it runs a command, or of one that lacks packages, starts one itself.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import IO

from pyinfra_cli import main as pyinfra_main
from pyinfra_cli import util

from gateway.cli.main import main
from tests.conftest import REPO

_CONTEXT = multiprocessing.get_context("fork")


def gateway(*arguments: str, folder: Path = REPO, encoding: str = "utf-8") -> subprocess.CompletedProcess[str]:
    """`python -m gateway` in that folder."""
    return run(lambda: main(arguments, prog_name="python -m gateway"), folder=folder, encoding=encoding)


def pyinfra(*arguments: str, folder: Path = REPO, encoding: str = "utf-8") -> subprocess.CompletedProcess[str]:
    """The program pyinfra in that folder."""

    def program() -> None:
        sys.argv = ["pyinfra", *arguments]
        pyinfra_main.main()

    return run(program, folder=folder, encoding=encoding)


def run(
    call: Callable[[], object], *, folder: Path = REPO, encoding: str = "utf-8", seconds: float = 60
) -> subprocess.CompletedProcess[str]:
    """How a process ends that calls `call`, and what it says in `encoding`; bytes that are no UTF-8 are escaped.

    Nobody is there to answer it: it has neither input nor terminal. Raises TimeoutError where it does not end in time.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with started(call, out, err, folder=folder, encoding=encoding) as process:
            process.join(seconds)
            if process.exitcode is None:
                raise TimeoutError(f"still runs after {seconds} seconds")
            code = process.exitcode
        said = []
        for file in (out, err):
            file.seek(0)
            said.append(file.read().decode(errors="surrogateescape"))
    return subprocess.CompletedProcess([], code, *said)


@contextmanager
def started(
    call: Callable[[], object], out: IO[bytes], err: IO[bytes], *, folder: Path = REPO, encoding: str = "utf-8"
) -> Iterator[BaseProcess]:
    """A process that calls `call` and writes into these files; it is ended with the block."""
    process = _CONTEXT.Process(target=_child, args=(call, out.fileno(), err.fileno(), folder, encoding))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def _child(call: Callable[[], object], out: int, err: int, folder: Path, encoding: str) -> None:
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    # as Python opens them
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding=encoding, errors="strict", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding=encoding, errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    os.chdir(folder)
    # other tests have run files of the same names
    util.PYTHON_CODES.clear()
    call()
