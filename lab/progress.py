"""Progress lines with the seconds since the start."""

import os
import sys
import threading
import time
from collections.abc import Callable

Say = Callable[[str], None]


def silent(message: str) -> None:
    """Prints nothing: the default when the lab is used as a library."""


class Progress:
    """Prints `[ 12.3s] message` lines on stdout, on a terminal with grey time stamps.

    May be called from several threads.
    """

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self._colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def __call__(self, message: str) -> None:
        stamp = f"[{time.monotonic() - self._started:5.1f}s]"
        if self._colour:
            stamp = f"\033[2m{stamp}\033[0m"
        with self._lock:
            print(f"{stamp} {message}", flush=True)
