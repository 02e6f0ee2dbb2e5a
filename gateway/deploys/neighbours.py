"""What nginx configuration on a host that is not the gateway's claims for itself, read from `nginx -T`. Pure."""

from __future__ import annotations

import base64
import fnmatch
import functools
import gzip
import posixpath
import re
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import crossplane

from gateway.nginx.layout import Layout
from gateway.onhost.constants import ENTRIES

_FILE = re.compile(r"^# configuration file (.+):$", re.MULTILINE)
# How a `listen` on every address of a family begins, by the ways to write that address.
_EVERY = {"*": "", "0.0.0.0": "", "[::]": "[::]:"}  # noqa: S104
_USUAL = Layout()


@dataclass(frozen=True)
class Default:
    """The server, in `file`, that answers on a socket to names that no server has.

    It is `explicit` by `default_server`, else because nginx reads it first. `protocols` are the TLS versions that it
    allows, empty where nothing says so.
    """

    file: str
    explicit: bool
    protocols: tuple[str, ...] = ()
    # the first of what may include a release (Neighbours.included) that nginx reads after it, None where there is none
    entry: str | None = None


@dataclass(frozen=True)
class Server:
    """A server by its names, the addresses and ports of its `listen`, and the file that it stands in."""

    names: tuple[str, ...]
    listens: tuple[str, ...]
    file: str

    def everywhere(self) -> set[int]:
        """The ports that it listens on at every address of the host."""
        sockets = [_address((listen,)) for listen in self.listens]
        return {port for address, port, *_ in sockets if address in _EVERY}


@dataclass(frozen=True)
class Neighbours:
    """Servers on a host that are not the gateway's.

    `included` are those links of Layout.entries that nginx would read; where it would read none of them, its main
    file, in which a line can include a release. `defaults` are by socket, named as nginx's `listen` does where it
    is of every address: "80", "[::]:80". `apart` are single addresses with a port ("10.0.0.5:80") that a `listen`
    takes for its own servers, with the names of those; `apart_in` are the files that say so, and those that take an
    address of the host's own loopback. `both_families` are ports where one IPv6 socket takes IPv4 as well, with the
    file.
    """

    included: frozenset[str] = frozenset(ENTRIES)
    servers: tuple[Server, ...] = ()
    defaults: Mapping[str, Default] = field(default_factory=dict)
    apart: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    apart_in: Mapping[str, str] = field(default_factory=dict)
    both_families: Mapping[int, str] = field(default_factory=dict)
    # sockets of `defaults` on which somebody has nginx expect the PROXY protocol, for all servers there, with the file
    proxied: Mapping[str, str] = field(default_factory=dict)
    # ports of 127.0.0.1 that a `listen` names, with the file
    loopback: Mapping[int, str] = field(default_factory=dict)
    # ports that servers of a stream block listen on, with the file
    streams: Mapping[int, str] = field(default_factory=dict)
    user: str | None = None
    group: str | None = None
    # what the main file names as the log of what nginx says of itself
    error_log: str | None = None
    # whether they set worker_rlimit_nofile
    limits: bool = False
    # whether they set the size of nginx's table of variables
    variables: bool = False
    # what to include a release by: the first link behind every server that is a default only because nginx reads it
    # first, so that it stays the default; the main file where that includes no folder of theirs
    entry: str = ENTRIES[0]


def read(packed: str, layout: Layout = _USUAL, replaced: Collection[str] = ()) -> Neighbours:
    """The neighbours from what `print_configuration` in scripts/neighbours.sh prints: `nginx -T`, in gzip and base64.

    `replaced` are files that count as empty, since a release takes their place. Raises ValueError where it is something
    else.
    """
    try:
        text = gzip.decompress(base64.b64decode(packed, validate=True)).decode("utf-8", errors="replace")
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"nginx -T arrived damaged: {error}") from None
    parts = _FILE.split(text)
    if len(parts) < 3:
        raise ValueError("nginx -T printed no file")
    # A file that is included twice is printed once; the first is the main file.
    files = dict(zip(parts[1::2], parts[2::2], strict=True))
    return _claims(parts[1], {**files, **{name: "" for name in replaced if name in files}}, layout)


