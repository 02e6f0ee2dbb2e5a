"""Asks all hosts at once for lines of their access logs, for `logs`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pyinfra.api import Host as Remote

from gateway.deploys import asking
from gateway.deploys.facts import RequestLog
from gateway.deploys.host_log import HostLog
from gateway.deploys.log_query import Query
from gateway.fleet.host import Host
from gateway.fleet.loading import Fleet

# Seconds in which two weeks of large logs are read.
_PATIENCE = 300


@dataclass(frozen=True)
class Answer:
    """What one host said, or why it said nothing."""

    host: str
    reachable: bool = True
    problem: str = ""
    log: HostLog = field(default_factory=HostLog)

    def as_data(self) -> dict[str, object]:
        """For JSON: all but the lines."""
        counts = {name: getattr(self.log, name) for name in ("found", "older", "unread")}
        return {"host": self.host, "reachable": self.reachable, "problem": self.problem, **counts}


def ask_hosts(fleet: Fleet, query: Query, progress: Callable[[int, int], None]) -> list[Answer]:
    """The answer of every host of the fleet that may have what is asked for, in the inventory's order.

    Of a site only its own hosts are asked. `progress` is as in asking.every_host. Never raises for a host's sake.
    """

    def question(remote: Remote, host: Host) -> Answer:
        return Answer(host.name, log=remote.get_fact(RequestLog, query=query, _timeout=_PATIENCE))

    asked = [host for host in fleet.hosts if not query.site or query.site in {site.domain for site in host.sites}]
    return asking.every_host(replace(fleet, hosts=tuple(asked)), question, _failed, progress)


def _failed(host: Host, reachable: bool, problem: str) -> Answer:
    return Answer(host.name, reachable, problem)
