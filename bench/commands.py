"""Runs a tool's command line as an operator would, and measures the time."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from bench.errors import BenchError
from lab import interrupts

_LIMIT_SECONDS = 3600
_GRACE_SECONDS = 10


def run(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] = MappingProxyType({})) -> float:
    """Wall seconds of a command that runs in `folder`. Raises BenchError where it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [str(word) for word in command],
        cwd=folder,
        env={**os.environ, "LC_ALL": "C.UTF-8", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # so that its own children can be ended with it
        preexec_fn=interrupts.heeded,
    )
    try:
        output, _ = process.communicate(timeout=_LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        raise BenchError(f"{Path(command[0]).name} did not end within {_LIMIT_SECONDS} s") from None
    finally:
        if process.poll() is None:
            _end(process)
    seconds = time.perf_counter() - started
    if process.returncode:
        tail = "\n".join(output.strip().splitlines()[-15:])
        raise BenchError(f"{Path(command[0]).name} ended with {process.returncode}:\n{tail}")
    return seconds


def _end(process: subprocess.Popen[str]) -> None:
    """Ends it as Ctrl-C would: Ansible's workers have sessions of their own, which only Ansible itself ends."""
    for number in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_GRACE_SECONDS)


def beside_python(name: str) -> Path:
    """A command of the environment that this runs in. Raises BenchError where it has none."""
    path = Path(sys.executable).parent / name
    if not path.exists():
        raise BenchError(f"{path} is missing; run `make setup`, then .venv/bin/python -m bench.deploy")
    return path
