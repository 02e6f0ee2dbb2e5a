"""The stages of a deploy, in the order in which deploy.py runs them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pyinfra import host
from pyinfra.api.exceptions import PyinfraError
from pyinfra.operations import apt

from gateway import operations, preflight, render
from gateway import release as releases
from gateway.facts import GatewayState
from gateway.host import Host, parse_host
from gateway.problems import errors
from gateway.render import Build


def install() -> None:
    """nginx from Debian and the trust store that upstreams are verified against."""
    missing = host.get_fact(GatewayState).installed is None
    apt.packages(
        name="Install nginx and the trust store",
        packages=["nginx", "ca-certificates"],
        update=missing,
        _env={"DEBIAN_FRONTEND": "noninteractive"},
    )


def publish_and_activate() -> None:
    """The host's sites as one release, put there and taken into force."""
    wanted = _checked()

    @cache
    def release_for(build: Build) -> releases.Release:
        return releases.build(render.tree(wanted, build))

    operations.publish(
        name="Publish the release",
        release_for=release_for,
        allow_verify_removal=bool(host.data.get("allow_verify_removal")),
    )
    operations.activate(name="Activate the release", release_for=release_for)


def _checked() -> Host:
    """The host's own part of the inventory. Raises PyinfraError naming every problem."""
    if host.name in preflight.checked:
        return preflight.checked[host.name]
    parsed, problems = parse_host(host.name, host.data.dict(), Path("files"))
    if parsed is None:
        raise PyinfraError("\n".join(["the inventory cannot be deployed:", *map(str, errors(problems))]))
    return parsed
