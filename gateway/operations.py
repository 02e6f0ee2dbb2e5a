"""The steps that change a gateway, each one operation and one remote command per host."""

from __future__ import annotations

import os
from collections.abc import Generator

from pyinfra import host, logger, state
from pyinfra.api import FunctionCommand, Host, State, operation
from pyinfra.api.command import PyinfraCommand
from pyinfra.operations import apt

from gateway import acme, connections, shell
from gateway import release as releases
from gateway.facts import GatewayState, changes
from gateway.problems import count
from gateway.target import Target, apart

Commands = Generator[PyinfraCommand, None, None]


@operation()
def install(target: Target) -> Commands:
    """nginx from Debian with the modules that the host needs, and the trust store that upstreams are verified against,
    where they are not there yet."""
    known = target.state()
    if not known.is_readable:
        yield _unreadable(host)
        return
    missing = target.missing()
    if not missing:
        host.noop("nginx and the trust store are installed")
        return
    target.changing()
    yield from apt.packages._inner(packages=missing, update=True)


@operation()
def publish(target: Target, allow_verify_removal: bool = False) -> Commands:
    """Puts the target's wanted release beside the others on its host, not yet in force.

    No change where an intact copy is there. Content and modes changed by hand are put back. Refused, for
    this host alone, where a verification file of a site that stays would go, unless `allow_verify_removal`.
    """
    known, wanted = target.state(), target.wanted()
    if _no_nginx(target):
        yield _refusal(_NO_NGINX)
        return
    intact = target.is_intact()
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
    target.changing()
    yield shell.publish(wanted)


@operation()
def activate(target: Target) -> Commands:
    """Makes that release the one that the running nginx serves, proven by asking it.

    Precondition: it is published. Fails, with the previous release in force again, where nginx refuses it
    or does not take it. No change where the running nginx serves it already.
    """
    known, wanted = target.state(), target.wanted()
    if _no_nginx(target):
        yield _refusal(_NO_NGINX)
        return
    if known.in_force(wanted.id) and target.is_intact():
        host.noop(f"the running nginx serves release {wanted.id}")
        return
    for address, domains in apart(target.host, known).items():
        if domains:
            yield _refusal(
                f"another site of this host has {', '.join(domains)} on {address}, an address that it has to itself, "
                "and the gateway would never be asked there; remove one of them"
            )
            return
    target.changing()
    yield shell.activate(wanted.id, "deploy")
    yield FunctionCommand(_warn, (target,), {})


@operation()
def obtain(target: Target) -> Commands:
    """The certificates that the target's sites get from an ACME server, in use by the running nginx.

    Precondition: the release is in force, it answers the server's check. Asks for those that the host lacks, that
    the inventory now orders elsewhere, and whose last request or renewal failed. Fails, for this host alone and
    naming every domain with the server's reason, where one was not issued; the others are in use.
    """
    if _no_nginx(target):
        yield _refusal(_NO_NGINX)
        return
    due = target.due()
    if not due:
        host.noop("every certificate is there")
        return
    try:
        secrets = acme.secrets(target.host.sites, os.environ)
    except ValueError as error:
        yield _refusal(str(error))
        return
    target.changing()
    yield shell.obtain(secrets)


@operation(is_idempotent=False)
def roll_back() -> Commands:
    """Makes the release before the current one the one in force again, proven like a deploy.

    Fails, for this host alone, where it has no earlier release.
    """
    known = host.get_fact(GatewayState)
    if not known.is_readable:
        yield _unreadable(host)
        return
    if known.previous is None:
        yield _refusal(
            f"there is no release before {known.current or 'the first'} on this host; "
            "correct the inventory and deploy instead"
        )
        return
    host.log(f"release {known.current or 'none'} -> {known.previous}")
    yield shell.activate(known.previous, "rollback")


_NO_NGINX = "nginx is not installed on this host; run deploy.py as a whole"


def _no_nginx(target: Target) -> bool:
    return state.is_executing and target.state().installed is None


def _refusal(text: str) -> FunctionCommand:
    """A command that fails on this host with `text`; raising would end the run for every other host."""
    return FunctionCommand(_refuse, (text,), {})


def _unreadable(host: Host) -> FunctionCommand:
    """The refusal of a host whose state could not be read, without a word where the reason stands there already."""
    text = "the state of this host cannot be read: is sudo (`_sudo`) set and allowed without a password?"
    return _refusal("" if connections.trouble(host) else text)


def _refuse(state: State, host: Host, text: str) -> bool:
    if text:
        host.log_styled(f"wecom-gateway: {text}", fg="red", log_func=logger.error)
    return False


def _warn(state: State, host: Host, target: Target) -> bool:
    """What stops nobody, but somebody has to be told: a misspelt upstream, an address that is not the gateway's."""
    known = target.state()
    texts = []
    if known.unresolved:
        names = ", ".join(known.unresolved)
        texts.append(f"does not resolve on this host, its sites answer 502 until it does: {names}")
    texts += [
        f"{address} is an address that another site of this host has to itself by its `listen`: what comes to it "
        "never reaches the gateway; have DNS and the load balancer name another address of this host"
        for address in apart(target.host, known)
    ]
    for text in texts:
        host.log_styled(f"wecom-gateway: {text}", fg="yellow", log_func=logger.warning)
    return True


def _show(found: list[releases.Change], old: str | None, new: str) -> None:
    mark = {"added": "+", "changed": "~", "removed": "-"}
    host.log(f"release {old or 'none'} -> {new}, {count(len(found), 'file')} changed:")
    for change in found:
        host.log(f"  {mark[change.kind]} {change.path}")
