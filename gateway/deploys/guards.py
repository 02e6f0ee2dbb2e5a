"""What the system of a host keeps nginx from doing, as scripts/packages.sh prints it: SELinux and firewalld. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.fleet.host import Host
from gateway.onhost.constants import RELEASE_PORT

# What SELinux's policy lets a web server listen on, where the host has no program that tells it.
_USUAL_PORTS = "80 81 443 488 8008 8009 8443 9000"
# Services of firewalld, by the port that each opens.
_SERVICES = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Guards:
    """`enforcing` tells whether SELinux is in force; `may_connect` and `web_ports`, ranges with both ends, mean
    something only then. `open_ports` are those that firewalld lets in, None where it does not run."""

    enforcing: bool = False
    may_connect: bool = True
    web_ports: tuple[tuple[int, int], ...] = ()
    open_ports: tuple[tuple[int, int], ...] | None = None


def read(values: Mapping[str, str]) -> Guards:
    """From the keys and values of state.sh."""
    firewall = values.get("firewall")
    return Guards(
        enforcing="selinux:connect" in values,
        may_connect=values.get("selinux:connect") != "off",
        web_ports=_ranges(values.get("selinux:ports", "").strip() or _USUAL_PORTS),
        open_ports=None if firewall is None else _ranges(firewall),
    )


def refusals(host: Host, guards: Guards) -> Iterator[str]:
    """What SELinux would keep nginx from, with the command that allows it."""
    if not guards.enforcing:
        return
    if not guards.may_connect:
        yield (
            "SELinux is in force on this host and lets nginx connect to no upstream; allow it, then deploy again: "
            "setsebool -P httpd_can_network_connect 1"
        )
    own = [one.port for one in (host.egress, host.metrics) if one]
    ports = {*host.listeners(), RELEASE_PORT, *own}
    for port in sorted(port for port in ports if not _has(guards.web_ports, port)):
        yield (
            f"SELinux is in force on this host and does not let nginx listen on port {port}; allow it, then deploy "
            f"again: semanage port -a -t http_port_t -p tcp {port} (semanage is in policycoreutils-python-utils; -m in "
            "place of -a where the port has another type already)"
        )


def remarks(host: Host, guards: Guards) -> Iterator[str]:
    """What firewalld does not let in, where a deploy is not to open it."""
    closed = closed_ports(host, guards)
    if closed and not host.firewall:
        options = " ".join(f"--add-port={port}/tcp" for port in closed)
        yield (
            f"firewalld runs on this host, and its default zone does not let in port {', '.join(map(str, closed))}; "
            f"where visitors come by it: firewall-cmd --permanent {options} && firewall-cmd --reload, or "
            '"firewall": True on this host'
        )


def closed_ports(host: Host, guards: Guards) -> list[int]:
    """Ports of the host's sites that firewalld does not let in; none where it does not run."""
    if guards.open_ports is None:
        return []
    return [port for port in sorted(host.listeners()) if not _has(guards.open_ports, port)]


def _ranges(text: str) -> tuple[tuple[int, int], ...]:
    """Of words like 80, 8000-8010, 9001/tcp and http; others mean no port of TCP."""
    found = []
    for word in text.split():
        ports, _, protocol = word.partition("/")
        first, _, last = str(_SERVICES.get(ports, ports)).partition("-")
        if first.isdecimal() and (last or first).isdecimal() and protocol in ("", "tcp"):
            found.append((int(first), int(last or first)))
    return tuple(found)


def _has(ranges: tuple[tuple[int, int], ...], port: int) -> bool:
    return any(first <= port <= last for first, last in ranges)
