"""What one server block is at a site: the pieces that become an entry, its platform and its files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from gateway.adopt.blocks import Block
from gateway.adopt.directives import Finding, Placed, at
from gateway.adopt.mapping import LeftAloneError
from gateway.adopt.verification import Found

_SIZE = re.compile(r"(\d+)([kKmMgG]?)")
_TIME = re.compile(r"(?:(\d+)h)?\s*(?:(\d+)m)?\s*(?:(\d+)s?)?")
# What a size may be at most where it was none; and the longest that a platform waits.
_NO_LIMIT, _LONGEST = "1g", 3600


@dataclass(frozen=True)
class Row:
    """A route of a location, with the directive that says who answers."""

    path: str
    upstream: str
    nodes: tuple[str, ...]
    host: Literal["upstream", "domain"]
    authority: str
    domain_headers: tuple[str, ...]
    headers: tuple[tuple[str, str], ...]
    source: Placed

    @property
    def origin(self) -> str:
        """The upstream without its path."""
        return "/".join(self.upstream.split("/")[:3])


@dataclass
class Part:
    """A server block, read for a domain. Where `left` tells anything, it cannot be carried over.

    `allows` are the networks of visitors that its routes let in, none for everybody, each with what says so. `bodies`
    and `waits` are the limits of its routes. `proxies` are the networks that are believed about visitors. `own` are
    directives of the server block that no key says, `inner` those of each location that passes on, `said` those that
    the gateway says itself. `redirects` is True where plain http is sent on to https.
    """

    domain: str
    block: Block
    rows: list[Row] = field(default_factory=list)
    verify: Found = field(default_factory=Found)
    allows: dict[tuple[str, ...], Placed] = field(default_factory=dict)
    bodies: list[Placed] = field(default_factory=list)
    waits: list[Placed] = field(default_factory=list)
    hsts: int = 0
    proxies: tuple[str, ...] = ()
    own: list[Placed] = field(default_factory=list)
    inner: list[tuple[Placed, ...]] = field(default_factory=list)
    certificates: tuple[str, ...] = ()
    redirects: bool = False
    said: dict[str, Placed] = field(default_factory=dict)
    told: list[Finding] = field(default_factory=list)
    left: list[Finding] = field(default_factory=list)

    @property
    def is_serving(self) -> bool:
        """Whether it passes something on, and can be carried over."""
        return bool(self.rows) and not self.left

    @contextmanager
    def told_if_left(self) -> Iterator[None]:
        """Keeps what a block of code finds that cannot be carried over."""
        try:
            yield
        except LeftAloneError as error:
            self.left.append(error.finding)

    def differs(self, one: Placed, text: str) -> None:
        self.told.append(at(one, text))

    def leaves(self, one: Placed, text: str) -> None:
        self.left.append(at(one, text))

    def add(self, row: Row) -> None:
        """A further route; one that is there already is passed over."""
        same = [other for other in self.rows if other.path == row.path]
        if not same:
            self.rows.append(row)
        elif (same[0].upstream, same[0].nodes, same[0].host) != (row.upstream, row.nodes, row.host):
            raise LeftAloneError(
                at(row.source, f"{row.path} goes to {same[0].upstream} too; one prefix has one upstream")
            )


def size(directives: Sequence[Placed], told: list[Finding]) -> str | None:
    """The largest of some `client_max_body_size`, as a key has it. None where there is none."""
    sizes = {}
    for one in directives:
        if found := _SIZE.fullmatch(one.first):
            sizes[int(found[1]) << {"": 0, "k": 10, "m": 20, "g": 30}[found[2].lower()]] = one
    if not sizes:
        return None
    if 0 in sizes:
        told.append(at(sizes[0], f"bodies of any size passed; now up to {_NO_LIMIT}"))
        return _NO_LIMIT
    most = max(sizes)
    for unit, shift in (("g", 30), ("m", 20), ("k", 10)):
        if most % (1 << shift) == 0 and most >> shift < 1_000_000:
            return f"{most >> shift}{unit}"
    return f"{min((most >> 10) + 1, 999_999)}k"


def seconds(directives: Sequence[Placed]) -> int:
    """The longest of some timeouts, 0 where there is none."""
    found = (_TIME.fullmatch(one.first.strip()) for one in directives if one.first)
    longest = [int(one[1] or 0) * 3600 + int(one[2] or 0) * 60 + int(one[3] or 0) for one in found if one]
    return min(max(longest, default=0), _LONGEST)


def dumped(row: Row, port: int | Literal["entry"], ca: str | None, *, guarded: bool) -> dict[str, Any]:
    """The route as a platform's row, without what is the default."""
    data: dict[str, Any] = {"port": port, "path": row.path, "upstream": row.upstream}
    if row.nodes:
        data["nodes"] = list(row.nodes)
    if ca:
        data["ca"] = ca
    if row.host == "domain":
        data["host"] = "domain"
    if guarded:
        data["guarded"] = True
    if row.headers:
        data["headers"] = dict(row.headers)
    return data
