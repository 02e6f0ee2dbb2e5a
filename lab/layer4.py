"""A load balancer of layer 4 stand-in: Debian's HAProxy, which hands TCP on and says in a header who the client is.

It starts where a test needs it. For each port of the gateways it has two listeners: one that sends the PROXY protocol
in version 1, on the same port, and one that sends version 2, 10000 above. Port 80 is handed on without a header.
"""

from __future__ import annotations

from lab import containers, hosts
from lab.images import infra_image
from lab.progress import Say, silent
from lab.topology import STATE, address

NAME = "layer4"
# What is added to a port for the listener that sends version 2.
VERSION_2 = 10000
_PORTS = (443, 9001)
_CONFIGURATION = "/etc/haproxy/lab.cfg"
_DEFAULTS = """global
    maxconn 2000
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
"""


def ensure(gateway: str, say: Say = silent) -> None:
    """Sees that it runs and hands everything to that host."""
    staged = STATE / "layer4.cfg"
    staged.write_text(_configuration(address(gateway)))
    started = containers.ensure(
        containers.Spec(
            name=NAME,
            image=infra_image(),
            options=("--stop-signal", "SIGTERM"),
            command=("haproxy", "-db", "-f", _CONFIGURATION),
            files={staged: _CONFIGURATION},
        )
    )
    hosts.wait_for_port(NAME, 443)
    if started:
        say(f"{NAME}: up at {address(NAME)}")


def remove() -> None:
    """Removes it, if it is there."""
    containers.remove(NAME)


def _configuration(gateway: str) -> str:
    parts = [_DEFAULTS, _listener(80, f"{gateway}:80", "")]
    for port in _PORTS:
        parts.append(_listener(port, f"{gateway}:{port}", "send-proxy"))
        parts.append(_listener(port + VERSION_2, f"{gateway}:{port}", "send-proxy-v2"))
    return "\n".join(parts)


def _listener(port: int, target: str, flag: str) -> str:
    return f"listen port_{port}\n    bind :{port}\n    server gateway {target} {flag}\n"
