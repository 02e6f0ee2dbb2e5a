"""A limit of this machine that all hosts share: inotify instances, of which each systemd takes some ten."""

import contextlib
import os
from pathlib import Path

from lab.topology import STATE

_LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
_ENOUGH = 1024
RECORD = STATE / "inotify"


def ensure() -> None:
    """Raises the limit where it is too small for two labs and this user may: a host that gets none ends at boot."""
    with contextlib.suppress(OSError, ValueError):
        before = int(_LIMIT.read_text())
        if os.geteuid() == 0 and before < _ENOUGH:
            _LIMIT.write_text(f"{_ENOUGH}\n")
            RECORD.write_text(f"{before}\n")


def restore() -> None:
    """Puts back what `ensure` has raised."""
    with contextlib.suppress(OSError):
        _LIMIT.write_text(RECORD.read_text())
        RECORD.unlink()
