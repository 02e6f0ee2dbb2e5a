"""The images: a Debian base, and made from it the bare server, and what the stand-ins run on."""

import fcntl
import hashlib
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from lab import engine, pki, ssh
from lab.engine import DockerError, docker, inspect
from lab.errors import LabError
from lab.progress import Say
from lab.topology import DEFAULT_SUITE, IMAGES, LAB, LABEL, LOCKS, PREFIX, SUITES

INPUTS_LABEL = "wecom-gateway.lab.inputs"
SCRIPTS = LAB / "image_scripts"
SHELL_OPTIONS = "eu"

_PACKAGES = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "openssh-server",
    "python3-minimal",
    "ca-certificates",
    "sudo",
    "iproute2",
    "curl",
)
# Without a registry root makes the base image from packages, so it need not wait long; others have no other way.
_PULL_SECONDS = 25 if os.geteuid() == 0 else 180
_BUILD_SECONDS = 600
# What a deploy of sites without certificates by ACME and without egress would install.
_GATEWAY_PACKAGES = ("nginx", "logrotate")
_INIT_CHANGES = ('CMD ["/lib/systemd/systemd"]', "ENV container=docker")

_no_registry = False  # remembered, as every attempt where none answers costs a timeout


def host_image(suite: str) -> str:
    return f"{IMAGES}-host:{suite}"


def infra_image() -> str:
    return f"{IMAGES}-infra:{DEFAULT_SUITE}"


def acme_image(say: Say) -> str:
    """The tag of the ACME server's image, built if missing or out of date. `ensure` must have run before."""
    tag = f"{IMAGES}-acme:{DEFAULT_SUITE}"
    _ensure_derived(tag, f"{IMAGES}-base:{DEFAULT_SUITE}", "acme", {}, say)
    return tag


def prometheus_image(say: Say) -> str:
    """The tag of the image of Debian's Prometheus, built if missing or out of date. `ensure` must have run before."""
    tag = f"{IMAGES}-prometheus:{DEFAULT_SUITE}"
    _ensure_derived(tag, f"{IMAGES}-base:{DEFAULT_SUITE}", "prometheus", {}, say)
    return tag


def stocked_image(suite: str, say: Say) -> str:
    """The tag of a host image with packages of other web servers, built if missing or out of date.

    `ensure` must have run before.
    """
    tag = f"{IMAGES}-stocked:{suite}"
    _ensure_derived(tag, host_image(suite), "stocked", {}, say)
    return tag


def packaged_image(suite: str, say: Say) -> str:
    """The tag of a host image with Debian's nginx, built if missing or out of date. `ensure` must have run before."""
    tag = f"{IMAGES}-packaged:{suite}"
    _ensure_derived(tag, host_image(suite), "packaged", {"PACKAGES": " ".join(_GATEWAY_PACKAGES)}, say)
    return tag


def rpm_image(suite: str, say: Say) -> str:
    """The tag of a host image that is an RPM system to whoever looks, built if missing or out of date.

    `ensure` must have run before.
    """
    tag = f"{IMAGES}-rpm:{suite}"
    _ensure_derived(tag, host_image(suite), "rpm", {}, say)
    return tag


def ensure(suite: str, say: Say) -> None:
    """Builds the host image of `suite` and the stand-ins' image, where missing or out of date."""
    if suite not in SUITES:
        raise LabError(f"{suite}: the lab knows the Debian releases {', '.join(SUITES)}")
    # Two bases are only needed when the hosts run another Debian than the stand-ins.
    for each in dict.fromkeys((suite, DEFAULT_SUITE)):
        _ensure_base(each, say)
    with ThreadPoolExecutor() as pool:
        infra = pool.submit(_ensure_infra, say)
        _ensure_host(suite, say)
        infra.result()


def fingerprint(*inputs: str) -> str:
    """A short digest of everything an image or container is made from."""
    return hashlib.sha256("\0".join(inputs).encode()).hexdigest()[:16]


def _ensure_base(suite: str, say: Say) -> None:
    tag = f"{IMAGES}-base:{suite}"
    made_from = fingerprint(suite, *_PACKAGES, _script("base"))
    with _alone(tag):
        if _made_from(tag) != made_from and not _base_from_registry(suite, tag, made_from, say):
            _base_from_packages(suite, tag, made_from, say)


def _ensure_host(suite: str, say: Say) -> None:
    values = {"PUBLIC_KEY": ssh.ensure_key(), "CA_PEM": pki.ensure_ca().read_text().strip()}
    _ensure_derived(host_image(suite), f"{IMAGES}-base:{suite}", "host", values, say)


