"""The stages of a deploy, in the order in which they run."""

from __future__ import annotations

from pathlib import Path

from pyinfra import host
from pyinfra.api.exceptions import PyinfraError

from gateway.deploys import losses, operations, preflight, shell
from gateway.deploys.target import Target
from gateway.fleet.host import Host
from gateway.fleet.parsing import parse_host
from gateway.problems import errors


def deploy() -> None:
    """nginx, and the host's sites as one release, put there and taken into force."""
    target = Target(_checked())
    operations.examine(name="Examine the host", target=target, allowed=losses.allowed(host.data))
    operations.install(
        name="Install nginx and the trust store",
        target=target,
        # dpkg wants the folders of root's programs, which sudo's secure_path may lack
        _env={"DEBIAN_FRONTEND": "noninteractive", "PATH": shell.PATH},
    )
    operations.publish(name="Publish the release", target=target)
    operations.activate(name="Activate the release", target=target)
    if target.has_orders():
        operations.obtain(name="Obtain certificates", target=target)


def _checked() -> Host:
    """The host's own part of the inventory. Raises PyinfraError naming every problem."""
    if host.name in preflight.checked:
        return preflight.checked[host.name]
    parsed, problems = parse_host(host.name, host.data.dict(), Path("files"))
    if parsed is None:
        raise PyinfraError("\n".join(["the inventory cannot be deployed:", *map(str, errors(problems))]))
    return parsed
