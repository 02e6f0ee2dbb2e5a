"""What a host says of itself, as gateway/onhost/scripts/state.sh prints it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from gateway.deploys import guards, neighbours, origin, surroundings
from gateway.deploys.guards import Guards
from gateway.deploys.issued import Issued, read_issued
from gateway.deploys.neighbours import Neighbours, Server
from gateway.deploys.origin import PastRelease
from gateway.deploys.surroundings import Surroundings
from gateway.fleet.host import Host
from gateway.nginx import modules
from gateway.nginx.build import Build
from gateway.nginx.layout import Layout, layout
from gateway.nginx.tls_profile import Version
from gateway.onhost.constants import METRICS_PACKAGES, STREAM_MODULES


@dataclass(frozen=True)
class HostState:
    """nginx and the gateway on a host, and what is beside them. A release is its id; None means that there is none.

    "The installed nginx" is the one that a deploy uses, wherever it is from.
    """

    installed: Version | None = None
    layout: Layout = field(default_factory=Layout)
    # whether the installed nginx is none of a package in its usual place
    foreign: bool = False
    # the OpenSSL that the installed nginx runs with
    openssl: Version | None = None
    candidate: Version | None = None
    # the modules that the installed nginx was built with or without, as `nginx -V` has them, and the name of its TLS
    # library where that is not OpenSSL; None where no nginx is installed
    built: frozenset[str] | None = None
    # the package that it is of: name, version, and who looks after it
    package: str = ""
    # what the system calls itself, "Debian GNU/Linux 12 (bookworm)"
    system: str = ""
    # packages that are not there, of all that any gateway needs (missing_packages() has those that this one needs)
    missing: tuple[str, ...] = ()
    # whether no repository of an RPM system has nginx, and one of them has EPEL's
    epel: bool = False
    # what the system keeps nginx from doing
    guards: Guards = field(default_factory=Guards)
    ipv6: bool = True
    current: str | None = None
    # over the files of the current release as they are now, made like Release.digest()
    digest: str | None = None
    # the version of the product that published the current release, empty where it is not recorded
    product: str = ""
    activated: str | None = None
    running: str | None = None
    # the links by which nginx's configuration includes it
    entries: frozenset[str] = frozenset()
    # whether nginx.conf gives a release what it needs there: enough connections, and the link for egress
    room: bool = False
    # releases that were in force, oldest first
    history: tuple[str, ...] = ()
    # what is recorded of each of them, in the same order
    past: tuple[PastRelease, ...] = ()
    # other programs and other nginx on the host
    around: Surroundings = field(default_factory=Surroundings)
    # what nginx configuration that is not the gateway's claims for itself
    neighbours: Neighbours = field(default_factory=Neighbours)
    # the servers of every other nginx that runs, by its program; empty where nobody asked for them
    elsewhere: Mapping[str, tuple[Server, ...]] = field(default_factory=dict)
    # why that configuration does not load, empty where it does
    broken: str = ""
    # what it is, packed as neighbours.read takes it
    configuration: str = field(default="", repr=False)
    # files of it that were put aside because a release took their place, and those of them whose place is free
    aside: frozenset[str] = frozenset()
    returning: frozenset[str] = frozenset()
    # files whose place the current release takes, and those of them that are there again
    replaces: frozenset[str] = frozenset()
    strays: frozenset[str] = frozenset()
    # servers in files whose place the release wanted would take (replacing())
    replaced: tuple[Server, ...] = ()
    # names of upstreams that have never resolved there
    unresolved: tuple[str, ...] = ()
    # certificates that an ACME server issued to the host
    issued: tuple[Issued, ...] = ()
    # by domain when and why the last request or renewal of its certificate failed
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def build(self) -> Build | None:
        """What to render for: the nginx that is there, else the one that a deploy would install."""
        version = self.installed or self.candidate
        if version is None:
            return None
        theirs = self.neighbours
        return Build(
            version,
            self.ipv6,
            frozenset(theirs.defaults),
            self.openssl,
            theirs.limits,
            self._private_group(),
            theirs.variables,
            modules.lacking(self.built) if self.built is not None else frozenset(),
            self.layout,
        )

    def _private_group(self) -> str | None:
        """The group of nginx's workers. None where other programs run in it or it has other members too."""
        theirs = self.neighbours
        group = theirs.group or (self.around.group_of or {}).get(theirs.user or "")
        return None if group in self.around.shared else group or None

    @property
    def is_readable(self) -> bool:
        """False where the state of the host could not be read; all other fields mean nothing then."""
        return self != HostState()

    @property
    def has_no_gateway(self) -> bool:
        """Whether no release is in force, and nginx's configuration includes none."""
        return self.current is None and self.running is None and not self.entries

    @property
    def in_place(self) -> str | None:
        """The release that a new one follows: the one that the running nginx serves, else the current one, else (its
        link was deleted) the one that was last proven to be in force."""
        return self.running if self.running in self.history else self.current or self.activated

    @property
    def previous(self) -> str | None:
        """The release that a rollback goes to: in the history the one before the current one, or the last one where the
        current one is not in it. None where there is none."""
        if self.current not in self.history:
            return self.history[-1] if self.history else None
        place = self.history.index(self.current)
        return self.history[place - 1] if place else None

    def replacing(self, files: tuple[str, ...]) -> HostState:
        """The host as a release finds it that takes the place of these files: what is in them is no neighbour's."""
        if not self.configuration or not (gone := {one.file for one in self.neighbours.servers}.intersection(files)):
            return self
        left = neighbours.read(self.configuration, self.layout, gone)
        # nginx holds the sockets of what goes until it has those of what comes.
        kept = {name: getattr(self.neighbours, name) for name in ("apart_in", "both_families", "streams")}
        servers = tuple(one for one in self.neighbours.servers if one.file in gone)
        return replace(self, neighbours=replace(left, **kept), replaced=servers)

    def in_force(self, release: str) -> bool:
        """Whether `release` is the current one, included by the right link, and proven to be served by nginx."""
        included = self.room and self.entries == {self.neighbours.entry} and not self.strays
        return included and {self.current, self.activated, self.running} == {release}


