"""Containers of this machine that are hosts of an inventory, `@docker/NAME` or `@podman/NAME`. Changes none of them."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from gateway.fleet.machine_error import MachineError, asked
from gateway.problems import shown

# Seconds that an engine has for an answer.
_PATIENCE = 30


def running(command: str, name: str) -> dict[str, Any]:
    """What the engine says of the running container `name`; `command` is "docker" or "podman".

    Raises MachineError where no such container runs.
    """
    known = _inspected(command, name)
    state = known["State"]
    if state.get("Paused"):
        raise MachineError(f"the container is paused; let it go on: {command} unpause {name}")
    if not state["Running"]:
        raise MachineError(
            f"the container does not run ({state.get('Status', 'stopped')}); start it: {command} start {name}"
        )
    return known


def address(command: str, name: str) -> str:
    """The address at which this machine reaches a running container. Raises MachineError."""
    known = running(command, name)
    mode = known["HostConfig"]["NetworkMode"]
    if mode == "host":
        return "127.0.0.1"
    if mode.startswith("container:"):
        return address(command, mode.removeprefix("container:"))
    networks = known["NetworkSettings"]["Networks"] or {}
    for network in networks.values():
        for key in ("IPAddress", "GlobalIPv6Address"):
            if network.get(key):
                return str(network[key])
    raise MachineError(f"the container is in no network; add it to one: {command} network connect bridge {name}")


def _inspected(command: str, name: str) -> dict[str, Any]:
    try:
        done = asked(command, "container", "inspect", "--", name, seconds=_PATIENCE)
    except FileNotFoundError:
        raise MachineError(
            f"there is no {command} command on this machine; install it, or run this where the container is"
        ) from None
    except subprocess.TimeoutExpired:
        raise MachineError(f"{command} does not answer within {_PATIENCE} s; is its engine overloaded?") from None
    if not done.returncode:
        known: dict[str, Any] = json.loads(done.stdout)[0]
        return known
    said = " ".join(done.stderr.split())
    if "no such container" in said.lower():
        raise MachineError(
            f'there is no container "{shown(name)}" on this machine; {command} ps --all shows what there is'
        )
    if "permission denied" in said.lower():
        raise MachineError(f"this user may not use {command}; run as root, or as a member of the group {command}")
    if "cannot connect" in said.lower():
        raise MachineError(f"the engine of {command} does not answer; start it: systemctl start {command}")
    raise MachineError(f'{command} cannot tell of it: "{shown(said)}"')
