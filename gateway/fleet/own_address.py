"""Where this machine reaches the sites of containers and of Vagrant machines, to which no DNS need lead."""

from __future__ import annotations

from pyinfra.api import Host

from gateway.fleet import containers, vagrant
from gateway.fleet.host import ssh_address


def own_address(host: Host) -> str | None:
    """The address of a container, `@docker/NAME` or `@podman/NAME`, or of a Vagrant machine, `@vagrant/NAME`.

    None for a host that is reached otherwise. Raises MachineError where it has none.
    """
    connector, _, name = host.name.removeprefix("@").partition("/")
    if host.name.startswith(("@docker/", "@podman/")):
        return containers.address(connector, name)
    if host.name.startswith("@vagrant/"):
        return vagrant.address(name, ssh_address(host.name, host.data.dict()))
    return None