@dataclass(frozen=True)
class _Statement:
    """A directive, the file that it stands in and, of a block, the directives in it."""

    file: str
    name: str
    arguments: tuple[str, ...]
    block: tuple[_Statement, ...] | None


def _claims(main_file: str, files: Mapping[str, str], layout: Layout) -> Neighbours:
    main = list(_Reader(posixpath.dirname(main_file), files).statements(main_file, ()))
    http = [one for block in main if block.name == "http" for one in block.block or ()]
    user = next((one.arguments for one in main if one.name == "user"), ())
    inherited = _protocols(http)
    servers: list[Server] = []
    defaults: dict[str, Default] = {}
    apart: dict[str, tuple[str, ...]] = {}
    apart_in: dict[str, str] = {}
    both: dict[int, str] = {}
    proxied: dict[str, str] = {}
    loopback: dict[int, str] = {}
    # Of what nginx reads twice it would refuse the second.
    read_in = Counter(one.file for one in http)
    once = {file for file in layout.entries if read_in[file] == 1}
    places = {one.file: place for place, one in enumerate(http) if one.file in once}
    if any(one.name == "http" and one.file == main_file for one in main):
        # A server of the main file itself may stand behind all that it includes, as on RPM systems.
        last = max(
            (place for place, one in enumerate(http) if (one.name, one.file) == ("server", main_file)), default=-1
        )
        if not places or last > max(places.values()):
            places[layout.main_file] = len(http)
    ways = [one for one in (*layout.entries, layout.main_file) if one in places]
    for place, server in enumerate(http):
        if server.name != "server" or server.block is None:
            continue
        names = tuple(name for one in server.block if one.name == "server_name" for name in one.arguments)
        listens = [(one.file, one.arguments) for one in server.block if one.name == "listen" and one.arguments]
        listens = listens or [(server.file, ("80",))]
        servers.append(Server(names, tuple(arguments[0] for _, arguments in listens), server.file))
        for file, arguments in listens:
            address, port, *flags = _address(arguments)
            if "quic" in flags:  # that is UDP
                continue
            if address in _EVERY:
                explicit = "default_server" in flags or "default" in flags
                spec = f"{_EVERY[address]}{port}"
                if spec not in defaults or (explicit and not defaults[spec].explicit):
                    behind = next((way for way in ways if places[way] > place), None)
                    protocols = _protocols(server.block) or inherited
                    defaults[spec] = Default(file, explicit, protocols, behind)
                if "ipv6only=off" in flags:
                    both[port] = file
                if "proxy_protocol" in flags:
                    proxied.setdefault(spec, file)
            elif not address.startswith("127.") and address not in ("[::1]", "localhost"):
                known = apart.get(f"{address}:{port}", ())
                apart[f"{address}:{port}"] = tuple(dict.fromkeys([*known, *names]))
                apart_in.setdefault(f"{address}:{port}", file)
            else:
                # Nobody from outside asks there, but nginx holds the socket all the same.
                address = "127.0.0.1" if address == "localhost" else address
                apart_in.setdefault(f"{address}:{port}", file)
                if address == "127.0.0.1":
                    loopback.setdefault(port, file)
    return Neighbours(
        included=frozenset(places),
        servers=tuple(servers),
        defaults=defaults,
        apart=apart,
        apart_in=apart_in,
        both_families=both,
        proxied=proxied,
        loopback=loopback,
        streams=_streams(main),
        user=user[0] if user else None,
        group=user[1] if len(user) > 1 else None,
        limits=any(one.name == "worker_rlimit_nofile" for one in main),
        variables=any(one.name.startswith("variables_hash_") for one in http if one.file not in layout.entries),
        error_log=next((one.arguments[0] for one in main if one.name == "error_log" and one.arguments), None),
        entry=_entry(ways, defaults.values(), layout),
    )


