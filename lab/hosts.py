"""The hosts: bare Debian servers with systemd and sshd, reached over SSH like production ones."""

import contextlib
import re
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab import containers, ssh
from lab.containers import exec_in
from lab.engine import DockerError, docker, inspect
from lab.errors import LabError
from lab.images import host_image, packaged_image, rpm_image, stocked_image
from lab.progress import Say, silent
from lab.topology import DEFAULT_SUITE, LABEL, PREFIX, address, container

__all__ = [
    "copies",
    "ensure",
    "exec_in",
    "names",
    "options",
    "remove",
    "restart",
    "start",
    "stop",
    "wait_for_port",
    "wait_until",
    "wait_until_ready",
]

_CGROUP = Path("/sys/fs/cgroup")
_READY_SECONDS = 40
_ROLE_LABEL = "wecom-gateway.lab.host"
# Images that are made from the bare host's, by basis; the stocked one is for all others.
_DERIVED = {"packaged": packaged_image, "rpm": rpm_image}


def ensure(wanted: Sequence[str], suite: str, say: Say = silent, basis: str = "bare") -> None:
    """Sees that every host runs and answers. Hosts that run already as they should are left as they are."""
    image = host_image(suite) if basis == "bare" else _DERIVED.get(basis, stocked_image)(suite, say)
    _ensure_all(wanted, suite, image, basis != "sshd", say)


@contextlib.contextmanager
def copies(source: str, wanted: Sequence[str], say: Say = silent) -> Iterator[None]:
    """While the context is entered, those hosts run, each with the disk that `source`, a host on the default Debian,
    has at its beginning: what is installed there, and its SSH host keys. They are removed at its end."""
    image = f"{PREFIX}-copy:{source}"
    docker("commit", "--change", f"LABEL {LABEL}", container(source), image)
    try:
        _ensure_all(wanted, DEFAULT_SUITE, image, True, say)
        yield
    finally:
        remove(wanted)
        docker("image", "rm", image)


def names() -> list[str]:
    """The names of this lab's hosts, running or not."""
    listed = docker("ps", "--all", "--filter", f"label={_ROLE_LABEL}", "--format", "{{.Names}}")
    # another lab's hosts have the same label, and maybe the same beginning of their name
    return sorted(name.removeprefix(f"{PREFIX}-") for name in listed.split() if re.match(rf"{PREFIX}-(gw|t)", name))


def remove(wanted: Sequence[str]) -> None:
    """Removes those of the hosts that exist; the next `ensure` makes bare ones."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(containers.remove, wanted))
    for name in wanted:
        remove_cgroups(container(name))


def start(name: str) -> None:
    """Starts a stopped host and waits until it answers."""
    docker("start", container(name))
    wait_until_ready(name)


def stop(name: str) -> None:
    """Shuts a host down; its disk stays."""
    docker("stop", "--time", "10", container(name))


def restart(name: str) -> None:
    """Reboots a host and waits until it answers."""
    stop(name)
    start(name)


def remove_cgroups(pattern: str = f"{PREFIX}-*") -> None:
    """Removes the control groups that were made for hosts, except those still in use."""
    for root in (_CGROUP / "unified").glob(pattern):
        # Only empty groups can be removed, so from the leaves up.
        for directory in sorted((p for p in root.rglob("*") if p.is_dir()), reverse=True):
            with contextlib.suppress(OSError):
                directory.rmdir()
        with contextlib.suppress(OSError):
            root.rmdir()


def wait_until(ready: Callable[[], bool], what: str, seconds: float = _READY_SECONDS, pause: float = 0.2) -> None:
    """Asks until `ready()` is True, with that `pause` in seconds. Raises LabError after `seconds`; its message begins
    with `what`."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise LabError(f"{what} within {seconds:.0f} s")
        time.sleep(pause)


def wait_for_port(name: str, port: int) -> None:
    """Waits until the host accepts connections on a TCP port."""

    def accepts() -> bool:
        try:
            with socket.create_connection((address(name), port), timeout=2):
                return True
        except OSError:
            return False

    wait_until(accepts, f"{name}: nothing answers on {address(name)}:{port}")


def wait_until_ready(name: str) -> None:
    """Waits until the host has booted and its sshd answers."""
    state = "unknown"

    def booted() -> bool:
        nonlocal state
        try:
            # is-system-running exits 1 for every state but "running"; the state is on stdout all the same
            command = "[ -d /run/systemd/system ] || echo running; systemctl is-system-running || true"
            state = docker("exec", container(name), "sh", "-c", command, timeout=20)
        except DockerError as error:
            state = str(error)
            if inspect("container", container(name), "{{.State.Running}}") != "true":
                log = docker("logs", "--tail", "5", container(name))
                raise LabError(f"{name}: ended while booting: {log or 'no message'}") from None
        return state.split("\n")[0] in ("running", "degraded")

    # the question costs as much as a tenth of a boot
    wait_until(booted, f"{name}: systemd did not finish booting", pause=0.6)
    wait_for_port(name, 22)


def options(name: str, suite: str, systemd: bool = True) -> tuple[str, ...]:
    """What docker is told of a host's container, but for its name, network and image."""
    return (
        *("--label", f"{_ROLE_LABEL}={suite}", "--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN"),
        # the signal that shuts systemd down, and that which ends sshd
        *("--stop-signal", "SIGRTMIN+3" if systemd else "SIGTERM"),
        *("--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp"),  # noqa: S108
        *_cgroup_options(name, suite),
        *_apparmor_options(),
    )


def _ensure_all(wanted: Sequence[str], suite: str, image: str, systemd: bool, say: Say) -> None:
    with ThreadPoolExecutor(max_workers=8) as pool:
        keys = list(pool.map(lambda name: _ensure_one(name, suite, image, systemd, say), wanted))
    ssh.remember_hosts({address(name): key for name, key in zip(wanted, keys, strict=True)})


def _ensure_one(name: str, suite: str, image: str, systemd: bool, say: Say) -> str:
    spec = containers.Spec(
        name=name,
        image=image,
        options=options(name, suite, systemd),
        command=() if systemd else ("sh", "-c", "mkdir -p /run/sshd && exec /usr/sbin/sshd -D"),
    )
    started = containers.ensure(spec)
    if started:
        say(f"{name}: booting Debian {suite}")
    wait_until_ready(name)
    if started:
        say(f"{name}: up at {address(name)}")
    return exec_in(name, ["cat", "/etc/ssh/ssh_host_ed25519_key.pub"])


def _cgroup_options(name: str, suite: str) -> list[str]:
    if (_CGROUP / "cgroup.controllers").exists():
        # Version 2 alone: systemd finds the container's own group by its full path, and works below it.
        return ["--cgroupns=host", "--volume", f"{_CGROUP}:/sys/fs/cgroup:rw"]
    if suite != "forky":
        return ["--cgroupns=host", "--volume", f"{_CGROUP}:/sys/fs/cgroup:ro"]
    # Version 1, which systemd 262 no longer knows: a group of the host's own in the version 2 tree.
    own = _CGROUP / "unified" / container(name)
    try:
        own.mkdir(exist_ok=True)
    except OSError as error:
        raise LabError(f"{name}: Debian {suite} needs a control group of its own, as root: {error}") from None
    return ["--cgroupns=host", "--volume", f"{own}:/sys/fs/cgroup:rw"]


def _apparmor_options() -> list[str]:
    # Docker's AppArmor profile forbids the mounts that systemd does for its services.
    active = "name=apparmor" in docker("info", "--format", "{{.SecurityOptions}}")
    return ["--security-opt", "apparmor=unconfined"] if active else []
