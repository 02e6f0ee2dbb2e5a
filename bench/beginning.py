"""What every long benchmark begins with."""

from __future__ import annotations

import os
import signal
from types import FrameType

from bench.progress import say


def begin() -> float:
    """Has SIGTERM clean up like Ctrl-C, and says where the machine is busy. Returns its load average of a minute."""
    signal.signal(signal.SIGTERM, _end)
    load = os.getloadavg()[0]
    if load > 0.5:
        say(f"this machine is busy already (load {load:.1f}): the numbers will be worse than they need be")
    return load


def _end(number: int, frame: FrameType | None) -> None:
    """Ends like Ctrl-C does: through every `finally` on the way."""
    raise KeyboardInterrupt
