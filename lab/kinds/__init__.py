"""Hosts that are not bare: what people have on a server before a gateway comes, one shell script for each kind.

Every script turns a fresh "stocked" host (see `lab.up`) into one that serves somebody's pages and goes on doing so
after a reboot. What a kind is stands at the top of its script.
"""

import subprocess
from pathlib import Path

from lab.errors import LabError
from lab.topology import container

_SCRIPTS = Path(__file__).resolve().parent
_COMMON = "common"
_SECONDS = 120


def names() -> list[str]:
    """The kinds of hosts that there are, by name."""
    return sorted(path.stem for path in _SCRIPTS.glob("*.sh") if path.stem != _COMMON)


def prepare(host: str, kind: str) -> None:
    """Turns a host that has just been brought up into one of `kind`. Raises LabError where that fails."""
    if kind not in names():
        raise LabError(f"{kind}: the lab knows no such kind of host; there are {', '.join(names())}")
    script = "".join((_SCRIPTS / f"{name}.sh").read_text() for name in (_COMMON, kind))
    done = subprocess.run(
        ["docker", "exec", "--interactive", container(host), "bash", "-s"],
        input=script,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        raise LabError(f"{host}: making it a host of the kind {kind} failed: {done.stderr.strip()}")
