"""Whether a host is as it should be, and what somebody has to do where it is not. Pure.

Judged is what the host answered, beside the release that it should have.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from gateway.deploys import health
from gateway.deploys.health import Health
from gateway.deploys.objections import addresses_of_others, objections
from gateway.deploys.origin import Origin, PastRelease
from gateway.deploys.state import HostState, missing_packages
from gateway.fleet.host import Host
from gateway.messages.said import code
from gateway.nginx import built_for
from gateway.nginx import release as releases
from gateway.nginx.build import Build
from gateway.nginx.release import Change
from gateway.nginx.tree import tree
from gateway.problems import count
from gateway.rendering import BrokenTemplateError

# Seconds that a host may take to say how it is: `nginx -t` alone may take 30 of them.
PATIENCE = 60

# A renewal that fails with fewer days left than that is drift: it has failed for two weeks.
_RENEWAL_LATE = 14

# A change that a deploy would make, as it looks on the host.
_WORDS = {"added": "missing", "changed": "differs", "removed": "not wanted"}

_NO_HEALTH = f"how nginx and its timers are cannot be told: the host did not say within {PATIENCE} seconds; look there"


@dataclass(frozen=True)
class Observation:
    """What a host answered, beside the release that it should have.

    `health` is empty where it did not say. `wanted` is that release's id, `changes` what a deploy of it would change,
    `refusals` why that deploy would be refused for what it would take away. `others` says where the release in force
    came from, where that is not what this checkout has, or not who asks; `lacks_commit` that it is the former.
    """

    state: HostState
    health: Health
    wanted: str
    changes: tuple[Change, ...] = ()
    refusals: tuple[str, ...] = ()
    others: Origin | None = None
    lacks_commit: bool = False


@dataclass(frozen=True)
class HostStatus:
    """One host as `status` tells it. Releases are ids.

    `problem` is the first thing that somebody has to act on: why the host could not be asked, or what is not as it
    should be; `further` are the others, `warnings` what nobody has to act on now.

    `wanted` is the release that the inventory gives for the host's nginx, `published` the one that `current` points to,
    `running` the one that the running nginx serves. `version` is that of the product that published the release, None
    where it is not recorded. `unresolved` are upstreams whose names do not resolve there: their sites answer 502, which
    is no drift. `apart` are addresses that another site there has to itself. `certificate_days` are the days left by
    domain: of the checkout's certificate, of the one that an ACME server issued to the host, or of the load balancer's
    where that was asked. `renewal_failed` says by domain since when and why a renewal has failed. `history` are the
    releases that were in force, oldest first.
    """

    host: str
    reachable: bool
    wanted: str | None = None
    published: str | None = None
    running: str | None = None
    nginx: str | None = None
    version: str | None = None
    differences: tuple[str, ...] = ()
    unresolved: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    certificate_days: dict[str, int] = field(default_factory=dict)
    renewal_failed: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    further: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    history: tuple[PastRelease, ...] = ()

    @property
    def in_sync(self) -> bool:
        return self.reachable and not self.problem

    @property
    def findings(self) -> list[str]:
        """All that somebody has to act on, the most urgent first."""
        return [self.problem, *self.further] if self.problem else []

    def as_data(self) -> dict[str, object]:
        """For JSON."""
        data = asdict(self)
        del data["further"]
        codes = {"codes": [*map(code, self.findings)], "warning_codes": [*map(code, self.warnings)]}
        return data | {"findings": self.findings, **codes, "in_sync": self.in_sync}


def judged(host: Host, seen: Observation, days: Mapping[str, int], now: datetime) -> HostStatus:
    """The status of a host that answered.

    `days` are those left of certificates that do not come from an ACME server: certificate_days() and load balancers'.
    """
    known = seen.state
    ordered = {site.domain for site in host.sites if site.acme}
    issued = {one.domain: one.not_after for one in known.issued if one.domain in ordered}
    issued_days = {domain: (end - now).days for domain, end in issued.items() if end}
    days = {**days, **issued_days}
    failing = {one: known.failed[one] for one in sorted(issued_days) if one in known.failed}
    found = [
        _difference(host, seen),
        *_ill_health(seen),
        _not_issued(sorted(ordered - issued_days.keys()), known.failed),
        expired_certificates(days, host.behind_balancers),
        late_renewals({one: days[one] for one in failing}),
    ]
    problem, *further = [one for one in found if one] or [""]
    out = host.serves_nothing and known.has_no_gateway
    return HostStatus(
        host=host.name,
        reachable=True,
        wanted=None if host.serves_nothing else seen.wanted,
        published=known.current,
        running=known.running,
        nginx=str(known.installed) if known.installed else None,
        version=known.product or None,
        differences=() if known.around.init or host.serves_nothing else _differences(seen.changes),
        unresolved=known.unresolved,
        apart=tuple(addresses_of_others(host, known)),
        certificate_days=days,
        renewal_failed=failing,
        problem=problem,
        further=tuple(further),
        history=known.past,
        warnings=() if out else tuple(health.warnings(seen.health)),
    )


def _differences(changes: Iterable[Change]) -> tuple[str, ...]:
    return tuple(f"{_WORDS[change.kind]}: {change.path}" for change in changes)


def certificate_days(host: Host, now: datetime) -> dict[str, int]:
    """Days left of the checkout's certificates, by domain."""
    return {domain: pair.days_left(now) for domain, pair in host.certs.items()}


