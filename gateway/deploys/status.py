"""Asks all hosts at once what they hold and serve, for `status`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from gevent.pool import Pool
from paramiko import SSHException
from pyinfra.api import Config, Inventory, State
from pyinfra.api import Host as Remote
from pyinfra.api.exceptions import PyinfraError
from pyinfra.context import ctx_host, ctx_state

from gateway.deploys import comparison, connections, drift, losses
from gateway.deploys.drift import HostStatus, Observation
from gateway.deploys.facts import GatewayHealth
from gateway.deploys.health import Health
from gateway.deploys.target import Target, TemplateRefusedError
from gateway.fleet.host import Host
from gateway.fleet.loading import Fleet

_UNREADABLE = "its state cannot be read: is sudo (`_sudo`) set and allowed without a password?"
_NO_NGINX = "nginx is not installed and apt knows of none; deploy"

# SSH connections at a time; each costs one local socket and little else.
_PARALLEL = 100


def ask_hosts(fleet: Fleet, balancer_days: Mapping[str, int] = MappingProxyType({})) -> list[HostStatus]:
    """The status of every host of the fleet, in the inventory's order. Never raises for a host's sake.

    `balancer_days` are days left of load balancers' certificates, by domain.
    """
    logging.getLogger("pyinfra").setLevel(logging.CRITICAL)
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    connections.use_connector()
    # A state without hosts: each host joins it by itself, so that what is wrong with one is told of that one alone.
    state = State()
    state.init(Inventory.empty(), Config(PARALLEL=_PARALLEL))
    wanted = {host.name: host for host in fleet.hosts}
    names = [host.name for host in fleet.inventory if host.name in wanted]
    ask = Pool(_PARALLEL).imap
    return list(ask(lambda name: _ask(state, fleet.inventory.get_host(name), wanted[name], balancer_days), names))


def _ask(state: State, remote: Remote, host: Host, balancer_days: Mapping[str, int]) -> HostStatus:
    now = datetime.now(UTC)
    days = drift.certificate_days(host, now)
    days |= {domain: left for domain, left in balancer_days.items() if domain in host.behind_balancers}
    with ctx_state.use(state), ctx_host.use(remote):
        try:
            _connect(state, remote)
            seen = _observation(remote, Target(host))
        except TemplateRefusedError as error:
            return HostStatus(host.name, True, certificate_days=days, problem=str(error))
        except (PyinfraError, OSError, SSHException, EOFError, UnicodeError, OverflowError) as error:
            # the last two are sockets' own words for an impossible name and port
            if remote.connected and isinstance(error, PyinfraError):
                # which says no more than that no host is left
                problem = connections.trouble(remote) or _UNREADABLE
                return HostStatus(host.name, True, certificate_days=days, problem=problem)
            why = str(error) or type(error).__name__
            return HostStatus(host.name, False, certificate_days=days, problem=f"unreachable: {why}")
        finally:
            if remote.connected:
                remote.disconnect()
    if isinstance(seen, str):
        return HostStatus(host.name, True, certificate_days=days, problem=seen)
    return drift.judged(host, seen, days, now)


def _connect(state: State, remote: Remote) -> None:
    connections.use_connector_for(remote)
    remote.init(state)
    remote.connect(show_errors=False, raise_exceptions=True)
    state.activate_host(remote)


def _observation(remote: Remote, target: Target) -> Observation | str:
    """What the host answers, or why there is nothing to compare it with."""
    known = target.state()
    if known.build is None:
        return _NO_NGINX if known.is_readable else connections.trouble(remote) or _UNREADABLE
    wanted, changes = target.wanted(), tuple(target.changes())
    refusals = tuple(comparison.refusals(target, losses.allowed_options(remote.data)))
    # Where it does not say, the other findings are told all the same.
    health: Health = remote.get_fact(GatewayHealth, _timeout=drift.PATIENCE, _ignore_errors=True)
    return Observation(known, health, wanted.id, changes, refusals)
