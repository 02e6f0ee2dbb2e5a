"""What other people's nginx configuration on a host claims for itself, read from what `nginx -T` printed. Pure."""

from __future__ import annotations

import base64
import fnmatch
import gzip
import posixpath
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import crossplane

# The links by which a release can be included, as gateway/onhost/scripts/common.sh has them, the usual one first.
ENTRIES = (
    "/etc/nginx/conf.d/wecom-gateway.conf",
    "/etc/nginx/conf.d/zzz-wecom-gateway.conf",
    "/etc/nginx/sites-enabled/zzz-wecom-gateway.conf",
)
_MAIN = "/etc/nginx/nginx.conf"
_FILE = re.compile(r"^# configuration file (.+):$", re.MULTILINE)
# Each family's "every address", however it is written.
_EVERY = {"*": "", "0.0.0.0": "", "[::]": "[::]:"}  # noqa: S104


@dataclass(frozen=True)
class Default:
    """Who answers on a socket to names that nobody has: a server in `file`, by `default_server` or by its place alone.

    `protocols` are TLS versions that it allows, empty where nothing says so.
    """

    file: str
    explicit: bool
    protocols: tuple[str, ...] = ()
    # the first entry of ENTRIES that nginx reads behind it, None where there is none
    entry: str | None = None


@dataclass(frozen=True)
class Neighbours:
    """Other people's servers on a host. A socket of every address is named as nginx's `listen` has it: "80", "[::]:80".

    `apart` are addresses with ports that their servers have to themselves, with the names of those servers, `apart_in`
    the files that say so. `both_families` are ports where one IPv6 socket takes IPv4 as well, and the file.
    """

    included: frozenset[str] = frozenset(ENTRIES)
    defaults: Mapping[str, Default] = field(default_factory=dict)
    apart: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    apart_in: Mapping[str, str] = field(default_factory=dict)
    both_families: Mapping[int, str] = field(default_factory=dict)
    # ports that servers of a stream block listen on, and the file
    streams: Mapping[int, str] = field(default_factory=dict)
    user: str | None = None
    group: str | None = None
    # whether they limit the files that a worker may open
    limits: bool = False

    @property
    def entry(self) -> str:
        """The link to include a release by: the first that lets every neighbour be the default that it was."""
        behind = [one.entry for one in self.defaults.values() if not one.explicit and one.entry]
        return max(behind, key=ENTRIES.index, default=ENTRIES[0])


def read(packed: str) -> Neighbours:
    """Out of what `print_configuration` in gateway/onhost/scripts/neighbours.sh says: gzip and base64 of `nginx -T`.

    Raises ValueError where it is no such thing.
    """
    try:
        text = gzip.decompress(base64.b64decode(packed, validate=True)).decode("utf-8", errors="replace")
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"nginx -T arrived damaged: {error}") from None
    parts = _FILE.split(text)
    if len(parts) < 3:
        raise ValueError("nginx -T printed no file")
    # the same file may be read twice, and is printed once
    return _claims(dict(zip(parts[1::2], parts[2::2], strict=True)))


@dataclass(frozen=True)
class _Statement:
    """A directive, where it stands, the blocks around it and, of a block, what is in it."""

    file: str
    name: str
    arguments: tuple[str, ...]
    block: tuple[_Statement, ...] | None


