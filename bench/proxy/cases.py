"""What is asked for: by which edge, how large the answer is, and whether clients keep their connections."""

from __future__ import annotations

from dataclasses import dataclass

from bench.schools import Edge

# The names and the mapping of 17wanxiao's own example, which is the platform wanxiao_test.
DOMAIN = "api.59wanmei.com"
PLATFORM_NAME = "api.17wanxiao.com"
_PLATFORM_PREFIX = "/b-server/"
# The first leads to the platform over TLS, the second to the same pages by plain http.
PUBLIC_PREFIX, PLAIN_PREFIX = "/bserver/", "/plain/"

SMALL, LARGE = 100, 100_000
EDGES: tuple[Edge, ...] = ("slb", "tls")


@dataclass(frozen=True)
class Case:
    """One kind of load; `size` is an answer's body in bytes.

    `plain`: the platform is asked by plain http. `full`: each new connection of a client is a full TLS handshake.
    """

    edge: Edge
    size: int
    kept: bool
    plain: bool = False
    full: bool = False

    @property
    def public_url(self) -> str:
        """What a client asks a proxy for."""
        scheme = {"slb": "http", "tls": "https"}[self.edge]
        return f"{scheme}://{DOMAIN}{PLAIN_PREFIX if self.plain else PUBLIC_PREFIX}bench/{self.size}"

    @property
    def platform_url(self) -> str:
        """The same, asked of the platform itself: over TLS where the proxies ask it so."""
        return f"{'http' if self.plain else 'https'}://{PLATFORM_NAME}{_PLATFORM_PREFIX}bench/{self.size}"

    def __str__(self) -> str:
        size = f"{self.size} B" if self.size < 1000 else f"{self.size // 1000} kB"
        return f"edge {self.edge}, {size}, {self.connections} connections" + ", platform by http" * self.plain

    @property
    def connections(self) -> str:
        """What a client does with its connections, in a word or two."""
        return "kept" if self.kept else "new, full handshake" if self.full else "new"

    @property
    def close(self) -> bool:
        """Whether an expectation is about few percent here, so that more rounds are wanted."""
        return self.size == SMALL and not self.plain and (self.kept or self.full)


def at_edge(edge: Edge) -> list[Case]:
    """Every case at one edge."""
    usual = [Case(edge, size, kept) for size in (SMALL, LARGE) for kept in (True, False)]
    handshakes = [Case(edge, SMALL, kept=False, full=True)] if edge == "tls" else []
    return [*usual, *handshakes, Case(edge, SMALL, kept=True, plain=True)]
