"""Where hostile input goes: one host of each edge, all platforms on it, and what each site may let through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lab import hosts, topology
from lab.wire import Door

# Straight to the host, past any load balancer: nothing in front may clean up what is sent.
HOSTS = {"slb": "t54", "tls": "t55"}
ATTACKER = "t56"

# itsm2 differs from itsm in its name alone. Of monitor other paths are public than its upstream has; around those of
# monitor-open the same server has an open route to another upstream.
SITES = ("itsm", "itsm2", "monitor", "monitor-open", "card", "card-test")
# By plain http, by address, on a port that is nobody's default.
MONITOR = f"{topology.address('node-b')}:8080"
PLATFORMS = {
    "itsm": "paas.inner.example",
    "itsm2": "paas.inner.example",
    "monitor": MONITOR,
    "monitor-open": MONITOR,
    "card": "hub.17wanxiao.com",
    "card-test": "api.17wanxiao.com",
}
# A target that each site publishes, and what it is upstream.
INSIDE = {
    "itsm": "/o/itsm/weixin/ok",
    "itsm2": "/t/itsm/static/weixin/ok",
    "monitor": "/bkmonitor/ok",
    "monitor-open": "/bkmonitor/static/ok",
    "card": "/ok",
    "card-test": "/bserver/ok",
}
ARRIVES = {
    **INSIDE,
    "monitor": "/o/bk_monitorv3/weixin/ok",
    "monitor-open": "/o/bk_monitorv3/static/weixin/ok",
    "card-test": "/b-server/ok",
}
# Below these alone may anything arrive, by upstream.
PREFIXES = {
    "paas.inner.example": (
        b"/o/itsm/weixin/",
        b"/o/itsm/static/weixin/",
        b"/t/itsm/weixin/",
        b"/t/itsm/static/weixin/",
        b"/o/itsm/jsi18n/",
    ),
    MONITOR: (b"/o/bk_monitorv3/weixin/", b"/o/bk_monitorv3/static/weixin/"),
}
PUBLIC = {
    "itsm": PREFIXES["paas.inner.example"],
    "itsm2": PREFIXES["paas.inner.example"],
    "monitor": (b"/bkmonitor/", b"/bkmonitor/static/"),
    "monitor-open": (b"/bkmonitor/", b"/bkmonitor/static/"),
}

_WALLED = [
    {
        "port": "entry",
        "path": path,
        "upstream": f"http://{MONITOR}{upstream}",
        "guarded": True,
        "headers": {"X-Original-URI": "{path}", **more},
    }
    for path, upstream, more in (
        ("/bkmonitor/", "/o/bk_monitorv3/weixin/", {}),
        ("/bkmonitor/static/", "/o/bk_monitorv3/static/weixin/", {"X-Static-Of": "https://{domain}{path}"}),
    )
]
_BLUEKING = {"max_body": "200m", "read_timeout": 180, "domain_headers": ["X-Forwarded-Weixin-Host"]}
_OPEN = {"port": "entry", "path": "/", "upstream": "https://hub.17wanxiao.com/"}
# Platforms beside those that are shipped.
OWN = {
    "monitor": {"routes": _WALLED, **_BLUEKING},
    "monitor-open": {"routes": [*_WALLED, _OPEN], **_BLUEKING},
}


@dataclass(frozen=True)
class Edge:
    """One of the two hosts."""

    name: str

    @property
    def host(self) -> str:
        return HOSTS[self.name]

    @property
    def address(self) -> str:
        return topology.address(self.host)

    def domain(self, site: str) -> str:
        return f"{site}.{self.name}.hostile.example"

    def door(self, site: str = "itsm", alpn: str = "http/1.1") -> Door:
        """The site's entry port."""
        if self.name == "slb":
            return Door(self.address, 80)
        return Door(self.address, 443, self.domain(site), alpn=(alpn,))

    def inventory(self) -> list[dict[str, Any]]:
        bk = {
            "upstream": "https://paas.inner.example",
            "apps": ["itsm"],
            "envs": ["o", "t"],
            "extra_paths": ["/o/itsm/jsi18n/"],
        }
        # A load balancer is believed, and none of these requests comes through it.
        more = {"slb_cidrs": [f"{topology.address('slb')}/32"]} if self.name == "slb" else {}
        kinds = {
            "itsm": "bkitsm",
            "itsm2": "bkitsm",
            "card": "wanxiao_prod",
            "card-test": "wanxiao_test",
            **{name: name for name in OWN},
        }
        return [
            {"domain": self.domain(site), "edge": self.name, "platform": kind, **more}
            | ({"bk": bk} if kind == "bkitsm" else {})
            for site, kind in kinds.items()
        ]

    def health(self) -> tuple[str, str]:
        """nginx's master process, and what its error logs say of crashes and of rules it could not keep."""
        master = hosts.exec_in(self.host, ["cat", "/run/nginx.pid"]).strip()
        search = "grep -hE 'exited on signal|\\[(alert|emerg|crit)\\]' /var/log/nginx/*error.log || true"
        return master, hosts.exec_in(self.host, ["bash", "-c", search])


def request(domain: str, target: bytes | str, *lines: bytes, method: str = "GET") -> bytes:
    """A request without a body; the target and the lines go out as they are."""
    raw = target.encode("latin-1") if isinstance(target, str) else target
    length = [b"Content-Length: 0"] if method in ("POST", "PUT") else []
    head = [method.encode() + b" " + raw + b" HTTP/1.1", b"Host: " + domain.encode(), *length, *lines]
    return b"\r\n".join(head) + b"\r\n\r\n"
