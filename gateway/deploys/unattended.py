"""Runs with nobody there to answer a question, and runs that somebody breaks off."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from getpass import getpass
from types import FrameType
from typing import Any

import click
from gevent import get_hub
from pyinfra.connectors import ssh_util, util
from pyinfra_cli import cli
from pyinfra_cli.exceptions import CliError

from gateway.messages.said import said

# As shells report a program that was ended by SIGINT.
_INTERRUPTED = 130

_may_ask: ContextVar[bool] = ContextVar("_may_ask", default=True)


class NobodyToAskError(Exception):
    """The password of a key is wanted, and there is no terminal to ask for it."""


@contextmanager
def asking(allowed: bool) -> Iterator[None]:
    """Within it, sudo's password is asked for only where `allowed`."""
    before = _may_ask.set(allowed)
    try:
        yield
    finally:
        _may_ask.reset(before)


def has_terminal() -> bool:
    """Whether somebody can be asked for a password: on the terminal itself, wherever the standard streams go."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()
    return True


def _key_password(prompt: str) -> str:
    if not has_terminal():
        raise NobodyToAskError
    return getpass(prompt)


def _sudo_password(prompt: str) -> str:
    """Empty where nobody can be asked: pyinfra then tries without it, and the operator reads what sudo says."""
    return getpass(prompt) if _may_ask.get() and has_terminal() else ""


def _confirmed(msg: str) -> bool:
    try:
        return _confirm(msg)
    except EOFError:
        raise CliError("nobody is there to press enter; add -y to go on unasked, or --dry to look only") from None


_confirm = cli._do_confirm


def never_wait() -> None:
    """Has pyinfra fail with a sentence where it would ask and nobody can answer."""
    util.getpass = _sudo_password  # type: ignore[assignment]
    ssh_util.getpass = _key_password  # type: ignore[assignment]
    cli._do_confirm = _confirmed


def interrupted_deploy(signum: int, frame: FrameType | None) -> None:
    """Handles Ctrl-C in a run of pyinfra, which by itself would end with 0, as if all were done."""
    click.echo(said("--> stopped; what a host was just doing may still finish there: `status` tells"), err=True)
    _end(SystemExit(_INTERRUPTED))


def interrupted_command(signum: int, frame: FrameType | None) -> None:
    """Handles Ctrl-C in a command of `python -m gateway`."""
    _end(KeyboardInterrupt())


def on_interrupt(handler: Any) -> None:
    """Has Ctrl-C call `handler`, unless the run was started with SIGINT ignored."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, handler)


def _end(error: BaseException) -> None:
    """Raises in the main greenlet, not in whichever runs: a connection's own would swallow it."""
    get_hub().handle_system_error(type(error), error)
