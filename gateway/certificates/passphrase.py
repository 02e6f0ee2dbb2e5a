"""The passphrase of protected keys and archives: an environment variable."""

from __future__ import annotations

import os

PASSPHRASE_VARIABLE = "GATEWAY_KEY_PASSPHRASE"  # noqa: S105  -- a name, no secret


def from_environment() -> bytes | None:
    """The passphrase that the operator has set. None where the variable is missing or empty."""
    value = os.environ.get(PASSPHRASE_VARIABLE)
    return os.fsencode(value) if value else None
