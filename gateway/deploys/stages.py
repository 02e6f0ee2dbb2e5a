"""The stages of a deploy, in the order in which they run."""

from __future__ import annotations

from pathlib import Path

from pyinfra import host
from pyinfra.api.exceptions import PyinfraError

from gateway.deploys import checked, losses, operations
from gateway.deploys.target import Target
from gateway.fleet.host import Host
from gateway.fleet.parsing import parse_host
from gateway.onhost.constants import PATH
from gateway.problems import errors


def deploy() -> None:
    """Installs nginx on the host, publishes its sites as one release, and brings that into force."""
    target = Target(_checked_host())
    operations.examine(name="Examine the host", target=target, allowed=losses.allowed_options(host.data))
    operations.install(
        name="Install nginx and the trust store",
        target=target,
        # dpkg wants the folders of root's programs, which sudo's secure_path may lack; Ubuntu's needrestart would
        # restart services, nginx among them
        _env={"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "l", "PATH": PATH},
    )
    operations.publish(name="Publish the release", target=target)
    operations.activate(name="Activate the release", target=target)
    if target.host.firewall:
        operations.open_firewall(name="Open the firewall", target=target)
    if target.has_orders():
        operations.obtain(name="Obtain certificates", target=target)


def _checked_host() -> Host:
    """The host that passed the check of this run, else its data checked now. Raises PyinfraError with every problem."""
    if known := checked.host(host.name):
        return known
    parsed, problems = parse_host(host.name, host.data.dict(), Path("files"))
    if parsed is None:
        raise PyinfraError("\n".join(["the inventory cannot be deployed:", *map(str, errors(problems))]))
    return parsed
