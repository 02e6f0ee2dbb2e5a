"""Secret files that other users of this machine may read or change, judged as OpenSSH judges its private keys."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gateway.certificates import key_store
from gateway.problems import Problem


def mode_warning(path: Path) -> str | None:
    """What is wrong with a secret file's mode, and how to set it right. None where only its owner has access."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # reported where the file is needed
        return None
    if not stat.S_ISREG(mode) or not mode & (stat.S_IRWXG | stat.S_IRWXO):
        return None
    name = shlex.quote(str(path))
    return f"other users of this machine may read or change {name} (mode {mode & 0o777:04o}): chmod 600 {name}"


def warnings(ssh_keys: Iterable[Any], files: Path) -> list[Problem]:
    """A warning for each SSH key whose mode is wrong, and for the age identity where a key under `files` needs it.

    `ssh_keys` are paths as an inventory has them; what is no text is passed over.
    """
    named = [("ssh_key", key) for key in dict.fromkeys(key for key in ssh_keys if isinstance(key, str) and key)]
    if any((files / "certs").glob("*/privkey.pem.age")):
        named.append((key_store.IDENTITY_FILE, str(key_store.identity_file())))
    found = []
    for field, name in named:
        path = Path(os.path.expanduser(name))  # noqa: PTH111  unlike Path it does not raise without a home folder
        if text := mode_warning(path):
            found.append(Problem("", "", field, text, "warning"))
    return found
