"""Private keys that git has taken in, where every clone of the checkout carries them on."""

from __future__ import annotations

import re
from pathlib import Path

from gateway import git, pem
from gateway.problems import Problem

_KEY_NAME = re.compile(r"privkey\.pem|.*\.key")
_MAX_BYTES = 1 << 20


def problems(files: Path) -> list[Problem]:
    """An error for each plaintext private key below files/certs/ that git tracks. Empty outside a git checkout."""
    tracked = git.paths("ls-files", "-z", "--", str(files / "certs"))
    return [
        Problem(
            "",
            path.parent.name,
            "cert",
            f"git tracks the private key {path} in the clear; take it out with git rm --cached {path}, and have the "
            "certificate reissued with a new key, because history keeps this one. "
            "python -m gateway import-cert --encrypt-to age1... stores a key that git may hold",
        )
        for path in tracked
        if _is_key(path)
    ]


def _is_key(path: Path) -> bool:
    """By content, or by name where the file is gone from the checkout and only git has it."""
    try:
        with path.open("rb") as file:
            return bool(pem.of(file.read(_MAX_BYTES), pem.KEYS - {"ENCRYPTED PRIVATE KEY"}))
    except OSError:
        return _KEY_NAME.fullmatch(path.name) is not None
