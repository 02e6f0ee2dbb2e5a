"""Private keys that git tracks: every clone of the checkout has them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path, PurePosixPath

from gateway import file_content
from gateway.certificates import archive, pem
from gateway.checkout import git
from gateway.problems import Problem, printable

# Where keys arrive and are kept: these files anywhere in the checkout, and everything below files/certs/.
_CONTAINERS = (".pfx", ".p12", ".jks", ".zip")
_ENDINGS = (".pem", ".key", *_CONTAINERS)
KEY_NAME = re.compile(r"privkey\.pem|.*\.(?:key|pfx|p12|jks)", re.IGNORECASE)
_IN_THE_CLEAR = pem.KEYS - {"ENCRYPTED PRIVATE KEY"}
# No delivery of certificates is larger.
_MAX_BYTES = 8 << 20


def problems(files: Path) -> list[Problem]:
    """An error for each private key that git tracks below the current folder. Empty outside a git checkout.

    PEM keys with a passphrase may be tracked.
    """
    folder = files / "certs"
    patterns = [f":(icase)*{ending}" for ending in _ENDINGS]
    tracked = git.paths("ls-files", "-z", "--", str(folder), *patterns)
    return [
        Problem("", path.parent.name if folder in path.parents else "", "cert", _text(path))
        for path in tracked
        if _holds_key(path)
    ]


def _text(path: Path) -> str:
    name = shlex.quote(printable(str(path)))
    in_others = path.suffix.lower() in _CONTAINERS
    what = f"{name}, which holds a private key" if in_others else f"the private key {name} in the clear"
    return (
        f"git tracks {what}; take it out with git rm --cached {name}, and have the certificate reissued with a new "
        "key, because history keeps this one. python -m gateway import-cert --encrypt-to age1... stores a key that "
        "git may hold"
    )


def _holds_key(path: Path) -> bool:
    try:
        body = file_content.content(path, _MAX_BYTES)
    except (OSError, ValueError):  # gone from the checkout, so that only git has it
        body = None
    if body and path.suffix.lower() == ".zip":
        return _is_in_archive(str(path), body)
    return _is_key(path.name, body)


def _is_key(name: str, body: bytes | None) -> bool:
    """Whether a file is a private key without a passphrase: by content where that is PEM, else by name.

    An empty file is none. `body` is None where it cannot be read.
    """
    blocks = pem.blocks(body or b"")
    if blocks:
        return any(block.label in _IN_THE_CLEAR for block in blocks)
    return body != b"" and KEY_NAME.fullmatch(name) is not None


def _is_in_archive(name: str, body: bytes) -> bool:
    try:
        if any(KEY_NAME.fullmatch(PurePosixPath(inner).name) for inner in archive.names(name, body)):
            return True
        return any(_is_key(PurePosixPath(inner).name, content) for inner, content in archive.members(name, body, None))
    except archive.ArchiveError:  # nothing more can be told of it
        return False
