"""Two entries of an inventory that are one machine: each deploy would take away the other's sites."""

from __future__ import annotations

import ipaddress
from collections import defaultdict

from pyinfra.api import Host, Inventory
from pyinfra.connectors.ssh import SSHConnector

from gateway.fleet.host import ssh_address
from gateway.problems import Problem, shown


def problems(inventory: Inventory) -> dict[str, Problem]:
    """By the host's name, an error for each host whose machine another entry has too."""
    machines: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for host in inventory:
        # what other connectors reach is told apart by name
        if issubclass(host.connector_cls, SSHConnector):
            machines[_machine(host)].append(host.name)
    found = {}
    for (address, port, _), names in machines.items():
        place = f'"{shown(address)}"' if port == "22" else f'"{shown(address)}", port {shown(port)},'
        for name in names if len(names) > 1 else ():
            other = next(one for one in names if one != name)
            text = (
                f"{place} is the address of {other} too, and a deploy of one would take away the other's sites; "
                "put all its sites into one entry, or correct the address"
            )
            found[name] = Problem(name, "", "ssh_hostname", text)
    return found


def _machine(host: Host) -> tuple[str, str, str]:
    """Address, port, and settings that may lead through a jump host: behind another one the same address is another
    machine."""
    own = host.data.dict()
    address = ssh_address(host.name, own)
    try:
        address = str(ipaddress.ip_address(address))
    except ValueError:
        address = address.lower().removesuffix(".")
    way = (own.get("ssh_config_file"), own.get("ssh_paramiko_connect_kwargs"))
    return address, str(own.get("ssh_port") or 22), repr(way)
