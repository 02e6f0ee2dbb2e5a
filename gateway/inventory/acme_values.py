"""Values of an entry's `cert`, checked one by one: each function raises ValueError with what is right."""

from __future__ import annotations

import re
from typing import Any

from gateway.problems import shown

# The ACME directory of an entry that names none.
LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"

_DIRECTORY = re.compile(r"https://([^/\s]+)(?:/[A-Za-z0-9._~-]*)*")
_MAILBOX = re.compile(r"[A-Za-z0-9._%+-]{1,64}")
_FILE = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")


def authority(directory: str) -> str:
    """Host and port, both unchecked, of an ACME directory's URL (RFC 8555, 7.1.1)."""
    match = _DIRECTORY.fullmatch(directory)
    if not match:
        raise ValueError(
            f'"{shown(directory)}" is not the https URL of an ACME directory; for example "{LETS_ENCRYPT}"'
        )
    return match[1]


def mail_domain(email: str) -> str:
    """The domain of an e-mail address in lower case, unchecked."""
    name, _, domain = email.rpartition("@")
    if not _MAILBOX.fullmatch(name):
        raise ValueError(f'"{shown(email)}" is not an e-mail address; right would be "ops@school.edu.cn"')
    return domain.lower()


def file_path(value: str) -> str:
    """A path inside the checkout, relative to its top folder."""
    if not _FILE.fullmatch(value) or ".." in value.split("/"):
        raise ValueError(f'"{shown(value)}" is not a path inside the checkout; right would be "files/acme/ca.pem"')
    return value


def cert(value: Any) -> Any:
    """The dict that an entry's `cert` stands for: {} for "files", or the dict with "acme" itself."""
    if value == "files":
        return {}
    if not isinstance(value, dict) or "acme" not in value:
        right = "'files' or {'acme': {'email': 'ops@school.edu.cn'}}"
        raise ValueError(f"{shown(repr(value))} is not possible; right would be {right}")
    return value
