"""Egress: a host passes calls of its inner network on to the WeCom API, without reading them (egress.conf.j2)."""

from __future__ import annotations

from gateway.inventory.model import Egress
from gateway.inventory.site import Upstream
from gateway.wecom.api_hosts import WECOM_API

# All names of the WeCom API; any other name is refused.
UPSTREAMS = tuple(Upstream(name) for name in WECOM_API)


def ports_line(egress: Egress) -> str:
    """The listener's line in a release's `ports` file: port, address, and the address as /proc/net/tcp writes it."""
    packed = egress.address.packed
    words = (packed[start : start + 4][::-1] for start in range(0, len(packed), 4))
    return f"{egress.port} {egress.address} {b''.join(words).hex().upper()}"
