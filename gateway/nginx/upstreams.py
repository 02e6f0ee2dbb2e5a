"""nginx's `upstream` blocks: what they are called, and which servers they ask."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.inventory.site import Upstream


@dataclass(frozen=True)
class Block:
    """The `upstream` block of an upstream.

    Kept connections belong to a block. So it is one upstream's alone, with its scheme and its authorities: on a
    connection that was verified with other ones nothing is verified again.
    """

    upstream: Upstream

    @property
    def name(self) -> str:
        """What stands in `proxy_pass`."""
        one = self.upstream
        # plain names of the commonest kind, which stand in logs and messages
        name = f"wecom_gateway_{one.host.replace(':', '-')}_{one.port}"
        if one == Upstream(one.host, one.port) and not one.is_address:
            return name
        digest = hashlib.sha256(repr((one.scheme, one.host, one.nodes, one.ca)).encode()).hexdigest()
        return f"{name}_{digest[:8]}"

    @property
    def servers(self) -> tuple[str, ...]:
        """Arguments of its `server` lines. Empty where a file has them, which resolve.sh keeps up to date.

        A node that fails once is left out for half a minute. Where all of them have failed they are asked all the same,
        as spares that nothing is held against.
        """
        addresses = self.upstream.servers
        if len(addresses) < 2:
            return addresses
        return (
            *(f"{address} max_fails=1 fail_timeout=30s" for address in addresses),
            *(f"{address} max_fails=0 backup" for address in addresses),
        )

    @property
    def tries(self) -> int:
        """On how many servers a request may be tried.

        nginx does not tell a server that took no connection from one that broke it off, which may have got the request:
        so never on all of many.
        """
        return min(max(2, len(self.upstream.servers)), 3)


def resolved(upstreams: Iterable[Upstream]) -> list[tuple[str, int]]:
    """Name and port of those whose addresses DNS says, in order, each once."""
    return sorted({(one.host, one.port) for one in upstreams if not one.servers})


@dataclass(frozen=True)
class Patience:
    """How long nginx waits for upstreams: arguments of directives, from a site's `read_timeout` in seconds.

    nginx has one `timeout` for connecting and for reading. A request whose answer does not come may have spent a login
    code and is never sent again; one that found nobody is. `next_upstream` tells them apart: it is longer than one
    wait for a connection, and over before any wait for an answer is.
    """

    read_timeout: int

    @property
    def connect(self) -> str:
        """proxy_connect_timeout."""
        return f"{self._connect}ms"

    @property
    def next_upstream(self) -> str:
        """proxy_next_upstream_timeout."""
        return f"{min(2 * self._connect + 500, (self._connect + self.read_timeout * 1000) // 2)}ms"

    @property
    def _connect(self) -> int:
        return min(5000, self.read_timeout * 800)
