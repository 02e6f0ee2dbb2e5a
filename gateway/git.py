"""What git knows of this checkout."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def paths(*arguments: str) -> list[Path]:
    """The paths that a git command with `-z` lists. Empty where there is no git, or nothing that it knows."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    names = os.fsdecode(done.stdout).split("\0")
    return [Path(name.strip()) for name in names if name.strip()]
