"""What git knows of this checkout."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def paths(*arguments: str) -> list[Path]:
    """The paths that a git command with `-z` lists. Empty where it fails, as outside a checkout or without git."""
    done = _run(*arguments)
    names = os.fsdecode(done.stdout).split("\0") if done and done.returncode == 0 else []
    return [Path(name.strip()) for name in names if name.strip()]


def lines(*arguments: str) -> list[str]:
    """The lines that a git command prints. Empty where it fails, as outside a checkout or without git."""
    done = _run(*arguments)
    return done.stdout.decode(errors="replace").splitlines() if done and done.returncode == 0 else []


def contains(commit: str) -> bool:
    """Whether this checkout's commit has `commit`, a full hash, in its history. False where git does not know it."""
    done = _run("merge-base", "--is-ancestor", commit, "HEAD")
    return done is not None and done.returncode == 0


def _run(*arguments: str) -> subprocess.CompletedProcess[bytes] | None:
    try:
        return subprocess.run(["git", *arguments], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
