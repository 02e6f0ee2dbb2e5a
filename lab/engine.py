"""The Docker engine: the running one, or one that is installed and started where that is possible."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.errors import LabError
from lab.progress import Say
from lab.topology import STATE

RECORD = STATE / "dockerd.json"
_LOG = STATE / "dockerd.log"
_START_SECONDS = 60
_FETCH_SECONDS = 600
_STOP_SECONDS = 30


class DockerError(LabError):
    """A docker command failed; the message is docker's own."""


class _EndedAtOnceError(LabError):
    pass


def docker(*arguments: str, stdin: str | None = None, timeout: float = 120) -> str:
    """Runs a docker command and returns its standard output, stripped."""
    try:
        done = subprocess.run(
            ["docker", *arguments], input=stdin, capture_output=True, text=True, timeout=timeout, check=False
        )
    except FileNotFoundError:
        raise LabError("the docker command is not installed") from None
    except subprocess.TimeoutExpired:
        raise DockerError(f"docker {arguments[0]}: no answer within {timeout:.0f} s") from None
    if done.returncode:
        raise DockerError(f"docker {arguments[0]}: {done.stderr.strip() or f'exit {done.returncode}'}")
    return done.stdout.strip()


def inspect(kind: str, name: str, template: str) -> str | None:
    """What `docker KIND inspect NAME` prints with a Go template; None when there is no such object."""
    try:
        return docker(kind, "inspect", "--format", template, name)
    except DockerError as error:
        if "no such" in str(error).lower() or "not found" in str(error).lower():
            return None
        raise


def ensure(say: Say) -> None:
    """Sees that an engine answers. As root on Debian it is started, and before that installed, where it is missing.

    Raises LabError with what would be right where that is not possible.
    """
    problem = why_unreachable()
    if problem is None:
        return
    if "permission denied" in problem.lower():
        raise LabError(
            "the Docker engine runs, but this user may not use it: run as root, or as a member of the group docker"
        )
    elsewhere = os.environ.get("DOCKER_HOST") or os.environ.get("DOCKER_CONTEXT")
    if elsewhere:
        raise LabError(f"no Docker engine answers at {elsewhere}; unset it to use this machine's own. {problem}")
    if os.geteuid() != 0:
        raise LabError("no Docker engine answers: start it (systemctl start docker), or run as root")
    present = shutil.which("docker") and shutil.which("dockerd")
    if not present:
        install(("docker.io", "docker-cli", "iptables"), say)
    if not Path("/run/systemd/system").exists():
        start(say)
    elif present:
        # A service that someone stopped is not ours to start.
        raise LabError("the Docker engine is stopped; start it: systemctl start docker")
    else:
        _wait_until_it_answers(None, "see: systemctl status docker")  # installing it has started it


def why_unreachable() -> str | None:
    """Why no engine answers, in docker's words; None when one does."""
    try:
        docker("version", "--format", "{{.Server.Version}}", timeout=20)
    except LabError as error:
        return str(error)
    return None


def install(packages: tuple[str, ...], say: Say) -> None:
    """Installs those of the packages that this machine's Debian has. Raises LabError where that fails."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise LabError(f"please install {', '.join(packages)}: only root on Debian can let the lab do it")
    say(f"this machine: installing {', '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}

    def apt(*command: str) -> subprocess.CompletedProcess[str]:
        return run_bounded(command, environment)

    apt("apt-get", "update")  # may fail for one source of many; if that matters, the install fails
    known = [name for name in packages if apt("apt-cache", "show", name).returncode == 0]
    done = apt("apt-get", "install", "-y", "--no-install-recommends", *(known or packages))
    if done.returncode:
        raise LabError(f"apt-get install {' '.join(known or packages)} failed: {_last_lines(done.stderr)}")


def run_bounded(
    command: Sequence[str], environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a command that downloads, for ten minutes at most. The caller looks at its exit status."""
    try:
        return subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_FETCH_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LabError(f"{command[0]} did not end within {_FETCH_SECONDS} s: is the network slow?") from None


def start(say: Say) -> None:
    """Starts dockerd in a session of its own, so that it outlives this process, and remembers its pid."""
    say("docker engine: starting dockerd")
    STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
    for _ in range(2):
        # Right after a crash it may refuse to start until the former dockerd is gone.
        with contextlib.suppress(_EndedAtOnceError):
            return _start_once()
        time.sleep(2)
    return _start_once()


def _start_once() -> None:
    with _LOG.open("ab") as log:
        process = subprocess.Popen(
            ["dockerd"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )
    RECORD.write_text(json.dumps({"pid": process.pid, "started": _start_time(process.pid)}))
    _wait_until_it_answers(process, f"see {_LOG}")


def _wait_until_it_answers(process: subprocess.Popen[bytes] | None, hint: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while why_unreachable() is not None:
        if process is not None and process.poll() is not None:
            RECORD.unlink(missing_ok=True)
            raise _EndedAtOnceError(f"dockerd ended at once: {_last_lines(_LOG.read_text(errors='replace'))}")
        if time.monotonic() > deadline:
            raise LabError(f"the Docker engine does not answer after {_START_SECONDS} s; {hint}")
        time.sleep(0.2)


def stop(say: Say) -> None:
    """Stops the engine if the lab started it; any other process is left alone."""
    pid = started_by_lab()
    if pid is not None:
        say("docker engine: stopping the dockerd that the lab started")
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while started_by_lab() is not None:
            if time.monotonic() > deadline:
                raise LabError(f"dockerd (pid {pid}) does not end within {_STOP_SECONDS} s; see {_LOG}")
            time.sleep(0.1)
    RECORD.unlink(missing_ok=True)


def started_by_lab() -> int | None:
    """The pid of the lab's own dockerd, while that very process runs."""
    try:
        record = json.loads(RECORD.read_text())
        pid, started = int(record["pid"]), record["started"]
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return pid if name == "dockerd" and started is not None and _start_time(pid) == started else None


def _start_time(pid: int) -> str | None:
    """When a process started, in clock ticks since boot; None for a process that ended, zombies included.

    Pids are reused, pid and start time are not.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def _last_lines(text: str, count: int = 3) -> str:
    return " / ".join(text.strip().splitlines()[-count:]) or "no message"
