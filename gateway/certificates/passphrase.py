"""The passphrase of protected keys and archives, which an operator gives in the environment."""

from __future__ import annotations

import os

PASSPHRASE_VARIABLE = "GATEWAY_KEY_PASSPHRASE"  # noqa: S105  -- a name, no secret


def given() -> bytes | None:
    """The passphrase. None where the variable is missing or empty."""
    value = os.environ.get(PASSPHRASE_VARIABLE)
    return os.fsencode(value) if value else None
