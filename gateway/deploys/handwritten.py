"""Fetches what a hand-written nginx of a host has: its configuration, and the files that it names."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pyinfra.api import FactBase, StringCommand
from pyinfra.api import Host as Remote

from gateway.deploys import asking, held_release, shell
from gateway.deploys.facts import GatewayState
from gateway.deploys.state import HostState
from gateway.fleet.host import Host
from gateway.fleet.loading import Fleet
from gateway.nginx.layout import Layout


class HandwrittenConfiguration(FactBase[bytes]):
    """What the host's nginx says that it reads, empty where it cannot load it."""

    def command(self, layout: Layout) -> StringCommand:
        return shell.read_handwritten("configuration", layout)

    @staticmethod
    def default() -> bytes:
        return b""

    def process(self, output: list[str]) -> bytes:
        return _decoded(output)


class HandwrittenFiles(FactBase[dict[str, bytes]]):
    """The files of the host at the paths of `_stdin` (shell.stdin_lines); those that are not there are left out."""

    def command(self) -> StringCommand:
        return shell.read_handwritten("files")

    @staticmethod
    def default() -> dict[str, bytes]:
        return {}

    def process(self, output: list[str]) -> dict[str, bytes]:
        return held_release.read_texts(output)


class HandwrittenNames(FactBase[tuple[str, ...]]):
    """The paths of what is in the folders of `_stdin` (shell.stdin_lines)."""

    def command(self) -> StringCommand:
        return shell.read_handwritten("names")

    @staticmethod
    def default() -> tuple[str, ...]:
        return ()

    def process(self, output: list[str]) -> tuple[str, ...]:
        return tuple(name for name in _decoded(output).decode(errors="surrogateescape").split("\0") if name)


@dataclass(frozen=True)
class Handwritten:
    """What was fetched of a host: what nginx prints, files by path, and the paths of what else lies in their folders.

    `problem` says why there is nothing, empty where there is.
    """

    printed: bytes = field(default=b"", repr=False)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    names: tuple[str, ...] = ()
    problem: str = ""


# From what nginx prints: the files that it names, and the folders of web pages.
Named = Callable[[bytes], tuple[Iterable[str], Iterable[str]]]


def fetch(fleet: Fleet, named: Named, progress: Callable[[int, int], None]) -> list[Handwritten]:
    """What every host of the fleet has, in the inventory's order. Never raises for a host's sake.

    `progress` is as in asking.every_host.
    """

    def question(remote: Remote, _: Host) -> Handwritten:
        known: HostState = remote.get_fact(GatewayState)
        if not known.is_readable:
            return Handwritten(problem=asking.unreadable(remote))
        printed: bytes = remote.get_fact(HandwrittenConfiguration, layout=known.layout)
        if not printed:
            return Handwritten(problem=f"{known.layout.program} -T prints no configuration; run it there and see why")
        files, folders = named(printed)
        names: tuple[str, ...] = remote.get_fact(HandwrittenNames, _stdin=shell.stdin_lines(folders))
        wanted = [*files, *(name for name in names if name.endswith(".txt"))]
        found: dict[str, bytes] = remote.get_fact(HandwrittenFiles, _stdin=shell.stdin_lines(wanted))
        return Handwritten(printed, found, names)

    return asking.every_host(fleet, question, lambda _, __, problem: Handwritten(problem=problem), progress)


def _decoded(output: Iterable[str]) -> bytes:
    try:
        return base64.b64decode("".join(output))
    except binascii.Error:
        return b""
