"""Egress: a host passes calls of its inner network on to the WeCom API, without reading them (egress.conf.j2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.inventory.model import RELEASE_PORT, Egress
from gateway.inventory.site import Site, Upstream

# All names of the WeCom API; any other name is refused.
UPSTREAMS = (Upstream("api.weixin.qq.com"), Upstream("qyapi.weixin.qq.com"))

# Debian's package of the nginx module that does it.
PACKAGE = "libnginx-mod-stream"


def conflicts(egress: Egress, sites: Iterable[Site]) -> Iterator[tuple[str, str]]:
    """Field and text of each reason why the listener is not possible beside these sites of its host."""
    if egress.port == RELEASE_PORT:
        yield "listen", f"port {RELEASE_PORT} is the gateway's own on this host; right would be 443"
    for site in sites:
        if egress.port in site.listeners():
            yield (
                "listen",
                f"{site.domain} listens on port {egress.port} of every address of this host, so nothing is left for "
                f'{egress.listen}; put egress on a host without that port (sites at edge "slb" leave 443 free, '
                '"sites": [] is allowed) or move the site',
            )
            break
    if all(network.version != egress.address.version for network in egress.allow):
        yield "allow", f"no network here can reach {egress.listen}: one is IPv4, the other IPv6"


def ports_line(egress: Egress) -> str:
    """The listener's line in a release's `ports` file: port, address, and the address as /proc/net/tcp writes it."""
    packed = egress.address.packed
    words = (packed[start : start + 4][::-1] for start in range(0, len(packed), 4))
    return f"{egress.port} {egress.address} {b''.join(words).hex().upper()}"
