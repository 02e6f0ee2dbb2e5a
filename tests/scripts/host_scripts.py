"""The scripts of a host, run here on files made up for it."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from pathlib import Path

from gateway.nginx.release import Release
from gateway.onhost import scripts
from gateway.onhost.constants import HOME, NGINX_HOME, VARIABLE_HOME


def body(script: str) -> str:
    """The script's own text, without the functions that stand before it."""
    return (Path(scripts.__file__).parent / f"{script}.sh").read_text()


def upload(release: Release) -> tuple[str, str, str]:
    """The arguments of the script `publish`, the id and the archive's digest, and its standard input."""
    archive = release.archive()
    return release.id, hashlib.sha256(archive).hexdigest(), base64.b64encode(archive).decode()


def relocated(script: str, nginx_home: Path, home: Path | None = None) -> str:
    """The script with other folders in the place of nginx's and of the gateway's own, which is usually in nginx's."""
    moved = {
        HOME: str(home or nginx_home / "wecom-gateway"),
        NGINX_HOME: str(nginx_home),
        VARIABLE_HOME: str(nginx_home / "variable"),
    }
    constants, start, rest = scripts.text(script).partition("# Stands before every other script")
    for old, new in moved.items():
        constants = constants.replace(old, new)
    return constants + start + rest


def functions(script: str, nginx_home: Path, home: Path | None = None) -> str:
    """What stands before the script's own text, relocated."""
    return relocated(script, nginx_home, home).removesuffix(body(script))


def run(script: str, commands: str, home: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """The functions that stand before the script's own text, then the commands; the gateway's folder is `home`."""
    before = functions(script, Path(NGINX_HOME), home)
    return subprocess.run(
        ["bash", "-c", f"{before}\nmemory={home}/memory reloaded={home}/reloaded\n{commands}"],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