def missing_packages(host: Host, known: HostState) -> list[str]:
    """Packages that the host needs and that are not there."""
    if host.serves_nothing:
        return []
    # Among the others is logrotate: a minimal Debian lacks it, and nginx's logs would grow until the disk is full.
    needless: set[str] = set()
    if known.foreign:
        needless.add("nginx")
    if known.foreign or not host.egress:
        needless.update(STREAM_MODULES)
    if not any(site.acme for site in host.sites):
        needless.add("certbot")
    if not host.metrics:
        needless.update(METRICS_PACKAGES)
    return [package for package in known.missing if package not in needless]


def read(output: Iterable[str]) -> HostState:
    """The state of a host from what state.sh printed: one "key value" a line. Keys that are missing say nothing."""
    values = dict(line.partition(" ")[::2] for line in output)
    broken = values.get("broken", "")
    places = _by_name(values, "layout:")
    theirs = Neighbours()
    if "dump" in values:
        try:
            theirs = neighbours.read(values["dump"], layout(places))
        except ValueError as error:
            broken = str(error)
    return HostState(
        installed=_version(values.get("version", "")),
        layout=layout(places, theirs.user, theirs.error_log),
        foreign=values.get("foreign") == "yes",
        openssl=_version(values.get("openssl", "")),
        candidate=_version(values.get("candidate", "")),
        built=frozenset(values["built"].split()) if "built" in values else None,
        package=values.get("package", ""),
        system=values.get("system", ""),
        missing=tuple(values.get("missing", "").split()),
        epel=values.get("epel") == "yes",
        guards=guards.read(values),
        ipv6=values.get("ipv6") != "no",
        current=values.get("current", "").removeprefix("releases/") or None,
        digest=values.get("digest") or None,
        product=origin.read_version(values.get("product", "")),
        activated=values.get("activated") or None,
        running=values.get("running") or None,
        entries=frozenset(_by_name(values, "entry:")),
        room=values.get("room") == "yes",
        history=tuple(values.get("history", "").split()),
        past=origin.read_past(values),
        around=surroundings.read(values),
        neighbours=theirs,
        elsewhere={program: _servers(packed) for program, packed in _by_name(values, "dump:").items()},
        broken=broken,
        configuration="" if broken else values.get("dump", ""),
        aside=frozenset(_by_name(values, "aside:")),
        returning=_paths(values, "aside:", "away"),
        replaces=frozenset(_by_name(values, "replaces:")),
        strays=_paths(values, "replaces:", "there"),
        unresolved=tuple(values.get("unresolved", "").split()),
        issued=read_issued(values),
        failed=_by_name(values, "failed:"),
    )


def _servers(packed: str) -> tuple[Server, ...]:
    """Those of a dump; none where it cannot be read."""
    try:
        return neighbours.read(packed).servers
    except ValueError:
        return ()


def _by_name(values: Mapping[str, str], prefix: str) -> dict[str, str]:
    """The values whose keys have a name behind the prefix, by that name."""
    return {key.removeprefix(prefix): text for key, text in values.items() if key.startswith(prefix)}


def _paths(values: Mapping[str, str], prefix: str, found: str) -> frozenset[str]:
    """The names behind the prefix with this value."""
    return frozenset(name for name, text in _by_name(values, prefix).items() if text == found)


def _version(text: str) -> Version | None:
    try:
        return Version.parse(text)
    except ValueError:
        return None
