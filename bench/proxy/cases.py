"""What is asked for: by which edge, how large the answer is, and whether clients keep their connections."""

from __future__ import annotations

from dataclasses import dataclass

from bench.schools import Edge

# The names and the mapping of 17wanxiao's own example, which is the platform wanxiao_test.
DOMAIN = "api.59wanmei.com"
PLATFORM_NAME = "api.17wanxiao.com"
_PUBLIC_PREFIX, _PLATFORM_PREFIX = "/bserver/", "/b-server/"

SMALL, LARGE = 100, 100_000
EDGES: tuple[Edge, ...] = ("slb", "tls")


@dataclass(frozen=True)
class Case:
    """One kind of load; `size` is an answer's body in bytes."""

    edge: Edge
    size: int
    kept: bool

    @property
    def public_url(self) -> str:
        """What a client asks a proxy for."""
        scheme = {"slb": "http", "tls": "https"}[self.edge]
        return f"{scheme}://{DOMAIN}{_PUBLIC_PREFIX}bench/{self.size}"

    @property
    def platform_url(self) -> str:
        """The same, asked of the platform itself, which speaks TLS alone."""
        return f"https://{PLATFORM_NAME}{_PLATFORM_PREFIX}bench/{self.size}"

    def __str__(self) -> str:
        size = f"{self.size} B" if self.size < 1000 else f"{self.size // 1000} kB"
        return f"edge {self.edge}, {size}, {'kept' if self.kept else 'new'} connections"


def at_edge(edge: Edge) -> list[Case]:
    """Every case at one edge."""
    return [Case(edge, size, kept) for size in (SMALL, LARGE) for kept in (True, False)]
