"""What is wrong with a container or a Vagrant machine that an inventory names, and how its program is asked."""

from __future__ import annotations

import subprocess


class MachineError(Exception):
    """It cannot be used as it is; the message says why and what would be right."""


def asked(*command: str, seconds: float) -> subprocess.CompletedProcess[str]:
    """What a program of this machine says within so many seconds, with nothing to read from.

    Raises FileNotFoundError, and subprocess.TimeoutExpired.
    """
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False
    )
