"""What each host was told, holds, and really serves, asked of all hosts at once."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gevent.pool import Pool
from paramiko import SSHException
from pyinfra.api import Config, State
from pyinfra.api import Host as Remote
from pyinfra.api.exceptions import ConnectError, PyinfraError
from pyinfra.context import ctx_host, ctx_state

from gateway import release as releases
from gateway import render
from gateway.facts import GatewayState, HostState, changes
from gateway.fleet import Fleet
from gateway.host import Host

# A change that a deploy would make, as it looks on the host.
_WORDS = {"added": "missing", "changed": "differs", "removed": "not wanted"}

# SSH connections at a time; each costs one local socket and little else.
_PARALLEL = 100


@dataclass(frozen=True)
class HostStatus:
    """One host. Releases are ids; `problem` says why it could not be told, or what differs.

    `wanted` is what the inventory gives for the host's nginx, `published` what `current` points to,
    `running` what the running nginx answers. `unresolved` are upstreams whose names do not resolve there: their
    sites answer 502, which is no drift. `certificate_days` is by domain, of the checkout's certificate.
    """

    host: str
    reachable: bool
    wanted: str | None = None
    published: str | None = None
    running: str | None = None
    nginx: str | None = None
    differences: tuple[str, ...] = ()
    unresolved: tuple[str, ...] = ()
    certificate_days: dict[str, int] = field(default_factory=dict)
    problem: str = ""

    @property
    def in_sync(self) -> bool:
        return self.reachable and not self.problem


def of(fleet: Fleet) -> list[HostStatus]:
    """The status of every host of the fleet, in the inventory's order. Never raises for a host's sake."""
    logging.getLogger("pyinfra").setLevel(logging.CRITICAL)
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    state = State(fleet.inventory, Config())
    wanted = {host.name: host for host in fleet.hosts}
    names = [host.name for host in fleet.inventory if host.name in wanted]
    ask = Pool(_PARALLEL).imap
    return list(ask(lambda name: _one(state, fleet.inventory.get_host(name), wanted[name]), names))


def _one(state: State, remote: Remote, host: Host) -> HostStatus:
    days = _certificate_days(host)
    with ctx_state.use(state), ctx_host.use(remote):
        try:
            remote.connect(show_errors=False, raise_exceptions=True)
            state.activate_host(remote)
            known: HostState = remote.get_fact(GatewayState)
            if known.build is None:
                return HostStatus(host.name, True, certificate_days=days, problem=_unreadable(state, remote))
            wanted = releases.build(render.tree(host, known.build))
            differences = changes(remote, known, wanted)
        except (ConnectError, PyinfraError, OSError, SSHException, EOFError) as error:
            return HostStatus(host.name, False, certificate_days=days, problem=f"unreachable: {error}")
        finally:
            if remote.connected:
                remote.disconnect()
    return HostStatus(
        host=host.name,
        reachable=True,
        wanted=wanted.id,
        published=known.current,
        running=known.running,
        nginx=str(known.installed) if known.installed else None,
        differences=tuple(f"{_WORDS[change.kind]}: {change.path}" for change in differences),
        unresolved=known.unresolved,
        certificate_days=days,
        problem=_difference(known, wanted.id, bool(differences)),
    )


def _unreadable(state: State, remote: Remote) -> str:
    if remote in state.failed_hosts:
        return "its state cannot be read: is sudo (`_sudo`) set and allowed without a password?"
    return "nginx is not installed and apt knows of none; deploy"


def _difference(known: HostState, wanted: str, differs: bool) -> str:
    """The first thing that is not as it should be, and what helps. Empty where all is."""
    if known.installed is None:
        return "nginx is not installed; deploy"
    if known.current is None:
        return "nothing is published; deploy"
    if known.current != wanted:
        return f"the inventory has changed since release {known.current}, or it was rolled back; deploy"
    if differs:
        return "files of the release were changed on the host; deploy to put them back"
    if known.running is None:
        return "nginx does not answer; see journalctl -u nginx there, then deploy"
    if known.running != wanted:
        return f"the running nginx still serves {known.running}; deploy"
    if not known.in_force(wanted):
        return "the release is not proven to be in force; deploy"
    return ""


def _certificate_days(host: Host) -> dict[str, int]:
    now = datetime.now(UTC)
    return {domain: pair.days_left(now) for domain, pair in host.certs.items()}


def table(found: Iterable[HostStatus]) -> list[tuple[str, str, str, str, str, str]]:
    """Rows for people: host, wanted, published, running, soonest certificate, what differs."""
    rows = [("host", "wanted", "published", "running", "certificate", "")]
    for one in found:
        days = min(one.certificate_days.values(), default=None)
        certificate = "-" if days is None else f"{days} days"
        releases_of = (one.wanted or "-", one.published or "-", one.running or "-")
        notes = [one.problem or "in sync"]
        if one.unresolved:
            notes.append(f"does not resolve there: {', '.join(one.unresolved)}")
        rows.append((one.host, *releases_of, certificate, "; ".join(notes)))
    return rows
