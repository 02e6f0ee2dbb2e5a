"""What is on a host beside the gateway, as scripts/neighbours.sh prints it: other programs, and other nginx. Pure."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Listener:
    """A TCP port that a program listens on. `address` is None for every address of the host."""

    port: int
    address: ipaddress.IPv4Address | ipaddress.IPv6Address | None
    version: int
    pid: int = 0
    unit: str = ""
    program: str = ""

    @property
    def text(self) -> str:
        """Address and port, as nginx's `listen` writes them."""
        host = "*" if self.address is None else f"[{self.address}]" if self.version == 6 else str(self.address)
        return f"{host}:{self.port}"

    def __str__(self) -> str:
        unit = f", {self.unit}" if self.unit else ""
        return f"{self.program or 'another process'} (pid {self.pid or 'unknown'}{unit})"


@dataclass(frozen=True)
class ForeignNginx:
    """An nginx that is not the one which a deploy uses. `pid` is 0 where it does not run. `openssl` is the version of
    OpenSSL, empty where it has another library or none; `built` is as HostState has it."""

    program: str
    pid: int
    unit: str
    version: str
    openssl: str = ""
    built: frozenset[str] = frozenset()

    def __str__(self) -> str:
        runs = f", runs as pid {self.pid}" + (f" under {self.unit}" if self.unit else "") if self.pid else ""
        return f"{self.program}" + (f" ({self.version}{runs})" if self.version or runs else "")


@dataclass(frozen=True)
class Surroundings:
    """What is on a host beside the gateway.

    `init` is the name of process 1 where it is not systemd. `load_state`, `file_state` and `active_state` are
    systemd's words for the unit of the nginx that a deploy uses, `main_pid` is that nginx's process, 0 where it
    does not run. `foreign_unit` is the file of nginx.service where there is no nginx for a deploy to use and no
    package put that file there. `group_of` is the primary group of each user, `shared` are groups that other
    programs than nginx run in or other users are members of.
    """

    listeners: tuple[Listener, ...] = ()
    nginx: tuple[ForeignNginx, ...] = ()
    init: str = ""
    load_state: str = ""
    file_state: str = ""
    active_state: str = ""
    main_pid: int = 0
    foreign_unit: str = ""
    group_of: Mapping[str, str] | None = None
    shared: frozenset[str] = frozenset()


def read(values: Mapping[str, str]) -> Surroundings:
    """The surroundings from the keys and values of a host's state."""
    groups = dict(pair.split(":", 1) for pair in values.get("groups", "").split() if ":" in pair)
    members = {key.removeprefix("members:") for key in values if key.startswith("members:")}
    return Surroundings(
        listeners=tuple(_listeners(values)),
        nginx=tuple(_nginx(values)),
        init=values.get("init", ""),
        load_state=values.get("unit:LoadState", ""),
        file_state=values.get("unit:UnitFileState", ""),
        active_state=values.get("unit:ActiveState", ""),
        main_pid=_number(values.get("main_pid", "")),
        foreign_unit=values.get("unit:Foreign", ""),
        group_of=groups,
        shared=frozenset(values.get("shared", "").split()) | members,
    )


def _listeners(values: Mapping[str, str]) -> Iterator[Listener]:
    for key, text in values.items():
        kind, _, rest = key.partition(":")
        if kind != "listen":
            continue
        at, _, port = rest.partition(":")
        pid, _, more = text.partition(" ")
        unit, _, program = more.partition(" ")
        address = _address(at)
        yield Listener(
            port=int(port, 16),
            address=None if int(address) == 0 else address,
            version=address.version,
            pid=_number(pid),
            unit=unit.removeprefix("-"),
            program=program,
        )


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address that /proc/net writes: words of 32 bits, each in the machine's own byte order."""
    words = [int(text[start : start + 8], 16) for start in range(0, len(text), 8)]
    packed = struct.pack(f"={len(words)}I", *words)
    return ipaddress.IPv4Address(packed) if len(words) == 1 else ipaddress.IPv6Address(packed)


def _nginx(values: Mapping[str, str]) -> Iterator[ForeignNginx]:
    for key, text in values.items():
        if key.startswith("nginx:"):
            pid, _, more = text.partition(" ")
            unit, _, version = more.partition(" ")
            program = key.removeprefix("nginx:")
            openssl, _, words = values.get(f"built:{program}", "").partition(" ")
            built = frozenset(words.split())
            yield ForeignNginx(program, _number(pid), unit.removeprefix("-"), version, openssl.removeprefix("-"), built)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
