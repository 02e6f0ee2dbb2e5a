"""The lab's containers: created once, and again when anything that they are made from changes."""

import resource
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.engine import docker, inspect
from lab.errors import LabError
from lab.images import INPUTS_LABEL, fingerprint
from lab.topology import LABEL, NETWORK, address, container

_OPEN_FILES = 65536


@dataclass(frozen=True)
class Spec:
    """What a container is made from. `files`, {source: target}, are copied in before it starts."""

    name: str
    image: str
    options: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    files: Mapping[Path, str] = field(default_factory=dict)


def ensure(spec: Spec) -> bool:
    """Sees that the container runs as `spec` says. True when it had to be created or started."""
    full_name = container(spec.name)
    made_from = _fingerprint(spec)
    state = inspect("container", full_name, f'{{{{.State.Running}}}} {{{{index .Config.Labels "{INPUTS_LABEL}"}}}}')
    if state == f"true {made_from}":
        return False
    fresh = state != f"false {made_from}"
    if fresh:
        if state is not None:
            remove(spec.name)
        docker(
            *("create", "--name", full_name, "--hostname", spec.name),
            *("--label", LABEL, "--label", f"{INPUTS_LABEL}={made_from}", "--restart", "no"),
            *("--network", NETWORK, "--ip", address(spec.name)),
            *("--ulimit", f"nofile={_open_files()}"),
            *spec.options,
            spec.image,
            *spec.command,
        )
        for source, target in spec.files.items():
            docker("cp", f"{source}/." if source.is_dir() else str(source), f"{full_name}:{target}")
    try:
        docker("start", full_name)
    except LabError:
        if fresh:
            remove(spec.name)  # else the next attempt would find it and take it for complete
        raise
    return True


def remove(name: str) -> None:
    """Removes a container, if there is one."""
    if inspect("container", container(name), "{{.Id}}"):
        docker("rm", "--force", "--volumes", container(name))


def exec_in(name: str, argv: list[str], timeout: float = 300) -> str:
    """Runs a command as root in a container and returns its output. Raises LabError where it fails."""
    try:
        return docker("exec", container(name), *argv, timeout=timeout)
    except LabError as error:
        raise LabError(f"{name}: {argv[0]}: {error}") from None


def _open_files() -> str:
    # Enough for a proxy, but no more than this machine allows: the container would not start with more.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    limit = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    return f"{limit}:{limit}"


def _fingerprint(spec: Spec) -> str:
    image_id = inspect("image", spec.image, "{{.Id}}") or ""
    parts = [image_id, address(spec.name), *spec.options, *spec.command]
    for source, target in spec.files.items():
        files = sorted(source.rglob("*")) if source.is_dir() else [source]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                parts += [target, file.name, file.read_bytes().hex()]
    return fingerprint(*parts)
