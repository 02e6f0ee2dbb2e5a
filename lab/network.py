"""The lab's own bridge network."""

import ipaddress
import json
import shutil
import subprocess

from lab.engine import DockerError, docker, inspect
from lab.errors import LabError
from lab.topology import LABEL, NETWORK, SUBNET_VARIABLE, subnet


def ensure() -> None:
    """Sees that the network exists. Raises LabError, with the way out, where its addresses are taken."""
    wanted = subnet()
    present = inspect("network", NETWORK, "{{range .IPAM.Config}}{{.Subnet}}{{end}}")
    if present == str(wanted):
        return
    if present:
        raise LabError(
            f"the lab is up on {present}, not on {wanted}: take it down first (python -m lab down), "
            f"or set {SUBNET_VARIABLE}={present}"
        )
    overlap = _route_that_overlaps(wanted)
    if overlap:
        raise LabError(_taken(wanted, f"this machine has a route to {overlap}"))
    try:
        docker("network", "create", "--driver", "bridge", "--subnet", str(wanted), "--label", LABEL, NETWORK)
    except DockerError as error:
        if "overlaps" not in str(error):
            raise
        raise LabError(_taken(wanted, "another Docker network overlaps it")) from None


def _taken(wanted: ipaddress.IPv4Network, reason: str) -> str:
    way_out = f"set {SUBNET_VARIABLE} to a free /24, e.g. 10.213.0.0/24"
    return f"the lab's network {wanted} is taken: {reason}; {way_out}"


def _route_that_overlaps(wanted: ipaddress.IPv4Network) -> str | None:
    # Docker looks at its own networks only. Over the network that the machine is in, it would cut it off.
    if not shutil.which("ip"):
        return None
    done = subprocess.run(["ip", "-json", "-4", "route"], capture_output=True, text=True, check=False)
    for route in json.loads(done.stdout or "[]"):
        destination = str(route.get("dst", "default"))
        if destination != "default" and ipaddress.IPv4Network(destination, strict=False).overlaps(wanted):
            return f"{destination} ({route.get('dev', 'no device')})"
    return None
