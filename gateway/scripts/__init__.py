"""The scripts that run on a host: constants, without any value in them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent


@cache
def text(name: str) -> str:
    """One script as it runs under bash: what all of them share, then `name`.sh."""
    return "".join((_HERE / f"{part}.sh").read_text() for part in ("common", name))