def _entry(ways: list[str], defaults: Iterable[Default], layout: Layout) -> str:
    behind = [one.entry for one in defaults if not one.explicit and one.entry]
    return max(behind, key=ways.index, default=ways[0] if ways else layout.main_file)


def _streams(main: Iterable[_Statement]) -> dict[int, str]:
    servers = [one for block in main if block.name == "stream" for one in block.block or () if one.name == "server"]
    listens = [one for server in servers for one in server.block or () if one.name == "listen" and one.arguments]
    found: dict[int, str] = {}
    for one in listens:
        if "udp" not in one.arguments:
            found |= dict.fromkeys(_ports(one.arguments), one.file)
    return found


def _ports(arguments: tuple[str, ...]) -> Iterable[int]:
    """The ports of a stream server's `listen`, which may name a range."""
    first, dash, last = arguments[0].rpartition(":")[2].partition("-")
    if dash and first.isdecimal() and last.isdecimal():
        return range(int(first), int(last) + 1)
    return [_address(arguments)[1]]


def _address(arguments: tuple[str, ...]) -> tuple[Any, ...]:
    """Address, port and flags of a `listen`. A unix socket, which gets in nobody's way, is told as one of 127.0.0.1."""
    at, *flags = arguments
    if at.startswith("unix:"):
        return "127.0.0.1", 0, *flags
    if at.isdecimal():
        return "*", int(at), *flags
    host, colon, port = at.rpartition(":")
    if colon and port.isdecimal() and (not host.startswith("[") or host.endswith("]")):
        return host or "*", int(port), *flags
    return at, 80, *flags


def _protocols(block: Iterable[_Statement]) -> tuple[str, ...]:
    return next((one.arguments for one in block if one.name == "ssl_protocols"), ())


@functools.lru_cache(maxsize=256)
def _parsed(text: str, file: str) -> list[dict[str, Any]]:
    """The directives of a file as crossplane has them, to be read only. Hosts of a fleet mostly have the same files,
    which it takes longer to read than all else that a host says."""
    parsed = crossplane.parse_string(
        text, filename=file, single=True, check_ctx=False, check_args=False, catch_errors=True
    )
    statements: list[dict[str, Any]] = parsed["config"][0]["parsed"]
    return statements


@dataclass(frozen=True)
class _Reader:
    """Reads files of nginx's by name; `folder` is the one that names in `include` are relative to."""

    folder: str
    files: Mapping[str, str]

    def statements(self, file: str, around: tuple[str, ...]) -> Iterator[_Statement]:
        """The directives of a file, those of included files in their place; of a file without any, one without a
        name."""
        if file not in self.files or file in around:
            return
        statements = _parsed(self.files[file], file)
        if not statements:
            yield _Statement(file, "", (), None)
        for one in statements:
            yield from self._statement(one, file, (*around, file))

    def _statement(self, raw: Mapping[str, Any], file: str, around: tuple[str, ...]) -> Iterator[_Statement]:
        if raw["directive"] == "include" and raw["args"]:
            pattern = posixpath.join(self.folder, raw["args"][0])
            for name in sorted(name for name in self.files if _matches(name, pattern)):
                yield from self.statements(name, around)
            return
        block = None
        if "block" in raw:
            block = tuple(inner for one in raw["block"] for inner in self._statement(one, file, around))
        yield _Statement(file, raw["directive"], tuple(raw["args"]), block)


def _matches(name: str, pattern: str) -> bool:
    """Whether a path matches as in a shell: `*` matches no slash, and no hidden file."""
    parts, wanted = name.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(
        fnmatch.fnmatchcase(part, one) and (part[:1] != "." or one[:1] == ".")
        for part, one in zip(parts, wanted, strict=True)
    )
