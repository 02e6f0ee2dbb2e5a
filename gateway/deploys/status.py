"""What each host was told, holds, and really serves, asked of all hosts at once."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType

from gevent.pool import Pool
from paramiko import SSHException
from pyinfra.api import Config, Inventory, State
from pyinfra.api import Host as Remote
from pyinfra.api.exceptions import PyinfraError
from pyinfra.context import ctx_host, ctx_state

from gateway.certificates.judging import WARN_BELOW
from gateway.deploys import comparison, connections, health, losses
from gateway.deploys.facts import GatewayHealth, HostState
from gateway.deploys.objections import apart, objections
from gateway.deploys.target import Target, missing
from gateway.fleet.host import Host
from gateway.fleet.loading import Fleet
from gateway.nginx import built_for, tree
from gateway.nginx import release as releases
from gateway.nginx.build import Build
from gateway.problems import count

# A change that a deploy would make, as it looks on the host.
_WORDS = {"added": "missing", "changed": "differs", "removed": "not wanted"}

_UNREADABLE = "its state cannot be read: is sudo (`_sudo`) set and allowed without a password?"
_NO_NGINX = "nginx is not installed and apt knows of none; deploy"

_NO_HEALTH = "how nginx and its timers are cannot be told: the host did not say within {} seconds; look there"

# Seconds that a host may take to say how it is, `nginx -t` included, which has 30 of them.
_PATIENCE = 60
# A renewal that fails with less left than that is drift: it has failed for two weeks.
_RENEWAL_LATE = 14

# SSH connections at a time; each costs one local socket and little else.
_PARALLEL = 100


@dataclass(frozen=True)
class HostStatus:
    """One host. Releases are ids; `problem` says why it could not be told, or what differs.

    `wanted` is what the inventory gives for the host's nginx, `published` what `current` points to, `running` what
    the running nginx answers. `unresolved` are upstreams whose names do not resolve there: their sites answer 502,
    which is no drift. `apart` are addresses that another site there has to itself. `certificate_days` is by domain:
    of the checkout's certificate, of the one that the host got from an ACME server, or of a load balancer's where it
    was asked for. `renewal_failed` says by domain since when and why a certificate is not renewed. `further` is what
    somebody has to act on besides `problem`, `warnings` what nobody has to act on now.
    """

    host: str
    reachable: bool
    wanted: str | None = None
    published: str | None = None
    running: str | None = None
    nginx: str | None = None
    differences: tuple[str, ...] = ()
    unresolved: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    certificate_days: dict[str, int] = field(default_factory=dict)
    renewal_failed: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    further: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def in_sync(self) -> bool:
        return self.reachable and not self.problem

    @property
    def findings(self) -> list[str]:
        """All that somebody has to act on."""
        return [self.problem, *self.further] if self.problem else []

    def as_data(self) -> dict[str, object]:
        data = asdict(self)
        del data["further"]
        return data | {"findings": self.findings, "in_sync": self.in_sync}


def of(fleet: Fleet, balancer_days: Mapping[str, int] = MappingProxyType({})) -> list[HostStatus]:
    """The status of every host of the fleet, in the inventory's order. Never raises for a host's sake.

    `balancer_days` are days left of load balancers' certificates, by domain.
    """
    logging.getLogger("pyinfra").setLevel(logging.CRITICAL)
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    connections.take_over()
    # A state of no hosts: each joins it where what is wrong with it is told as its own.
    state = State()
    state.init(Inventory.empty(), Config(PARALLEL=_PARALLEL))
    wanted = {host.name: host for host in fleet.hosts}
    names = [host.name for host in fleet.inventory if host.name in wanted]
    ask = Pool(_PARALLEL).imap
    return list(ask(lambda name: _one(state, fleet.inventory.get_host(name), wanted[name], balancer_days), names))


def _one(state: State, remote: Remote, host: Host, balancer_days: Mapping[str, int]) -> HostStatus:
    behind = {site.domain for site in host.sites if site.edge == "slb"}
    days = _certificate_days(host) | {domain: left for domain, left in balancer_days.items() if domain in behind}
    with ctx_state.use(state), ctx_host.use(remote):
        try:
            connections.prepare(remote)
            remote.init(state)
            remote.connect(show_errors=False, raise_exceptions=True)
            state.activate_host(remote)
            target = Target(host)
            known = target.state()
            if known.build is None:
                problem = _NO_NGINX if known.is_readable else connections.trouble(remote) or _UNREADABLE
                return HostStatus(host.name, True, certificate_days=days, problem=problem)
            wanted, differences = target.wanted(), target.changes()
            refused = comparison.refused(target, losses.allowed(remote.data))
            # Of what it cannot say the other findings are told all the same.
            seen: health.Health = remote.get_fact(GatewayHealth, _timeout=_PATIENCE, _ignore_errors=True)
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
    days |= _issued_days(host, known)
    not_issued = _ordered(host) - _issued_days(host, known).keys()
    failing = {one: known.failed[one] for one in sorted(_ordered(host) - not_issued) if one in known.failed}
    against = [*objections(host, known), *refused] if known.current != wanted.id or differences else []
    found = [
        _difference(host, known, wanted.id, bool(differences), seen, against),
        *(health.findings(seen, bool(known.failed)) if seen != health.Health() else [_NO_HEALTH.format(_PATIENCE)]),
        _not_issued(sorted(not_issued), known),
        _expired(days, behind),
        _not_renewed({one: days[one] for one in failing}),
    ]
    problem, *further = [one for one in found if one] or [""]
    return HostStatus(
        host=host.name,
        reachable=True,
        wanted=wanted.id,
        published=known.current,
        running=known.running,
        nginx=str(known.installed) if known.installed else None,
        differences=tuple(f"{_WORDS[change.kind]}: {change.path}" for change in differences),
        unresolved=known.unresolved,
        apart=tuple(apart(host, known)),
        certificate_days=days,
        renewal_failed=failing,
        problem=problem,
        further=tuple(further),
        warnings=tuple(health.warnings(seen)),
    )


def _difference(
    host: Host, known: HostState, wanted: str, differs: bool, seen: health.Health, against: Collection[str] = ()
) -> str:
    """The first thing that is not as a deploy leaves it, and what helps. Empty where all is, and where what is amiss
    is told by health.findings. `against` are reasons for which a deploy would be refused."""
    if against:
        return f"a deploy would be refused: {'; '.join(against)}"
    if known.installed is None:
        return "nginx is not installed; deploy"
    if lacking := missing(host, known):
        return f"not installed: {', '.join(lacking)}; deploy"
    if known.current is None:
        return "nothing is published; deploy"
    if known.current != wanted:
        return _why_another(host, known, known.current, seen.build)
    if differs:
        return "files of the release were changed on the host; deploy to put them back"
    if known.running is None and seen.nginx_is_down:
        return ""
    if known.running is None:
        return "nginx does not answer; see journalctl -u nginx there, then deploy"
    if known.running != wanted:
        return f"the running nginx still serves {known.running}; deploy"
    if not known.room:
        return "nginx.conf has no room for the visitors that a release expects (worker_connections); deploy"
    if not known.in_force(wanted):
        return "the release is not proven to be in force; deploy"
    return ""


def _why_another(host: Host, known: HostState, current: str, build: str) -> str:
    """Why the release wanted is not the current one: the inventory, a rollback, or the host itself."""
    if known.current in known.history[:-1]:
        return f"it was rolled back to release {current}, the inventory wants another one; deploy"
    before, now = built_for.read(build, Build), known.build
    if before is None or now is None:
        return f"the inventory has changed since release {current}, or it was rolled back; deploy"

    def release_for(build: Build) -> str:
        return releases.build(tree.tree(host, build)).id

    if release_for(before) != current:
        return f"the inventory, its files or this checkout's templates have changed since release {current}; deploy"
    reasons = dict(built_for.changes(before, now))
    # Of several facts perhaps one alone makes a difference.
    telling = [name for name in reasons if release_for(replace(before, **{name: getattr(now, name)})) != current]
    told = " and ".join(reasons[name] for name in telling or reasons)
    return f"the inventory has not changed since release {current}, but {told}; deploy"


def _certificate_days(host: Host) -> dict[str, int]:
    now = datetime.now(UTC)
    return {domain: pair.days_left(now) for domain, pair in host.certs.items()}


def _ordered(host: Host) -> set[str]:
    return {site.domain for site in host.sites if site.acme}


def _issued_days(host: Host, known: HostState) -> dict[str, int]:
    now = datetime.now(UTC)
    ends = {one.domain: one.not_after for one in known.issued if one.domain in _ordered(host)}
    return {domain: (end - now).days for domain, end in ends.items() if end}


def _not_issued(domains: list[str], known: HostState) -> str:
    if not domains:
        return ""
    reasons = [f"{domain} ({known.failed[domain]})" if domain in known.failed else domain for domain in domains]
    return f"certificate not issued yet: {', '.join(reasons)}; deploy"


def _expired(days: Mapping[str, int], behind: Collection[str]) -> str:
    late = [f"{one} (the load balancer's)" if one in behind else one for one, left in sorted(days.items()) if left < 0]
    return f"certificate expired: {', '.join(late)}; renew it" if late else ""


def _not_renewed(days: Mapping[str, int]) -> str:
    late = [f"{one} ({count(left, 'day')} left)" for one, left in days.items() if left < _RENEWAL_LATE]
    return f"certificate not renewed: {', '.join(late)}; mend what keeps it from that, then deploy" if late else ""


def table(found: Iterable[HostStatus]) -> list[tuple[str, str, str, str, str, str]]:
    """Rows for people: host, wanted, published, running, soonest certificate, what differs."""
    rows = [("host", "wanted", "published", "running", "certificate", "")]
    for one in found:
        days = min(one.certificate_days.values(), default=None)
        certificate = "-" if days is None else f"{days} days" if days >= 0 else "expired"
        releases_of = (one.wanted or "-", one.published or "-", one.running or "-")
        notes = one.findings or ["in sync"]
        soon = {domain: left for domain, left in one.certificate_days.items() if 0 <= left < WARN_BELOW.days}
        notes += [f"{domain}: certificate expires in {count(left, 'day')}" for domain, left in sorted(soon.items())]
        if one.unresolved:
            notes.append(f"does not resolve there: {', '.join(one.unresolved)}")
        if one.apart:
            notes.append(f"belongs to another site there: {', '.join(one.apart)}")
        notes += [f"{domain}: renewal failed, {why}" for domain, why in one.renewal_failed.items()]
        notes += one.warnings
        rows.append((one.host, *releases_of, certificate, "; ".join(notes)))
    return rows


def certificates(found: Iterable[HostStatus]) -> list[str]:
    """A line for each certificate that is known of, the soonest to expire first."""
    rows = sorted((days, one.host, domain) for one in found for domain, days in one.certificate_days.items())
    return [
        f"certificate: {host}: {domain}: {count(days, 'day') + ' left' if days >= 0 else 'expired'}"
        for days, host, domain in rows
    ]