def expired_certificates(days: Mapping[str, int], behind: Collection[str]) -> str:
    """The sentence for certificates that have expired, else empty. `behind` are domains that load balancers serve."""
    late = [f"{one} (the load balancer's)" if one in behind else one for one, left in sorted(days.items()) if left < 0]
    return f"certificate expired: {', '.join(late)}; renew it" if late else ""


def late_renewals(days: Mapping[str, int]) -> str:
    """The sentence for those of the certificates, all with a failed renewal, that have few days left; else empty."""
    late = [f"{one} ({count(left, 'day')} left)" for one, left in days.items() if left < _RENEWAL_LATE]
    return f"certificate not renewed: {', '.join(late)}; mend what keeps it from that, then deploy" if late else ""


def _not_issued(domains: list[str], failed: Mapping[str, str]) -> str:
    if not domains:
        return ""
    reasons = [f"{domain} ({failed[domain]})" if domain in failed else domain for domain in domains]
    return f"certificate not issued yet: {', '.join(reasons)}; deploy"


def _ill_health(seen: Observation) -> list[str]:
    if seen.state.around.init:
        return []  # nothing that it could be asked, and told already
    if seen.health == Health():
        return [_NO_HEALTH]
    return health.findings(seen.health, renewals_are_told=bool(seen.state.failed))


def _difference(host: Host, seen: Observation) -> str:
    """The first thing that is not as a deploy leaves it, and what helps. Empty where there is none, and where
    health.findings tells of it."""
    known, wanted = seen.state, seen.wanted
    if host.serves_nothing and known.has_no_gateway:
        return ""
    if (known.current != wanted or seen.changes) and (against := [*objections(host, known), *seen.refusals]):
        return f"a deploy would be refused: {'; '.join(against)}"
    if host.serves_nothing:
        return "nothing is to be served here, and a release is in force; deploy, and it is taken out of nginx"
    if known.installed is None:
        return "nginx is not installed; deploy"
    if lacking := missing_packages(host, known):
        return f"not installed: {', '.join(lacking)}; deploy"
    if known.current is None:
        return "nothing is published; deploy"
    if known.current != wanted:
        return _why_another(host, seen, known.current)
    if seen.changes:
        return "files of the release were changed on the host; deploy to put them back"
    if known.running is None and seen.health.nginx_is_down:
        return ""
    if known.running is None:
        return "nginx does not answer; see journalctl -u nginx there, then deploy"
    if known.strays:
        strays = ", ".join(sorted(known.strays))
        return f"nginx reads files again that the release replaces: {strays}; see who made them, then deploy"
    if known.running != wanted:
        return f"the running nginx still serves {known.running}; deploy"
    if not known.room:
        return "nginx.conf has no room for the visitors that a release expects (worker_connections); deploy"
    if not known.in_force(wanted):
        return "the release is not proven to be in force; deploy"
    return ""


def _why_another(host: Host, seen: Observation, current: str) -> str:
    """Why the release wanted is not the current one: the inventory has changed, a rollback was made, or the host has
    changed."""
    known = seen.state
    if known.current in known.history[:-1]:
        return f"it was rolled back to release {current}, the inventory wants another one; deploy"
    before, now = built_for.read(seen.health.build, Build), known.build
    if before is None or now is None:
        return f"the inventory has changed since release {current}, or it was rolled back; deploy"

    def release_for(build: Build) -> str:
        """The id; "" where a template of the current folder's own fails for such an nginx."""
        try:
            return releases.build(tree(host, build)).id
        except BrokenTemplateError:
            return ""

    if release_for(before) != current:
        since = f"the inventory, its files or this checkout's templates have changed since release {current}"
        return f"{since}{_who_else(seen)}"
    reasons = dict(built_for.changes(before, now))
    # Of several facts perhaps one alone makes a difference.
    telling = [name for name in reasons if release_for(replace(before, **{name: getattr(now, name)})) != current]
    told = " and ".join(reasons[name] for name in telling or reasons)
    return f"the inventory has not changed since release {current}, but {told}; deploy"


def _who_else(seen: Observation) -> str:
    """Who deployed what is in force, where that was somebody else, and what to do then."""
    theirs = seen.others
    if theirs is None:
        return "; deploy"
    text = f", which {theirs.by or 'somebody'} deployed" + (f" on {theirs.at[:10]}" if theirs.at else "")
    if seen.lacks_commit:
        return f"{text} from commit {theirs.commit[:12]}, which this checkout does not contain; git pull first"
    return f"{text} with changes not committed; ask for them" if theirs.changed else f"{text}; deploy"
