"""The hosts and sites of an inventory as parameters, whichever inventory it is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import testinfra
from testinfra.host import Host as Remote

from gateway.deploys import state
from gateway.deploys.state import HostState
from gateway.fleet import loading
from gateway.fleet.host import Host
from gateway.fleet.machine_error import MachineError
from gateway.fleet.own_address import own_address
from gateway.inventory.site import Site
from gateway.onhost import scripts
from gateway.problems import errors
from lab import demo

from ..conftest import REPO


@dataclass(frozen=True)
class Target:
    """A host of the inventory, the address at which its ports are reached, and pyinfra's data for logging in."""

    host: Host
    address: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Served:
    """A site on one of its hosts."""

    site: Site
    target: Target


@cache
def _targets(config: pytest.Config) -> list[Target]:
    path = config.getoption("--inventory") or demo.INVENTORY
    if path == demo.INVENTORY:
        demo.issue_certificates()
    before = Path.cwd()
    os.chdir(REPO)
    try:
        loaded = loading.load(path)
    except loading.InventoryError as error:
        raise pytest.UsageError(str(error)) from None
    finally:
        os.chdir(before)
    wrong = errors(loaded.problems)
    if wrong:
        raise pytest.UsageError("\n".join(map(str, wrong)))
    targets = []
    for host in loaded.hosts:
        known = loaded.inventory.get_host(host.name)
        try:
            own = own_address(known)
        except MachineError as error:
            raise pytest.UsageError(f"{host.name}: {error}") from None
        targets.append(Target(host, own or host.address, known.data.dict()))
    return targets


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "target" in metafunc.fixturenames:
        targets = _targets(metafunc.config)
        metafunc.parametrize("target", targets, ids=[target.host.name for target in targets], scope="session")
    if "served" in metafunc.fixturenames:
        served = [Served(site, target) for target in _targets(metafunc.config) for site in target.host.sites]
        names = [f"{one.target.host.name}-{one.site.domain}" for one in served]
        metafunc.parametrize("served", served, ids=names, scope="session")


def state_of(remote: Remote) -> HostState:
    """What the host says of itself."""
    return state.read(remote.check_output("bash -c %s", scripts.text("state")).splitlines())


@pytest.fixture(scope="session")
def of_others(served: Served) -> frozenset[int]:
    """Ports of the host whose default server is another site's, which answers there to names that no site has."""
    defaults = state_of(reached(served.target)).neighbours.defaults
    return frozenset(int(socket.rpartition(":")[2]) for socket in defaults)


@pytest.fixture(autouse=True)
def _deployed(request: pytest.FixtureRequest) -> None:
    """On the lab the inventory is deployed first; an inventory of yours is taken as it is."""
    if not request.config.getoption("--inventory"):
        request.getfixturevalue("demo_lab")


@pytest.fixture(scope="session")
def remote(target: Target) -> Remote:
    """The host as pyinfra reaches it."""
    return reached(target)


def reached(target: Target) -> Remote:
    """The host as pyinfra reaches it: a container by its engine, all others over SSH, as pyinfra's host data says."""
    data = target.data
    connector, _, container = target.host.name.removeprefix("@").partition("/")
    if target.host.name.startswith(("@docker/", "@podman/")):
        sudo = "?sudo=true" if data.get("_sudo") else ""
        return testinfra.get_host(f"{connector}://{container}{sudo}")
    user = f"{data['ssh_user']}@" if data.get("ssh_user") else ""
    port = data.get("ssh_port") or 22
    options = {"sudo": "true"} if data.get("_sudo") else {}
    if data.get("ssh_key"):
        options["ssh_identity_file"] = data["ssh_key"]
    query = "&".join(f"{key}={value}" for key, value in options.items())
    return testinfra.get_host(f"paramiko://{user}{target.host.address}:{port}?{query}")
