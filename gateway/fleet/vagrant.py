"""Machines of Vagrant that are hosts of an inventory, `@vagrant/NAME`. Changes none of them."""

from __future__ import annotations

import ipaddress
import socket
import subprocess
from collections.abc import Iterator
from typing import Any

from pyinfra.api.exceptions import InventoryError, PyinfraError
from pyinfra.connectors import vagrant

from gateway.fleet.machine_error import MachineError, asked
from gateway.problems import did_you_mean, shown

# Seconds that Vagrant has for an answer, and a machine for a connection.
_PATIENCE = 60
_CONNECT = 2
_SSH = 22

_Original = vagrant.VagrantInventoryConnector


def use_connector() -> None:
    """Has pyinfra read Vagrant's machines by Machines from here on."""
    vagrant.VagrantInventoryConnector = Machines  # type: ignore[misc]


class Machines(_Original):
    """pyinfra's reading of Vagrant's machines, with a sentence for what goes wrong."""

    @staticmethod
    def make_names_data(name: str | None = None) -> Iterator[tuple[str, dict[str, Any], list[str]]]:
        """Name, data and groups of the running machine `name`, or of all. Raises InventoryError."""
        try:
            for host, data, groups in _Original.make_names_data(name):
                # A machine that is made anew has another key. `vagrant ssh` looks at no known_hosts either.
                yield host, {"ssh_known_hosts_file": "/dev/null", **data}, groups
        except (PyinfraError, ValueError) as error:
            place = f"@vagrant/{name}" if name else "@vagrant"
            try:
                why = _fault(name) or str(error)
            except MachineError as known:
                why = str(known)
            raise InventoryError(f"{place}: {why}") from None


def address(name: str, ssh_hostname: str) -> str:
    """The address at which this machine reaches the ports of a running machine. Raises MachineError.

    `ssh_hostname` is the one for SSH. It is the machine's own, or this machine's where Vagrant forwards the port.
    """
    try:
        forwarded = ipaddress.ip_address(ssh_hostname).is_loopback
    except ValueError:
        forwarded = ssh_hostname == "localhost"
    if not forwarded:
        return ssh_hostname
    told = _vagrant("ssh", name, "--no-tty", "--command", "hostname -I")
    if told.returncode:
        raise MachineError(f'the machine does not say its addresses: "{shown(" ".join(told.stderr.split()))}"')
    found = [word for word in told.stdout.split() if _is_address(word)]
    for one in found:
        if _is_reached(one):
            return one
    raise MachineError(
        f"this machine reaches it by a forwarded port alone, at none of its own addresses ({', '.join(found)}); give "
        f'it one in the Vagrantfile, config.vm.network "private_network", ip: "192.168.56.10", then: '
        f"vagrant reload {name}"
    )


def _fault(name: str | None) -> str:
    """Why the machine `name`, or without a name any, cannot be logged in to, and what would be right; empty where
    Vagrant does not say. Raises MachineError where it cannot be asked."""
    told = _vagrant("status", "--machine-readable")
    rows = [line.split(",", 3) for line in told.stdout.splitlines() if line.count(",") >= 3]
    states = {machine: value for _, machine, kind, value in rows if kind == "state"}
    errors = [value for _, _, kind, value in rows if kind == "error-exit"]
    if any(error.startswith("Vagrant::Errors::NoEnvironmentError") for error in errors):
        return "there is no Vagrantfile in this folder; run this in the folder that has it, or set VAGRANT_CWD to that"
    if told.returncode:
        # of the machine-readable error its kind goes before the text
        said = [error.partition(",")[2].replace("\\n", " ").replace("%!(VAGRANT_COMMA)", ",") for error in errors]
        return f'vagrant status: "{shown(" ".join((said or [told.stderr])[0].split()))}"; mend that first'
    if name is None:
        return "no machine runs; start them: vagrant up"
    if name not in states:
        return f"the Vagrantfile has no machine of that name; {did_you_mean(name, states)}"
    if states[name] == "running":
        return ""
    if states[name] == "not_created":
        return f"the machine is not created; create it: vagrant up {name}"
    return f"the machine does not run ({states[name]}); start it: vagrant up {name}"


def _vagrant(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return asked("vagrant", *arguments, seconds=_PATIENCE)
    except FileNotFoundError:
        raise MachineError(
            "there is no vagrant command on this machine; install it, or run this where the machine is"
        ) from None
    except subprocess.TimeoutExpired:
        raise MachineError(f"vagrant {arguments[0]} does not answer within {_PATIENCE} s; try it by hand") from None


def _is_address(word: str) -> bool:
    try:
        return not ipaddress.ip_address(word).is_link_local
    except ValueError:
        return False


def _is_reached(one: str) -> bool:
    """Whether the machine's sshd answers there. A private address may also be this machine's, by chance."""
    try:
        with socket.create_connection((one, _SSH), timeout=_CONNECT) as connection:
            return bool(connection.getsockname()[0] != connection.getpeername()[0])
    except OSError:
        return False
