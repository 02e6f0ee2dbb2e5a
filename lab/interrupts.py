"""Ctrl-C for programs that tests and benchmarks start and break off."""

from __future__ import annotations

import signal


def heeded() -> None:
    """As a program's `preexec_fn`: SIGINT ends it, also where this run was started in the background.

    A shell has its background jobs ignore SIGINT, which every program that they start inherits.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
