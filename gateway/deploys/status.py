"""Asks all hosts at once what they hold and serve, for `status`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from pyinfra.api import Host as Remote

from gateway.deploys import asking, comparison, drift, losses, origin
from gateway.deploys.drift import HostStatus, Observation
from gateway.deploys.facts import GatewayHealth
from gateway.deploys.health import Health
from gateway.deploys.target import Target
from gateway.fleet.host import Host
from gateway.fleet.loading import Fleet

_NO_NGINX = "nginx is not installed and no repository is known to have it; deploy"


def ask_hosts(
    fleet: Fleet, progress: Callable[[int, int], None], balancer_days: Mapping[str, int] = MappingProxyType({})
) -> list[HostStatus]:
    """The status of every host of the fleet, in the inventory's order. Never raises for a host's sake.

    `progress` is as in asking.every_host. `balancer_days` are days left of load balancers' certificates, by domain.
    """

    def days(host: Host) -> dict[str, int]:
        behind = {domain: left for domain, left in balancer_days.items() if domain in host.behind_balancers}
        return drift.certificate_days(host, datetime.now(UTC)) | behind

    def failed(host: Host, reachable: bool, problem: str) -> HostStatus:
        return HostStatus(host.name, reachable, certificate_days=days(host), problem=problem)

    def question(remote: Remote, host: Host) -> HostStatus:
        seen = _observation(remote, Target(host))
        if isinstance(seen, str):
            return failed(host, True, seen)
        return drift.judged(host, seen, days(host), datetime.now(UTC))

    return asking.every_host(fleet, question, failed, progress)


def _observation(remote: Remote, target: Target) -> Observation | str:
    """What the host answers, or why there is nothing to compare it with."""
    known = target.state()
    if known.build is None and not (target.host.serves_nothing and known.has_no_gateway):
        return _NO_NGINX if known.is_readable else asking.unreadable(remote)
    wanted, changes = target.wanted(), tuple(target.changes())
    refusals = tuple(comparison.refusals(target, losses.allowed_options(remote.data)))
    # Where it does not say, the other findings are told all the same.
    health: Health = remote.get_fact(GatewayHealth, layout=known.layout, _timeout=drift.PATIENCE, _ignore_errors=True)
    held, own = target.held().origin if known.current != wanted.id else None, origin.of_checkout()
    lacks = held is not None and origin.lacks(held.commit, own)
    others = held if held and (lacks or held.by != own.by) else None
    return Observation(known, health, wanted.id, changes, refusals, others, lacks)