def _ensure_infra(say: Say) -> None:
    _ensure_derived(infra_image(), f"{IMAGES}-base:{DEFAULT_SUITE}", "infra", {}, say)


def _ensure_derived(tag: str, parent: str, script: str, values: dict[str, str], say: Say) -> None:
    parent_id = inspect("image", parent, "{{.Id}}") or ""
    text = "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items()) + _script(script)
    made_from = fingerprint(parent_id, text)
    with _alone(tag):
        if _made_from(tag) != made_from:
            say(f"{script} image: building {tag}")
            _build(tag, parent, text, made_from)
            say(f"{script} image: ready")


@contextmanager
def _alone(tag: str) -> Iterator[None]:
    """While the context is entered, a second lab that wants the same image waits."""
    LOCKS.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (LOCKS / tag.replace(":", "-")).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _base_from_registry(suite: str, tag: str, made_from: str, say: Say) -> bool:
    global _no_registry
    if _no_registry:
        return False
    source = f"debian:{suite}-slim"
    was_there = inspect("image", source, "{{.Id}}") is not None
    if not was_there:
        say(f"base image: asking the registry for {source}")
        try:
            docker("pull", "--quiet", source, timeout=_PULL_SECONDS)
        except DockerError:
            say("base image: no registry answers")
            _no_registry = True
            return False
    say(f"base image: installing Debian {suite}'s server packages")
    _build(tag, source, f"PACKAGES={shlex.quote(' '.join(_PACKAGES))}\n{_script('base')}", made_from)
    if not was_there:
        docker("image", "rm", source)  # removes the name only: the base image has the same layers
    return True


def _base_from_packages(suite: str, tag: str, made_from: str, say: Say) -> None:
    if os.geteuid() != 0:
        raise LabError("no image registry answers, and only root can make the base image from Debian's packages")
    if not shutil.which("mmdebstrap"):
        engine.install(("mmdebstrap",), say)
    say(f"base image: bootstrapping Debian {suite} from its packages (20 to 60 s)")
    options = [
        "--variant=minbase",
        f"--include={','.join(_PACKAGES)}",
        "--skip=cleanup/apt/lists",  # so that the first apt-get update on a host has little to fetch
        '--aptopt=Acquire::Languages "none"',
    ]
    if suite == "forky":
        # Debian testing: its package index may be past its date of expiry.
        options.append('--aptopt=Acquire::Check-Valid-Until "false"')
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}-") as directory:
        tar = Path(directory) / "base.tar"
        done = engine.run_bounded(["mmdebstrap", *options, suite, str(tar)])
        if done.returncode:
            raise LabError(f"mmdebstrap {suite} failed: {' / '.join(done.stderr.strip().splitlines()[-3:])}")
        say("base image: importing")
        docker("import", *_changes(made_from), str(tar), tag, timeout=_BUILD_SECONDS)


def _build(tag: str, parent: str, script: str, made_from: str) -> None:
    """Runs a shell script in a container of `parent` and keeps the result as `tag`.

    Not `docker build`: nothing is left in a build cache, and every docker since 20.10 does the same.
    """
    name = f"{PREFIX}-build-{tag.partition(':')[0].rpartition('-')[2]}-{tag.partition(':')[2]}"
    if inspect("container", name, "{{.Id}}"):
        docker("rm", "--force", name)
    try:
        docker(
            # so that a build that goes wrong cannot take the machine down
            *("run", "--interactive", "--name", name, "--label", LABEL, "--pids-limit", "500"),
            *(parent, "sh", f"-{SHELL_OPTIONS}", "-s"),
            stdin=script,
            timeout=_BUILD_SECONDS,
        )
        docker("commit", *_changes(made_from), name, tag, timeout=_BUILD_SECONDS)
    except DockerError as error:
        raise LabError(f"building {tag} failed: {error}") from None
    finally:
        if inspect("container", name, "{{.Id}}"):
            docker("rm", "--force", name)


def _changes(made_from: str) -> list[str]:
    lines = (*_INIT_CHANGES, f"LABEL {LABEL} {INPUTS_LABEL}={made_from}")
    return [word for line in lines for word in ("--change", line)]


def _made_from(tag: str) -> str | None:
    return inspect("image", tag, f'{{{{index .Config.Labels "{INPUTS_LABEL}"}}}}')


def _script(name: str) -> str:
    return (SCRIPTS / f"{name}.sh").read_text()
