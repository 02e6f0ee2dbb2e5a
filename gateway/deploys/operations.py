"""The steps that change a gateway, each one operation and one remote command per host."""

from __future__ import annotations

import os
from collections.abc import Collection, Generator, Iterable

from pyinfra import host, logger, state
from pyinfra.api import FunctionCommand, Host, State, operation
from pyinfra.api.command import PyinfraCommand
from pyinfra.operations import apt, dnf, yum

from gateway import product
from gateway.deploys import comparison, connections, guards, orders, origin, shell
from gateway.deploys.facts import GatewayState, ReleaseHeld
from gateway.deploys.objections import announcements, objections, remarks
from gateway.deploys.preview import Line
from gateway.deploys.state import HostState
from gateway.deploys.target import Target

Commands = Generator[PyinfraCommand, None, None]


@operation()
def examine(target: Target, allowed: Collection[str] = ()) -> Commands:
    """Changes nothing. Fails, for this host alone and with every reason at once, where a deploy must not go on.

    That is where it would take away sites, verification files or certificates that are in force and no option in
    `allowed` says that this is meant, and where something else on the host is in its way (objections).
    """
    known = target.state()
    if not known.is_readable:
        yield _unreadable(host)
        return
    if target.host.serves_nothing and known.has_no_gateway:
        host.noop("nothing is to be served, and nothing is")
        return
    wanted = target.wanted()
    there = known.current == wanted.id and target.is_intact()
    if there and known.in_force(wanted.id) and not target.missing_packages():
        host.noop("nothing speaks against a deploy")
        return
    # What is there again somebody may have written anew.
    lost = [] if there and not known.strays else comparison.refusals(target, allowed)
    texts = [*objections(target.host, known), *lost]
    if not texts:
        if _shows():
            _caution(host, announcements(known))
        host.noop("nothing speaks against a deploy")
        return
    if not state.is_executing:
        # A dry run goes no further than this, and an operator has to know before being asked whether to go on.
        _refuse(state, host, *texts)
    yield _refusal(*texts)


@operation()
def install(target: Target) -> Commands:
    """Installs what is missing of the system's nginx, the modules and programs that the host needs, and the trust store
    that upstreams are verified against."""
    known, missing = target.state(), target.missing_packages()
    if not missing:
        host.noop("nginx and the trust store are installed")
        return
    target.forget()
    brings_nginx = "nginx" in missing and known.installed is None
    if brings_nginx:
        yield shell.hold_back_nginx()
    yield from _packages(known, missing)
    if brings_nginx:
        yield shell.settle_nginx()
    if "mtail" in missing:
        yield shell.settle_mtail()


def _packages(known: HostState, missing: list[str]) -> Commands:
    """By the system's own package manager."""
    if not known.layout.is_rpm:
        yield from apt.packages._inner(packages=missing, update=True)
        return
    packages = (dnf if known.layout.packages == "dnf" else yum).packages
    # Their `update` would bring every package of the host up to date.
    if known.epel and "nginx" in missing:
        yield from packages._inner(packages=["epel-release"])
    yield from packages._inner(packages=missing)


@operation()
def publish(target: Target) -> Commands:
    """Puts the wanted release beside the others on the host, not yet in force, and says what differs.

    Changes nothing where an intact copy is there. Content and modes that were changed by hand are put back.
    """
    known, wanted = target.state(), target.wanted()
    if target.host.serves_nothing:
        if not known.has_no_gateway and _shows():
            _show(comparison.of_withdrawal(known, target.held()))
        host.noop("nothing is to be served")
        return
    if _no_nginx(target):
        yield _refusal(_NO_NGINX)
        return
    intact = target.is_intact()
    if intact and known.current == wanted.id:
        host.noop(f"release {wanted.id} is there and intact")
        return
    if _shows():
        _show(comparison.of_deploy(target, whole=state.config.DIFF))
        _show(comparison.of_files(target))
    if intact:
        host.noop(f"release {wanted.id} is there already, from an earlier deploy")
        return
    target.forget()
    yield shell.publish(wanted)


