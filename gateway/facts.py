"""What is on a host, in one remote command each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pyinfra.api import FactBase, Host, StringCommand

from gateway import acme, health, shell
from gateway import release as releases
from gateway.release import Change, Entry, Release
from gateway.render import Build
from gateway.tls_profile import Version


@dataclass(frozen=True)
class HostState:
    """nginx and the gateway on a host. A release is its id; None means that there is none."""

    installed: Version | None = None
    # the OpenSSL that the installed nginx runs with
    openssl: Version | None = None
    candidate: Version | None = None
    # packages that some gateway needs and that are not there; which of them this one needs, Target.missing() says
    missing: tuple[str, ...] = ()
    ipv6: bool = True
    current: str | None = None
    # over the files of the current release as they are now, like Release.digest()
    digest: str | None = None
    activated: str | None = None
    running: str | None = None
    entry: str | None = None
    # whether nginx's main file has the connections and files that a release needs
    room: bool = False
    # releases that were in force, oldest first
    history: tuple[str, ...] = ()
    # ports that somebody else's site is the default of
    defaults: frozenset[int] = frozenset()
    # addresses with ports that somebody else's site has to itself, and the names of those sites
    apart: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # whether somebody else's configuration limits the files that a worker may open
    limits: bool = False
    # the group that nginx's workers run in, None where nginx.conf does not say
    group: str | None = None
    # names of upstreams that have never resolved there
    unresolved: tuple[str, ...] = ()
    # certificates that the host got from an ACME server
    issued: tuple[acme.Issued, ...] = ()
    # domains whose last request or renewal came to nothing: when and why
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def build(self) -> Build | None:
        """What to render for: the nginx that is there, else the one that apt would install."""
        version = self.installed or self.candidate
        return Build(version, self.ipv6, self.defaults, self.openssl, self.limits, self.group) if version else None

    @property
    def is_readable(self) -> bool:
        """False where the host did not let its state be read; what stands here says nothing then."""
        return self != HostState()

    @property
    def previous(self) -> str | None:
        """The release that a rollback goes to: the one before the current one in the history."""
        if self.current not in self.history:
            return self.history[-1] if self.history else None
        place = self.history.index(self.current)
        return self.history[place - 1] if place else None

    def in_force(self, release: str) -> bool:
        """True where `release` is published, included, loaded by the running nginx and was proven so."""
        included = self.room and self.entry == "../wecom-gateway/current/gateway.conf"
        return included and {self.current, self.activated, self.running} == {release}


class GatewayState(FactBase[HostState]):
    """HostState of the host."""

    def command(self) -> StringCommand:
        return shell.read_state()

    @staticmethod
    def default() -> HostState:
        return HostState()

    def process(self, output: list[str]) -> HostState:
        values = dict(line.partition(" ")[::2] for line in output)
        return HostState(
            installed=_version(values.get("version", "")),
            openssl=_version(values.get("openssl", "")),
            candidate=_version(values.get("candidate", "")),
            missing=tuple(values.get("missing", "").split()),
            ipv6=values.get("ipv6") != "no",
            current=values.get("current", "").removeprefix("releases/") or None,
            digest=values.get("digest") or None,
            activated=values.get("activated") or None,
            running=values.get("running") or None,
            entry=values.get("entry") or None,
            room=values.get("room") == "yes",
            history=tuple(values.get("history", "").split()),
            defaults=frozenset(map(int, values.get("defaults", "").split())),
            apart={address: tuple(names.split()) for address, names in _by_name(values, "apart:").items()},
            group=values.get("group") or None,
            limits=values.get("limits") == "yes",
            unresolved=tuple(values.get("unresolved", "").split()),
            issued=acme.read_issued(values),
            failed=_by_name(values, "failed:"),
        )


class GatewayHealth(FactBase[health.Health]):
    """Health of the host, empty where it does not say. `nginx -t` is part of it, so deploys do not ask."""

    def command(self) -> StringCommand:
        return shell.read_health()

    @staticmethod
    def default() -> health.Health:
        return health.Health()

    def process(self, output: list[str]) -> health.Health:
        return health.read(output)


class ReleaseDigest(FactBase[str]):
    """One digest over what the host holds of a release: Release.digest() where it is intact, else another."""

    def command(self, release: str) -> StringCommand:
        return shell.read_release(release, "digest")

    @staticmethod
    def default() -> str:
        return ""


class ReleaseFiles(FactBase[frozenset[Entry]]):
    """The files that the host holds of a release as they are now, none where it has none of it."""

    def command(self, release: str) -> StringCommand:
        return shell.read_release(release, "files")

    @staticmethod
    def default() -> frozenset[Entry]:
        return frozenset()

    def process(self, output: list[str]) -> frozenset[Entry]:
        modes: dict[str, str] = {}
        digests: dict[str, str] = {}
        for line in output:
            kind, _, rest = line.partition(" ")
            value, _, path = rest.partition(" ")
            if kind == "mode":
                modes[path] = value
            elif kind == "digest":
                digests[path.removeprefix(" ")] = value
        return frozenset(Entry(path, digests.get(path, ""), mode) for path, mode in modes.items())


class ReleaseSources(FactBase[frozenset[Entry]]):
    """What a release on the host was rendered as, before its id went into the files: Release.sources()."""

    def command(self, release: str) -> StringCommand:
        return shell.read_release(release, "sources")

    @staticmethod
    def default() -> frozenset[Entry]:
        return frozenset()

    def process(self, output: list[str]) -> frozenset[Entry]:
        return releases.read_sources(output)


def changes(host: Host, known: HostState, wanted: Release) -> list[Change]:
    """What stands between what is in force on a host and the wanted release, by path.

    Of the same release that is what was changed by hand; of another one, what the inventory changed.
    """
    if known.current == wanted.id:
        if known.digest == wanted.digest():
            return []
        return releases.diff(host.get_fact(ReleaseFiles, release=wanted.id), wanted.manifest())
    # Somebody deleted the link: what was proven last is what went before.
    before = known.current or known.activated
    held = host.get_fact(ReleaseSources, release=before) if before else frozenset()
    return releases.diff(held, wanted.sources())


def _by_name(values: Mapping[str, str], prefix: str) -> dict[str, str]:
    """The values whose keys have a name behind the prefix, by that name."""
    return {key.removeprefix(prefix): text for key, text in values.items() if key.startswith(prefix)}


def _version(text: str) -> Version | None:
    try:
        return Version.parse(text)
    except ValueError:
        return None
