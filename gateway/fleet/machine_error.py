"""What is wrong with a container or a Vagrant machine that an inventory names, and how its program is asked."""

from __future__ import annotations

import subprocess


class MachineError(Exception):
    """It cannot be used as it is; the message says why and what would be right."""


def asked(*command: str, seconds: float) -> subprocess.CompletedProcess[str]:
    """What a program of this machine says within so many seconds, with nothing to read from, as UTF-8.

    Raises FileNotFoundError, and subprocess.TimeoutExpired.
    """
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False)
    # not by `errors` of run: gevent's passes it over
    said = [text.decode(errors="replace") for text in (done.stdout, done.stderr)]
    return subprocess.CompletedProcess(command, done.returncode, *said)
