"""Private keys encrypted with age (https://age-encryption.org); they are encrypted and decrypted in memory only."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pyrage

from gateway.problems import shown

IDENTITY_FILE = "GATEWAY_AGE_KEY_FILE"
_DEFAULT = "~/.config/gateway/age.key"


def identity_file() -> Path:
    """The file with the operator's age identities; "~" in it is not expanded."""
    return Path(os.environ.get(IDENTITY_FILE) or _DEFAULT)


def decrypt(data: bytes, name: str) -> bytes:
    """The content of an age file, binary or armored, which messages call `name`.

    Raises ValueError with what is missing or wrong and what would be right.
    """
    path, identities = _identities(name)
    try:
        opened: bytes = pyrage.decrypt(data, identities)
    except pyrage.DecryptError as error:
        if "matching keys" in str(error):
            raise ValueError(
                f"{name} is not encrypted to the age identity in {path}; name the right one in {IDENTITY_FILE}, "
                "or have the key imported again with this identity's --encrypt-to age1..."
            ) from None
        raise ValueError(f"{name} is damaged or no age file; import the certificate again") from None
    return opened


def encrypt(data: bytes, recipients: Sequence[str]) -> bytes:
    """An age file that any of the recipients (age1...) can open. Raises ValueError naming a wrong one."""
    closed: bytes = pyrage.encrypt(data, [_recipient(text) for text in recipients])
    return closed


def _recipient(text: str) -> pyrage.x25519.Recipient:
    if "AGE-SECRET-KEY-" in text.upper():
        raise ValueError("that is an age identity, which is secret; give its public half, which starts with age1")
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except (pyrage.RecipientError, UnicodeError):
        raise ValueError(
            f'"{shown(text)}" is no age recipient; right would be age1... as age-keygen prints it'
        ) from None


def _identities(name: str) -> tuple[Path, list[pyrage.x25519.Identity]]:
    """The path of the identities' file, and the identities in it, for the age file `name`. Raises ValueError."""
    named = os.environ.get(IDENTITY_FILE)
    path = identity_file()
    try:
        path = path.expanduser()
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except RuntimeError:  # what pathlib raises where it cannot find the home folder
        raise ValueError(
            f"{name} is encrypted and the home folder in {path} is not known; name the age identity's file by its "
            f"whole path in {IDENTITY_FILE}"
        ) from None
    except FileNotFoundError:
        where = f"{IDENTITY_FILE} names {path}, which is not there" if named else f"there is no {_DEFAULT}"
        raise ValueError(
            f"{name} is encrypted and {where}; put the age identity's file there or name it in {IDENTITY_FILE}"
        ) from None
    except OSError as error:
        raise ValueError(f"the age identity {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(_no_identity(path)) from None
    texts = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    try:
        found = [pyrage.x25519.Identity.from_str(text) for text in texts]
    except pyrage.IdentityError:
        raise ValueError(_no_identity(path)) from None
    if not found:
        raise ValueError(_no_identity(path))
    return path, found


def _no_identity(path: Path) -> str:
    return f"{path} holds no age identity; right would be a line AGE-SECRET-KEY-1..., as age-keygen writes it"
