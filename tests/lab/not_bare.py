"""Several hosts of kinds that are not bare, judged side by side: one deploy reaches all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

import lab
from lab import hosts, kinds

from . import judge
from .checkout import Checkout
from .judge import Snapshot

_AT_ONCE = 4
_FIRST = 20

T = TypeVar("T")


@dataclass(frozen=True)
class Kind:
    """What a host has before a deploy: a script of lab/kinds, and URLs to ask there (see judge)."""

    name: str
    urls: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    """What the deploy has to say of it."""
    basis: str = "stocked"


@dataclass(frozen=True)
class Run:
    """One deploy of several hosts: what it printed of each, by kind, and on which of them it failed."""

    seconds: float
    said: dict[str, str]
    failed: frozenset[str]


def selected(request: pytest.FixtureRequest, all_kinds: Sequence[Kind]) -> list[Kind]:
    """Those that the tests of this module which are about to run ask for."""
    asked = {
        item.callspec.params["kind"]
        for item in request.session.items
        if item.path == request.path and isinstance(item, pytest.Function) and hasattr(item, "callspec")
    }
    return [kind for kind in all_kinds if kind in asked]


def in_batches(wanted: Sequence[Kind]) -> Iterator[dict[str, Kind]]:
    """A few fresh hosts at a time, each made one of the kinds; they are gone when the next come."""
    for basis in sorted({kind.basis for kind in wanted}):
        of_basis = [kind for kind in wanted if kind.basis == basis]
        for start in range(0, len(of_basis), _AT_ONCE):
            batch = of_basis[start : start + _AT_ONCE]
            there = {f"t{_FIRST + number}": kind for number, kind in enumerate(batch)}
            hosts.remove(list(there))
            try:
                lab.up(list(there), basis=basis)
                if basis == "stocked":
                    each(there, lambda host, kind: kinds.prepare(host, kind.name))
                yield there
            finally:
                hosts.remove(list(there))


def each(there: dict[str, Kind], do: Callable[[str, Kind], T]) -> dict[str, T]:
    """`do` for every host at once; the results by kind."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        results = list(pool.map(lambda pair: do(*pair), there.items()))
    return {kind.name: result for kind, result in zip(there.values(), results, strict=True)}


def look(there: dict[str, Kind]) -> dict[str, Snapshot]:
    return each(there, lambda host, kind: judge.look(host, kind.urls))


def look_after_reboot(there: dict[str, Kind], before: dict[str, Snapshot]) -> dict[str, Snapshot]:
    """Reboots, and gives what is enabled some seconds to serve as it did."""

    def reboot(host: str, kind: Kind) -> Snapshot:
        hosts.restart(host)
        judge.answers_like(host, before[kind.name])
        return judge.look(host, kind.urls)

    return each(there, reboot)


def deploy(
    checkout: Checkout,
    there: dict[str, Kind],
    *sites: dict[str, Any],
    run: str = "deploy.py",
    options: Sequence[str] = (),
) -> Run:
    """The same sites to every host."""
    checkout.write_hosts({host: list(sites) for host in there})
    started = time.monotonic()
    done = checkout.run("pyinfra", "-y", *options, "inventory/own.py", run)
    seconds = time.monotonic() - started
    lines = (done.stdout + done.stderr).splitlines()
    said = {
        kind.name: "\n".join(line for line in lines if f"[{host}]" in line or "[" not in line)
        for host, kind in there.items()
    }
    failed = {kind.name for host, kind in there.items() if any(f"[{host}] Error: " in line for line in lines)}
    assert (done.returncode != 0) == bool(failed), done.stdout + done.stderr
    return Run(seconds, said, frozenset(failed))
