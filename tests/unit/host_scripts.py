"""The scripts of a host, run here on files made up for it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from gateway.onhost import scripts


def body(script: str) -> str:
    """The script's own text, without the functions that stand before it."""
    return (Path(scripts.__file__).parent / f"{script}.sh").read_text()


def functions(script: str) -> str:
    """The functions that stand before the script's own text."""
    return scripts.text(script).removesuffix(body(script))


def run(script: str, commands: str, home: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The functions that stand before the script's own text, then the commands; the gateway's folder is `home`."""
    return subprocess.run(
        ["bash", "-c", f"{functions(script)}\nhome={home} memory={home}/memory reloaded={home}/reloaded\n{commands}"],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
