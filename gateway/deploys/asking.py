"""Asks all hosts at once, for the commands that look at them and change nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from gevent.pool import Pool
from paramiko import SSHException
from pyinfra.api import Config, Inventory, State
from pyinfra.api import Host as Remote
from pyinfra.api.exceptions import PyinfraError
from pyinfra.context import ctx_host, ctx_state

from gateway.deploys import connections
from gateway.deploys.target import TemplateRefusedError
from gateway.fleet.host import Host
from gateway.fleet.loading import Fleet

_UNREADABLE = "its state cannot be read: is sudo (`_sudo`) set and allowed without a password?"

# SSH connections at a time; each costs one local socket and little else.
_PARALLEL = 100

Answer = TypeVar("Answer")


def every_host(
    fleet: Fleet,
    question: Callable[[Remote, Host], Answer],
    failed: Callable[[Host, bool, str], Answer],
    progress: Callable[[int, int], None],
) -> list[Answer]:
    """The answer of every host of the fleet to a question, in the inventory's order. Never raises for a host's sake.

    The question is asked of a connected host, within pyinfra's context of it, and once more on a new connection where
    that broke off: it must not change anything there. `failed` makes the answer of a host that has none, from whether
    it was reached and why that is. `progress` is called with how many hosts are done and how many there are.
    """
    logging.getLogger("pyinfra").setLevel(logging.CRITICAL)
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    connections.use_connector()
    # A state without hosts: each host joins it by itself, so that what is wrong with one is told of that one alone.
    state = State()
    state.init(Inventory.empty(), Config(PARALLEL=_PARALLEL))
    wanted = {host.name: host for host in fleet.hosts}

    def answer(remote: Remote) -> tuple[str, Answer]:
        told = once(remote, wanted[remote.name])
        if connections.broke_off(remote):
            told = once(remote, wanted[remote.name])
        return remote.name, told

    def once(remote: Remote, host: Host) -> Answer:
        with ctx_state.use(state), ctx_host.use(remote):
            try:
                _connect(state, remote)
                return question(remote, host)
            except TemplateRefusedError as error:
                return failed(host, True, str(error))
            except (PyinfraError, OSError, SSHException, EOFError, UnicodeError, OverflowError) as error:
                # the last two are sockets' own words for an impossible name and port
                if remote.connected and isinstance(error, PyinfraError):
                    # which says no more than that no host is left
                    return failed(host, True, unreadable(remote))
                return failed(host, False, f"unreachable: {str(error) or type(error).__name__}")
            finally:
                if remote.connected:
                    remote.disconnect()

    asked = [remote for remote in fleet.inventory if remote.name in wanted]
    found: dict[str, Answer] = {}
    progress(0, len(asked))
    for name, told in Pool(_PARALLEL).imap_unordered(answer, asked):
        found[name] = told
        progress(len(found), len(asked))
    return [found[remote.name] for remote in asked]


def unreadable(remote: Remote) -> str:
    """Why a host that was reached does not say what it is asked."""
    return connections.trouble(remote) or _UNREADABLE


def _connect(state: State, remote: Remote) -> None:
    connections.use_connector_for(remote)
    remote.init(state)
    remote.connect(show_errors=False, raise_exceptions=True)
    state.activate_host(remote)
