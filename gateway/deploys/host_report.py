"""What a host is before a deploy, for `hosts`: its nginx, its neighbours, and what is in the way. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

from gateway.deploys.neighbours import Server
from gateway.deploys.objections import announcements, is_nginx, objections, remarks
from gateway.deploys.state import HostState
from gateway.fleet.host import Host
from gateway.nginx.modules import OTHER_LIBRARIES

# Modules of nginx that releases need, some of them for egress alone, by what `nginx -V` calls them.
_MODULES = {
    "http_ssl_module": "ssl",
    "http_v2_module": "http2",
    "http_realip_module": "realip",
    "stream": "stream",
    "stream_ssl_preread_module": "ssl_preread",
}
# What an nginx is by the folder that it is in.
_ORIGINS = {
    "/www/server/": "of a hosting panel (BT or aaPanel)",
    "/usr/local/openresty/": "of OpenResty",
    "/usr/local/tengine/": "of Tengine",
}
# Ways to write a socket that is of every address.
_EVERY = ("*:", "0.0.0.0:", "[::]:")


@dataclass(frozen=True)
class Nginx:
    """An nginx on a host. `source` says where it is from; `runs` under which unit, or as which process, empty where it
    does not run. `modules` are those that matter to a gateway, `without` those that it lacks, and all that were left
    out when it was built."""

    program: str
    version: str
    tls: str
    source: str
    runs: str
    modules: tuple[str, ...]
    without: tuple[str, ...]


@dataclass(frozen=True)
class Program:
    """Another program that listens, with addresses and ports as nginx's `listen` has them."""

    name: str
    unit: str
    listens: tuple[str, ...]


@dataclass(frozen=True)
class Site:
    """Servers of somebody else that share names and file; `nginx` is the program whose configuration they are."""

    names: tuple[str, ...]
    listens: tuple[str, ...]
    file: str
    nginx: str


@dataclass(frozen=True)
class HostReport:
    """One host as `hosts` tells it.

    `problem` is why nothing is known of it, empty where it was read. `nginx` is the one that a deploy would use, None
    where a deploy would install one: of the version `would_install`, None where apt does not know yet. `release` is
    the one in force, by the product's version `product`. `in_the_way` are the sentences with which a deploy would be
    refused, `remarks` those that it would only tell.
    """

    host: str
    address: str
    reachable: bool = True
    problem: str = ""
    system: str = ""
    nginx: Nginx | None = None
    would_install: str | None = None
    other_nginx: tuple[Nginx, ...] = ()
    programs: tuple[Program, ...] = ()
    sites: tuple[Site, ...] = ()
    release: str | None = None
    product: str | None = None
    in_the_way: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether the host was read and nothing is in the way of a deploy."""
        return not self.problem and not self.in_the_way

    def as_data(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self) | {"ready": self.ready}


def reported(host: Host, known: HostState, lost: Iterable[str] = ()) -> HostReport:
    """The report of a host that answered. `lost` are refusals for what a deploy would take away."""
    own, around = (*known.neighbours.servers, *known.replaced), known.around
    return HostReport(
        host=host.name,
        address=host.address,
        system=known.system,
        nginx=_in_use(known),
        would_install=str(known.candidate) if known.candidate and known.installed is None else None,
        other_nginx=tuple(_others(known)),
        programs=tuple(_programs(known)),
        sites=(
            *_sites(known.layout.program, own),
            *(site for one in around.nginx for site in _sites(one.program, known.elsewhere.get(one.program, ()))),
        ),
        release=known.in_place,
        product=known.product or None,
        in_the_way=(*objections(host, known), *lost),
        remarks=(*announcements(known), *remarks(host, known)),
    )


def _in_use(known: HostState) -> Nginx | None:
    if known.installed is None:
        return None
    layout, around = known.layout, known.around
    unit = layout.unit or f"pid {around.main_pid}"
    openssl = str(known.openssl) if known.openssl else ""
    return _nginx(
        layout.program,
        str(known.installed),
        openssl,
        known.built or frozenset(),
        _source(layout.program) if known.foreign else _package(known.package),
        unit if around.main_pid else "",
    )


def _package(package: str) -> str:
    name, _, more = package.partition(" ")
    version, _, maintainer = more.partition(" ")
    by = maintainer.partition("<")[0].strip()
    return f"package {name} {version}" + (f" ({by})" if by else "") if name else "a package"


def _source(program: str) -> str:
    """Where an nginx of no package is from, by its place."""
    return next((text for folder, text in _ORIGINS.items() if program.startswith(folder)), "from source, of no package")


def _others(known: HostState) -> Iterator[Nginx]:
    for one in known.around.nginx:
        version = one.version.rpartition("/")[2]
        same = one.program == known.layout.program and not known.foreign and known.installed
        source = "the package's, run by something else" if same else _source(one.program)
        runs = one.unit or (f"pid {one.pid}" if one.pid else "")
        yield _nginx(one.program, version, one.openssl, one.built, source, runs)


def _nginx(program: str, version: str, openssl: str, built: frozenset[str], source: str, runs: str) -> Nginx:
    library = next(iter(built & OTHER_LIBRARIES), "")
    tls = library or (f"OpenSSL {openssl}" if openssl else "")
    # "--with-stream=dynamic": a module that nginx loads where its configuration says so
    options = {word.removeprefix("--with-").partition("=")[0]: word.partition("=")[2] for word in built}
    found = {name: options[option] for option, name in _MODULES.items() if option in options}
    modules = tuple(f"{name} ({how})" if how else name for name, how in found.items())
    left_out = sorted(word.removeprefix("--without-") for word in built if word.startswith("--without-"))
    lacking = [name for name in _MODULES.values() if name not in found]
    # Of an nginx that does not say what it was built with, nothing is known.
    return Nginx(program, version, tls, source, runs, modules, (*lacking, *left_out) if built else ())


def _programs(known: HostState) -> Iterator[Program]:
    """Programs that listen, but for the nginx that a deploy would use; those of one unit are one."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in sorted(known.around.listeners, key=lambda one: one.port):
        if not is_nginx(one, known):
            found.setdefault((one.program or "another process", one.unit), []).append(one.text)
    for (name, unit), listens in found.items():
        yield Program(name, unit, tuple(dict.fromkeys(listens)))


def _sites(program: str, servers: Sequence[Server]) -> Iterator[Site]:
    found: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for one in servers:
        found.setdefault((one.names, one.file), []).extend(map(_socket, one.listens))
    for (names, file), listens in found.items():
        yield Site(names, tuple(dict.fromkeys(listens)), file, program)


def _socket(listen: str) -> str:
    """The first word of a `listen`, without what says that it is of every address."""
    return next((listen.removeprefix(every) for every in _EVERY if listen.startswith(every)), listen)