@operation()
def activate(target: Target) -> Commands:
    """Has the running nginx serve the wanted release, and proves it by asking.

    Where nothing is to be served, the gateway is taken out of nginx instead, which goes on with what others have there.

    The release has to be published. Fails, with the previous release in force again, where nginx refuses it or does not
    take it. Changes nothing where the running nginx serves it already.
    """
    known, wanted = target.state(), target.wanted()
    if target.host.serves_nothing:
        if known.has_no_gateway:
            host.noop("nothing is to be served, and nothing is")
            return
        target.forget()
        yield shell.withdraw(known.layout, "deploy")
        return
    if _no_nginx(target):
        yield _refusal(_NO_NGINX)
        return
    if known.in_force(wanted.id) and target.is_intact():
        host.noop(f"the running nginx serves release {wanted.id}")
        return
    # Where this run installed nginx, what it reads is known only now.
    if texts := objections(target.host, known):
        yield _refusal(*texts)
        return
    target.forget()
    yield shell.activate(wanted.id, known.neighbours.entry, origin.of_checkout(), product.version(), known.layout)
    yield FunctionCommand(_warn, (target,), {})


@operation()
def open_firewall(target: Target) -> Commands:
    """Has firewalld let in the ports of the sites, where it runs and does not yet."""
    closed = guards.closed_ports(target.host, target.state().guards)
    if not closed:
        host.noop("nothing has to be opened in firewalld")
        return
    target.forget()
    yield shell.open_ports(closed)


@operation()
def obtain(target: Target) -> Commands:
    """Has the sites' certificates issued by their ACME servers, and the running nginx use them.

    The release has to be in force: it answers the servers' checks. Asked for are certificates that the host lacks, that
    the inventory now orders from elsewhere, and whose last request or renewal failed. Fails, for this host alone and
    naming every domain with the server's reason, where one was not issued; the others are in use then. Says while it
    runs how many are there.
    """
    if _no_nginx(target):
        yield _refusal(_NO_NGINX)
        return
    due = target.due()
    if not due:
        host.noop("every certificate is there")
        return
    try:
        secrets = orders.secrets(target.host.sites, os.environ)
    except ValueError as error:
        yield _refusal(str(error))
        return
    layout = target.state().layout
    target.forget()
    yield shell.obtain(secrets, layout)


@operation(is_idempotent=False)
def roll_back() -> Commands:
    """Brings the release before the current one into force again, proves it as a deploy does, and says what differs.

    Where the first release took the place of files of the host's own nginx, these are in force again before it. Fails,
    for this host alone, where there is nothing to go back to.
    """
    known = host.get_fact(GatewayState)
    if not known.is_readable:
        yield _unreadable(host)
        return
    if known.previous is None and known.aside & known.replaces:
        if _shows():
            _show(comparison.of_withdrawal(known, host.get_fact(ReleaseHeld, release=known.current)))
        yield shell.withdraw(known.layout, "rollback")
        return
    if known.previous is None:
        yield _refusal(
            f"there is no release before {known.current or 'the first'} on this host; "
            "correct the inventory and deploy instead"
        )
        return
    if _shows():
        _show(comparison.of_rollback(known, whole=state.config.DIFF))
    yield shell.reactivate(known.previous, known.neighbours.entry, known.layout)


_NO_NGINX = "nginx is not installed on this host; run deploy.py as a whole"


def _no_nginx(target: Target) -> bool:
    return state.is_executing and target.state().installed is None


def _refusal(*texts: str) -> FunctionCommand:
    """A command that fails on this host and prints `texts`. Raising instead would end the run for every host."""
    return FunctionCommand(_refuse, texts, {})


def _unreadable(host: Host) -> FunctionCommand:
    """The refusal of a host whose state could not be read. It prints nothing where the reason was printed already."""
    text = "the state of this host cannot be read: is sudo (`_sudo`) set and allowed without a password?"
    return _refusal(*([] if connections.trouble(host) else [text]))


def _refuse(state: State, host: Host, *texts: str) -> bool:
    for text in texts:
        host.log_styled(f"wecom-gateway: {text}", fg="red", log_func=logger.error)
    return False


def _warn(state: State, host: Host, target: Target) -> bool:
    """Prints what does not stop a deploy but has to be told: a misspelt upstream, an address that is another site's."""
    _caution(host, remarks(target.host, target.state()))
    return True


def _caution(host: Host, texts: Iterable[str]) -> None:
    for text in texts:
        host.log_styled(f"wecom-gateway: {text}", fg="yellow", log_func=logger.warning)


def _shows() -> bool:
    """Whether this is the time to print what differs, once in a run: while preparing, or while executing where `-y`
    left preparing out."""
    return bool(state.is_executing != state.should_check_for_changes())


def _show(lines: Iterable[Line]) -> None:
    for line in lines:
        if line.color:
            host.log_styled(line.text, fg=line.color)
        else:
            host.log(line.text)
