"""Egress: a host passes calls of its inner network on to the WeCom API, without reading them (egress.conf.j2)."""

from __future__ import annotations

from gateway.inventory.site import Upstream
from gateway.wecom.api_hosts import WECOM_API

# All names of the WeCom API; any other name is refused.
UPSTREAMS = tuple(Upstream(name) for name in WECOM_API)
