"""Prometheus's own judge of rules, of its configuration, and of what it reads."""

from __future__ import annotations

import shutil
import subprocess

import pytest

needed = pytest.mark.skipif(not shutil.which("promtool"), reason="there is no promtool")


def passes(*arguments: str, text: str = "") -> str:
    """Asserts that promtool finds no fault, with `text` on its standard input. Returns what it says."""
    done = subprocess.run(["promtool", *arguments], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
