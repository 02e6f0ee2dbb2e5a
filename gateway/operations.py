"""The two steps of a deploy that change a gateway, each one operation and one remote command per host."""

from __future__ import annotations

from collections.abc import Callable, Generator

from pyinfra import host, state
from pyinfra.api import OperationError, StringCommand, operation

from gateway import release as releases
from gateway import shell
from gateway.facts import GatewayState, HostState, ReleaseManifest
from gateway.release import Release
from gateway.render import Build
from gateway.tls_profile import NginxVersion

# Before nginx is there and where apt does not say which one it will be: only ever used to foretell that
# there will be a change. What is published is rendered for the nginx that was installed.
_FORETOLD = Build(NginxVersion((1, 22, 1)))


@operation()
def publish(release_for: Callable[[Build], Release]) -> Generator[StringCommand, None, None]:
    """Puts the release that `release_for` gives for the host's nginx beside the others, not yet in force.

    No change where an intact copy is there. Content and modes changed by hand are put back.
    """
    known = host.get_fact(GatewayState)
    wanted = release_for(_build(known))
    present = host.get_fact(ReleaseManifest, release=wanted.id)
    if present == wanted.manifest():
        host.noop(f"release {wanted.id} is there and intact")
        return
    # Once: while preparing, or while executing where `-y` left preparing out.
    if state.config.DIFF and state.is_executing != state.should_check_for_changes():
        _show_changes(known, wanted)
    yield shell.publish(wanted)


@operation()
def activate(release_for: Callable[[Build], Release]) -> Generator[StringCommand, None, None]:
    """Makes that release the one that the running nginx serves, proven by asking it.

    Precondition: it is published. Fails, with the previous release in force again, where nginx refuses it
    or does not take it. No change where the running nginx serves it already.
    """
    known = host.get_fact(GatewayState)
    wanted = release_for(_build(known))
    if known.in_force(wanted.id) and host.get_fact(ReleaseManifest, release=wanted.id) == wanted.manifest():
        host.noop(f"the running nginx serves release {wanted.id}")
        return
    yield shell.activate(wanted.id, "deploy")


@operation(is_idempotent=False)
def roll_back() -> Generator[StringCommand, None, None]:
    """Makes the release before the current one the one in force again, proven like a deploy.

    Raises OperationError where the host has no earlier release.
    """
    known = host.get_fact(GatewayState)
    if known.previous is None:
        raise OperationError(
            f"{host.name}: there is no release before {known.current or 'the first'}; "
            "correct the inventory and deploy instead"
        )
    host.log(f"release {known.current or 'none'} -> {known.previous}")
    yield shell.activate(known.previous, "rollback")


def _build(known: HostState) -> Build:
    if state.is_executing and known.installed is None:
        raise OperationError("nginx is not installed on this host; run deploy.py as a whole")
    return known.build or _FORETOLD


def _show_changes(known: HostState, wanted: Release) -> None:
    old = host.get_fact(ReleaseManifest, release=known.current) if known.current else frozenset()
    changes = releases.diff(old, wanted.manifest())
    mark = {"added": "+", "changed": "~", "removed": "-"}
    host.log(f"release {known.current or 'none'} -> {wanted.id}, {len(changes)} files differ:")
    for change in changes:
        host.log(f"  {mark[change.kind]} {change.path}")
