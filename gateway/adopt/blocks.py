"""Server blocks: where they listen, and for which names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property

from gateway.adopt.directives import Placed, named
from gateway.inventory import domain_names

_PORT = re.compile(r"\[?[^\]]*\]?:(\d{1,5})|(\d{1,5})")
_RANGE = re.compile(r"(?:.*:)?\d+-\d+")
_HERE = ("127.", "localhost", "[::1]", "unix:")


@dataclass(frozen=True)
class Listen:
    """One `listen`: its address as it stands there, "" for all, its port, whether TLS is spoken there, whether a load
    balancer says who visitors are, and whether programs of the host itself alone can reach it. `port` is 0 where it is
    none, or many."""

    address: str
    port: int
    encrypted: bool
    proxied: bool
    local: bool
    quic: bool


@dataclass(frozen=True)
class Block:
    """A server block, with what counts for all of them behind it."""

    server: Placed
    http: tuple[Placed, ...]

    @property
    def directives(self) -> tuple[Placed, ...]:
        return self.server.inner

    @cached_property
    def listens(self) -> tuple[Listen, ...]:
        """Every `listen`; nginx's own default is port 80."""
        encrypted = any(one.first == "on" for one in named(self.directives, "ssl"))
        found = [_listen(one, encrypted) for one in named(self.directives, "listen")]
        return tuple(found) or (Listen("", 80, encrypted, False, False, False),)

    @cached_property
    def ports(self) -> dict[int, bool]:
        """The ports that others can reach by TCP, and whether they speak TLS."""
        return {one.port: one.encrypted for one in self.listens if not one.local and not one.quic}

    @cached_property
    def addresses(self) -> frozenset[str]:
        """The addresses that it listens on, "" for all of the host."""
        return frozenset(one.address for one in self.listens if not one.local and not one.quic)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All its names, as they stand there."""
        return tuple(name for one in named(self.directives, "server_name") for name in one.arguments)

    @cached_property
    def domains(self) -> tuple[str, ...]:
        """Those of its names that a site can have."""
        found = (name.lower().removeprefix(".") for name in self.names)
        return tuple(dict.fromkeys(name for name in found if _is_domain(name)))

    @cached_property
    def unusable(self) -> tuple[str, ...]:
        """Names that no site can have, but for those that nobody asks for."""
        return tuple(
            name
            for name in self.names
            if name not in ("_", "") and (name.startswith(".") or not _is_domain(name.lower()))
        )


@cache
def _is_domain(name: str) -> bool:
    try:
        domain_names.checked(name, "")
    except ValueError:
        return False
    return name != "localhost"


def _listen(one: Placed, encrypted: bool) -> Listen:
    address, flags = one.first, one.arguments[1:]
    found = _PORT.fullmatch(address)
    port = int(found[1] or found[2]) if found else 0 if _RANGE.fullmatch(address) else 80
    quic = "quic" in flags
    local = address.startswith(_HERE)
    # "80" and "*:80" are for all addresses; a name without a port stands for port 80
    bare = "" if address.isdecimal() else address.removesuffix(f":{port}").removeprefix("*")
    return Listen(bare, port, encrypted or "ssl" in flags or quic, "proxy_protocol" in flags, local, quic)
