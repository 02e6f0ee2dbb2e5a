"""Bringing the lab up and taking it down: what is done in which order."""

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from lab import engine, hosts, images, limits, network, platforms, slb
from lab.engine import DockerError, docker
from lab.errors import LabError
from lab.progress import Say
from lab.topology import GATEWAYS, INFRASTRUCTURE, LAB, LABEL, PKI, PREFIX, SSH_KEY, STATE, address

# So often, a second apart.
_TRIES = 15


def up(wanted: Sequence[str], suite: str, say: Say, basis: str = "bare") -> None:
    """See `lab.up`."""
    for name in wanted:  # raises for a wrong name before anything is built
        if name in INFRASTRUCTURE:
            raise LabError(f"{name}: part of the lab, not a host; hosts are {', '.join(GATEWAYS)}, t01 to t99")
        address(name)
    with _one_at_a_time():
        STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
        engine.ensure(say)
        limits.ensure()
        network.ensure()
        images.ensure(suite, say)
        with ThreadPoolExecutor() as pool:
            tasks = [
                pool.submit(platforms.ensure, say),
                pool.submit(slb.ensure, say),
                pool.submit(hosts.ensure, wanted, suite, say, basis),
            ]
            for task in tasks:
                task.result()


def down(keep_images: bool, say: Say) -> None:
    """See `lab.down`."""
    with _one_at_a_time():
        if engine.why_unreachable() is not None and STATE.exists():
            # Only an engine can remove what the lab made.
            engine.ensure(say)
        if engine.why_unreachable() is None:
            _remove_containers(say)
            if not keep_images:
                _remove_images(say)
        hosts.remove_cgroups()
        if _others():
            say("docker engine: goes on, another lab is up")
        else:
            engine.stop(say)
            limits.restore()
        _remove_state(keep_images)
        say("the lab is down")


def _others() -> list[str]:
    """The containers of other labs, which need the engine."""
    if engine.why_unreachable() is not None:
        return []
    return docker("ps", "--filter", f"label={LABEL}", "--format", "{{.Names}}").split()


def _remove_containers(say: Say) -> None:
    found = docker("ps", "--all", "--filter", f"label={LABEL}", "--format", "{{.Names}}").split()
    own = [name for name in found if name.startswith(f"{PREFIX}-")]
    if own:
        say(f"containers: removing {len(own)}")
        docker("rm", "--force", "--volumes", *own)
    listed = docker("network", "ls", "--filter", f"label={LABEL}", "--format", "{{.Name}}").split()
    for name in listed:
        if name == PREFIX or name.startswith(f"{PREFIX}-"):
            _remove_network(name)


def _remove_network(name: str) -> None:
    """Removes a network that no container is in. Docker may need seconds to see that those just removed are gone."""
    for attempt in range(_TRIES, 0, -1):
        try:
            docker("network", "rm", name)
        except DockerError:
            if attempt == 1:
                raise
            time.sleep(1)
        else:
            return


def _remove_images(say: Say) -> None:
    listing = docker("image", "ls", "--filter", f"label={LABEL}", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}")
    lines = [line.split() for line in listing.splitlines()]
    # When an image is built again, the former one stays, without a name.
    own = [name if name != "<none>:<none>" else identity for name, identity in lines]
    own = [image for image in own if image.startswith(f"{PREFIX}-") or ":" not in image]
    if own:
        say(f"images: removing {len(own)}")
        for image in own:
            # An image without a name may go with the one made from it, or be needed until that is gone.
            with contextlib.suppress(DockerError):
                docker("image", "rm", image)


def _remove_state(keep_keys: bool) -> None:
    if not STATE.exists():
        return
    kept = {PKI, SSH_KEY.parent} if keep_keys else set()
    if engine.started_by_lab() is not None:
        # whoever takes the last lab down stops it
        kept |= {engine.RECORD, limits.RECORD}
    for entry in STATE.iterdir():
        if entry in kept:
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    if not kept:
        STATE.rmdir()


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """While the context is entered, other runs wait: two at once would build the same things."""
    directory = os.open(LAB, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)
