"""What is on a host, in one remote command each."""

from __future__ import annotations

import base64
import io
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pyinfra.api import FactBase, StringCommand

from gateway import acme
from gateway.deploys import health, neighbours, origin, shell, surroundings
from gateway.deploys.neighbours import Neighbours
from gateway.deploys.origin import Origin
from gateway.deploys.surroundings import Surroundings
from gateway.nginx import release as releases
from gateway.nginx.build import Build
from gateway.nginx.release import Entry
from gateway.nginx.tls_profile import Version


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
    # the links by which nginx's configuration includes it
    entries: frozenset[str] = frozenset()
    # whether nginx's main file has the connections and files that a release needs
    room: bool = False
    # releases that were in force, oldest first
    history: tuple[str, ...] = ()
    # other programs and other nginx on the host
    around: Surroundings = field(default_factory=Surroundings)
    # what other people's nginx configuration claims
    neighbours: Neighbours = field(default_factory=Neighbours)
    # why that configuration does not load, empty where it does
    broken: str = ""
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
        if version is None:
            return None
        theirs = self.neighbours
        return Build(version, self.ipv6, frozenset(theirs.defaults), self.openssl, theirs.limits, self._private_group())

    def _private_group(self) -> str | None:
        """The group of nginx's workers, where nobody else's programs run in it and it has no other members."""
        theirs = self.neighbours
        group = theirs.group or (self.around.group_of or {}).get(theirs.user or "")
        return None if group in self.around.shared else group or None

    @property
    def is_readable(self) -> bool:
        """False where the host did not let its state be read; what stands here says nothing then."""
        return self != HostState()

    @property
    def in_place(self) -> str | None:
        """The release before a new one: what the running nginx serves, else the current one, or where its link was
        deleted, what was proven last."""
        return self.running if self.running in self.history else self.current or self.activated

    @property
    def previous(self) -> str | None:
        """The release that a rollback goes to: the one before the current one in the history."""
        if self.current not in self.history:
            return self.history[-1] if self.history else None
        place = self.history.index(self.current)
        return self.history[place - 1] if place else None

    def in_force(self, release: str) -> bool:
        """True where `release` is published, included, loaded by the running nginx and was proven so."""
        included = self.room and self.entries == {self.neighbours.entry}
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
        broken = values.get("broken", "")
        theirs = Neighbours()
        if "dump" in values:
            try:
                theirs = neighbours.read(values["dump"])
            except ValueError as error:
                broken = str(error)
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
            entries=frozenset(_by_name(values, "entry:")),
            room=values.get("room") == "yes",
            history=tuple(values.get("history", "").split()),
            around=surroundings.read(values),
            neighbours=theirs,
            broken=broken,
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


@dataclass(frozen=True)
class Held:
    """A release that a host has. `sources` is what it was rendered as, before its id went into the files, like
    Release.sources(). `origin` is None where it is not recorded, as earlier versions did not."""

    sources: frozenset[Entry] = frozenset()
    domains: frozenset[str] = frozenset()
    origin: Origin | None = None


class ReleaseHeld(FactBase[Held]):
    """Held of a release, without anything in it where the host has none of it."""

    def command(self, release: str) -> StringCommand:
        return shell.read_release(release, "held")

    @staticmethod
    def default() -> Held:
        return Held()

    def process(self, output: list[str]) -> Held:
        said: dict[str, list[str]] = {"source": [], "domain": [], "origin": []}
        for line in output:
            key, _, text = line.partition(" ")
            if key in said:
                said[key].append(text)
        return Held(
            releases.read_sources(said["source"]),
            frozenset(filter(None, said["domain"])),
            origin.read("".join(said["origin"])),
        )


class CertificateEnds(FactBase[dict[str, datetime]]):
    """When the certificates end that a release on the host has for the domains of `_stdin`, shell.names(); not of those
    that nobody can read."""

    def command(self, release: str) -> StringCommand:
        return shell.read_parts(release, "ends")

    @staticmethod
    def default() -> dict[str, datetime]:
        return {}

    def process(self, output: list[str]) -> dict[str, datetime]:
        pairs = [line.partition(" ")[::2] for line in output]
        ends = {domain: acme.read_date(text) for domain, text in pairs}
        return {domain: end for domain, end in ends.items() if end}


class ReleaseTexts(FactBase[dict[str, bytes]]):
    """The files of a release on the host at the paths of `_stdin`, shell.names(); those alone that everybody may see
    (scripts/manifest.sh)."""

    def command(self, release: str) -> StringCommand:
        return shell.read_parts(release, "texts")

    @staticmethod
    def default() -> dict[str, bytes]:
        return {}

    def process(self, output: list[str]) -> dict[str, bytes]:
        try:
            with tarfile.open(fileobj=io.BytesIO(base64.b64decode("".join(output)))) as archive:
                files = ((member.name, archive.extractfile(member)) for member in archive if member.isfile())
                return {name: file.read() for name, file in files if file}
        except (tarfile.TarError, ValueError, EOFError, OSError, zlib.error):
            return {}


def _by_name(values: Mapping[str, str], prefix: str) -> dict[str, str]:
    """The values whose keys have a name behind the prefix, by that name."""
    return {key.removeprefix(prefix): text for key, text in values.items() if key.startswith(prefix)}


def _version(text: str) -> Version | None:
    try:
        return Version.parse(text)
    except ValueError:
        return None
