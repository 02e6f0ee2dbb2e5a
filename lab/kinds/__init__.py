"""Hosts that are not bare: what people have on a server before a gateway comes, one shell script for each kind.

Every script turns a fresh "stocked" host (see `lab.up`) into one that serves somebody's pages and goes on doing so
after a reboot. What a kind is stands at the top of its script.
"""

import subprocess
from pathlib import Path

from lab.errors import LabError
from lab.topology import container

_SCRIPTS = Path(__file__).resolve().parent
COMMON = "common"
_SECONDS = 120


def names() -> list[str]:
    """The kinds of hosts that there are, by name."""
    return sorted(path.stem for path in _SCRIPTS.glob("*.sh") if path.stem != COMMON)


def path(name: str) -> Path:
    """The file of a kind, or of what stands before each of them."""
    return _SCRIPTS / f"{name}.sh"


def text(kind: str) -> str:
    """The script of a kind as it runs under bash."""
    return path(COMMON).read_text() + path(kind).read_text()


def prepare(host: str, kind: str) -> None:
    """Turns a host that has just been brought up into one of `kind`. Raises LabError where that fails."""
    if kind not in names():
        raise LabError(f"{kind}: the lab knows no such kind of host; there are {', '.join(names())}")
    done = subprocess.run(
        ["docker", "exec", "--interactive", container(host), "bash", "-s"],
        input=text(kind),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        raise LabError(f"{host}: making it a host of the kind {kind} failed: {done.stderr.strip()}")
