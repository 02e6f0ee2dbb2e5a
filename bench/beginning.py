"""How every long benchmark begins: clean-up is made sure of, and a busy machine told."""

from __future__ import annotations

import os
import signal
from types import FrameType

from bench.progress import say


def begin() -> float:
    """Makes SIGTERM clean up as Ctrl-C does, and says if the machine is busy. Returns its one-minute load average."""
    signal.signal(signal.SIGTERM, _end)
    load = os.getloadavg()[0]
    if load > 0.5:
        say(f"this machine is busy already (load {load:.1f}): the numbers will be worse than they need be")
    return load


def _end(number: int, frame: FrameType | None) -> None:
    """Ends the run as Ctrl-C does, through every `finally`."""
    raise KeyboardInterrupt