def _claims(files: Mapping[str, str]) -> Neighbours:
    main = list(_statements(_MAIN, files, ()))
    http = [one for block in main if block.name == "http" for one in block.block or ()]
    user = next((one.arguments for one in main if one.name == "user"), ())
    inherited = _protocols(http)
    defaults: dict[str, Default] = {}
    apart: dict[str, tuple[str, ...]] = {}
    apart_in: dict[str, str] = {}
    both: dict[int, str] = {}
    places = {one.file: place for place, one in enumerate(http) if one.file in ENTRIES}
    for place, server in enumerate(http):
        if server.name != "server" or server.block is None:
            continue
        names = tuple(name for one in server.block if one.name == "server_name" for name in one.arguments)
        listens = [(one.file, one.arguments) for one in server.block if one.name == "listen" and one.arguments]
        for file, arguments in listens or [(server.file, ("80",))]:
            address, port, *flags = _address(arguments)
            if "quic" in flags:  # that is UDP
                continue
            if address in _EVERY:
                explicit = "default_server" in flags or "default" in flags
                spec = f"{_EVERY[address]}{port}"
                if spec not in defaults or (explicit and not defaults[spec].explicit):
                    behind = next((entry for entry in ENTRIES if places.get(entry, -1) > place), None)
                    protocols = _protocols(server.block) or inherited
                    defaults[spec] = Default(file, explicit, protocols, behind)
                if "ipv6only=off" in flags:
                    both[port] = file
            elif not address.startswith("127.") and address not in ("[::1]", "localhost"):
                known = apart.get(f"{address}:{port}", ())
                apart[f"{address}:{port}"] = tuple(dict.fromkeys([*known, *names]))
                apart_in.setdefault(f"{address}:{port}", file)
    return Neighbours(
        included=frozenset(places),
        defaults=defaults,
        apart=apart,
        apart_in=apart_in,
        both_families=both,
        streams=_streams(main),
        user=user[0] if user else None,
        group=user[1] if len(user) > 1 else None,
        limits=any(one.name == "worker_rlimit_nofile" for one in main),
    )


def _streams(main: Iterable[_Statement]) -> dict[int, str]:
    servers = [one for block in main if block.name == "stream" for one in block.block or () if one.name == "server"]
    listens = [one for server in servers for one in server.block or () if one.name == "listen" and one.arguments]
    found: dict[int, str] = {}
    for one in listens:
        if "udp" not in one.arguments:
            found |= dict.fromkeys(_ports(one.arguments), one.file)
    return found


def _ports(arguments: tuple[str, ...]) -> Iterable[int]:
    """Of a stream's `listen`, which may name a range."""
    first, dash, last = arguments[0].rpartition(":")[2].partition("-")
    if dash and first.isdecimal() and last.isdecimal():
        return range(int(first), int(last) + 1)
    return [_address(arguments)[1]]


def _address(arguments: tuple[str, ...]) -> tuple[Any, ...]:
    """Address, port and flags of a `listen`; a unix socket is an address that nobody else has."""
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


def _statements(file: str, files: Mapping[str, str], around: tuple[str, ...]) -> Iterator[_Statement]:
    """What nginx reads in a file, files that it includes in their place; a mark of each where nothing is in it."""
    if file not in files or file in around:
        return
    parsed = crossplane.parse_string(
        files[file], filename=file, single=True, check_ctx=False, check_args=False, catch_errors=True
    )
    statements = parsed["config"][0]["parsed"]
    if not statements:
        yield _Statement(file, "", (), None)
    for one in statements:
        yield from _statement(one, file, files, (*around, file))


def _statement(
    raw: Mapping[str, Any], file: str, files: Mapping[str, str], around: tuple[str, ...]
) -> Iterator[_Statement]:
    if raw["directive"] == "include" and raw["args"]:
        pattern = posixpath.join(posixpath.dirname(_MAIN), raw["args"][0])
        for name in sorted(name for name in files if _matches(name, pattern)):
            yield from _statements(name, files, around)
        return
    block = None
    if "block" in raw:
        block = tuple(inner for one in raw["block"] for inner in _statement(one, file, files, around))
    yield _Statement(file, raw["directive"], tuple(raw["args"]), block)


def _matches(name: str, pattern: str) -> bool:
    """As the shell would: an asterisk is no slash, and hidden files are not meant."""
    parts, wanted = name.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(
        fnmatch.fnmatchcase(part, one) and (part[:1] != "." or one[:1] == ".")
        for part, one in zip(parts, wanted, strict=True)
    )
