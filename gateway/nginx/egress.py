"""Egress: a host that passes its inner network's calls on to the WeCom API, unread (egress.conf.j2)."""

from __future__ import annotations

from gateway.inventory.model import Egress
from gateway.inventory.site import Upstream

# The whole of the WeCom API; what else a client asks for is refused.
UPSTREAMS = (Upstream("api.weixin.qq.com"), Upstream("qyapi.weixin.qq.com"))

# Debian's package of the part of nginx that does it.
PACKAGE = "libnginx-mod-stream"


def ports_line(egress: Egress) -> str:
    """The listener as the `ports` file of a release has it: port, address, and the address as /proc/net/tcp does."""
    packed = egress.address.packed
    words = (packed[start : start + 4][::-1] for start in range(0, len(packed), 4))
    return f"{egress.port} {egress.address} {b''.join(words).hex().upper()}"
