"""Asks all hosts at once what they are, for `hosts`."""

from __future__ import annotations

from collections.abc import Callable

from pyinfra.api import Host as Remote

from gateway.deploys import asking, comparison, host_report, losses
from gateway.deploys.facts import GatewayState, ReleaseHeld
from gateway.deploys.held_release import HeldRelease
from gateway.deploys.host_report import HostReport
from gateway.deploys.state import HostState
from gateway.fleet.host import Host
from gateway.fleet.loading import Fleet


def ask_hosts(fleet: Fleet, progress: Callable[[int, int], None]) -> list[HostReport]:
    """What every host of the fleet is, in the inventory's order. Never raises for a host's sake.

    `progress` is as in asking.every_host. Nothing is rendered for it, so the hosts need no certificates; of losses only
    those of whole sites are found.
    """
    return asking.every_host(fleet, _report, _failed, progress)


def _report(remote: Remote, host: Host) -> HostReport:
    known: HostState = remote.get_fact(GatewayState, whole=True)
    if not known.is_readable:
        return _failed(host, True, asking.unreadable(remote))
    known = known.replacing(host.replaces)
    before = known.in_place
    held: HeldRelease = remote.get_fact(ReleaseHeld, release=before) if before else HeldRelease()
    lost = comparison.lost_sites(host, known, held)
    return host_report.reported(host, known, comparison.told(lost, held, losses.allowed_options(remote.data)))


def _failed(host: Host, reachable: bool, problem: str) -> HostReport:
    return HostReport(host.name, host.address, reachable, problem)
