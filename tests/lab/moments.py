"""Being on a host at one exact moment of a deploy: a script that runs before one of its commands does."""

from __future__ import annotations

import subprocess

from lab import topology

from .checkout import on_host

_FOLDER = "/usr/local/sbin"  # root's shells and systemd look there first


def before(host: str, command: str, script: str) -> None:
    """Has `script` run before each call of `command`; "$@" are its arguments. `let_be` ends it."""
    real = on_host(host, f"PATH=/usr/sbin:/usr/bin command -v {command}").strip()
    subprocess.run(
        [
            *("docker", "exec", "-i", topology.container(host), "bash", "-c"),
            f"cat >{_FOLDER}/{command}; chmod 755 {_FOLDER}/{command}",
        ],
        input=f'#!/bin/bash\n{script}\nexec {real} "$@"\n',
        text=True,
        check=True,
    )


def let_be(host: str, command: str = "*") -> None:
    """The command alone again; every command without one named."""
    on_host(host, f"rm -f {_FOLDER}/{command}")
