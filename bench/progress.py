"""Progress on standard error; standard output is the report's."""

import sys
import time

_STARTED = time.monotonic()


def say(message: str) -> None:
    """One line with the seconds since the start."""
    print(f"[{time.monotonic() - _STARTED:6.1f}s] {message}", file=sys.stderr, flush=True)
