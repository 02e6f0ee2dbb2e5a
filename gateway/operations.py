"""The steps that change a gateway, each one operation and one remote command per host."""

from __future__ import annotations

from collections.abc import Callable, Generator

from pyinfra import host, logger, state
from pyinfra.api import FunctionCommand, Host, State, operation
from pyinfra.api.command import PyinfraCommand

from gateway import release as releases
from gateway import shell
from gateway.facts import GatewayState, HostState, ReleaseDigest, changes
from gateway.problems import count
from gateway.release import Release
from gateway.render import Build
from gateway.tls_profile import NginxVersion

# Before nginx is there and where apt does not say which one it will be: only ever used to foretell that
# there will be a change. What is published is rendered for the nginx that was installed.
_FORETOLD = Build(NginxVersion((1, 22, 1)))

Commands = Generator[PyinfraCommand, None, None]


@operation()
def publish(release_for: Callable[[Build], Release], allow_verify_removal: bool = False) -> Commands:
    """Puts the release that `release_for` gives for the host's nginx beside the others, not yet in force.

    No change where an intact copy is there. Content and modes changed by hand are put back. Refused, for
    this host alone, where a verification file of a site that stays would go, unless `allow_verify_removal`.
    """
    known = host.get_fact(GatewayState)
    if _not_installed(known):
        yield _refusal(_NO_NGINX)
        return
    wanted = release_for(known.build or _FORETOLD)
    intact = _is_intact(wanted)
    if intact and known.current == wanted.id:
        host.noop(f"release {wanted.id} is there and intact")
        return
    found = changes(host, known, wanted)
    gone = releases.lost_verification(found, wanted)
    if gone and not allow_verify_removal:
        yield _refusal(
            f"verification files are deployed but missing in this checkout: {', '.join(gone)}. WeCom may ask "
            "for them again at any time: put them back under files/verify/ (git log --diff-filter=D says who "
            "removed them), or confirm with --data allow_verify_removal=1"
        )
        return
    if intact:
        host.noop(f"release {wanted.id} is there already, from an earlier deploy")
        return
    # Once: while preparing, or while executing where `-y` left preparing out.
    if state.config.DIFF and state.is_executing != state.should_check_for_changes():
        _show(found, known.current, wanted.id)
    yield shell.publish(wanted)


@operation()
def activate(release_for: Callable[[Build], Release]) -> Commands:
    """Makes that release the one that the running nginx serves, proven by asking it.

    Precondition: it is published. Fails, with the previous release in force again, where nginx refuses it
    or does not take it. No change where the running nginx serves it already.
    """
    known = host.get_fact(GatewayState)
    if _not_installed(known):
        yield _refusal(_NO_NGINX)
        return
    wanted = release_for(known.build or _FORETOLD)
    if known.in_force(wanted.id) and _is_intact(wanted):
        host.noop(f"the running nginx serves release {wanted.id}")
        return
    yield shell.activate(wanted.id, "deploy")
    yield FunctionCommand(_warn_of_unresolved, (), {})


@operation(is_idempotent=False)
def roll_back() -> Commands:
    """Makes the release before the current one the one in force again, proven like a deploy.

    Fails, for this host alone, where it has no earlier release.
    """
    known = host.get_fact(GatewayState)
    if known.previous is None:
        yield _refusal(
            f"there is no release before {known.current or 'the first'} on this host; "
            "correct the inventory and deploy instead"
        )
        return
    host.log(f"release {known.current or 'none'} -> {known.previous}")
    yield shell.activate(known.previous, "rollback")


_NO_NGINX = "nginx is not installed on this host; run deploy.py as a whole"


def _not_installed(known: HostState) -> bool:
    return state.is_executing and known.installed is None


def _refusal(text: str) -> FunctionCommand:
    """A command that fails on this host with `text`; raising would end the run for every other host."""
    return FunctionCommand(_refuse, (text,), {})


def _refuse(state: State, host: Host, text: str) -> bool:
    host.log_styled(f"wecom-gateway: {text}", fg="red", log_func=logger.error)
    return False


def _is_intact(wanted: Release) -> bool:
    """Whether the host has the release, every file and mode as it should be."""
    held: str = host.get_fact(ReleaseDigest, release=wanted.id)
    return held == wanted.digest()


def _warn_of_unresolved(state: State, host: Host) -> bool:
    """A misspelt upstream stops nobody: its site answers 502, and somebody has to be told."""
    names = host.get_fact(GatewayState).unresolved
    if names:
        text = f"does not resolve on this host, its sites answer 502 until it does: {', '.join(names)}"
        host.log_styled(f"wecom-gateway: {text}", fg="yellow", log_func=logger.warning)
    return True


def _show(found: list[releases.Change], old: str | None, new: str) -> None:
    mark = {"added": "+", "changed": "~", "removed": "-"}
    host.log(f"release {old or 'none'} -> {new}, {count(len(found), 'file')} changed:")
    for change in found:
        host.log(f"  {mark[change.kind]} {change.path}")
