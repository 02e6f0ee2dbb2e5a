"""The scripts that run on a host: constants, without any value in them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent

# Files of functions that a script needs besides common.sh, which all of them have.
_ALSO = {
    "state": ("listing", "candidate", "neighbours"),
    "manifest": ("listing",),
    "activate": ("addresses", "candidate", "acme", "housekeeping"),
    "resolve": ("addresses", "pauses"),
    "obtain": ("authority", "acme", "housekeeping"),
    "renew": ("authority", "acme", "housekeeping"),
    "health": ("candidate",),
    "dpkg": ("candidate",),
}


@cache
def text(name: str) -> str:
    """One script as it runs under bash: the functions that it needs, then `name`.sh."""
    return "".join((_HERE / f"{part}.sh").read_text() for part in ("common", *_ALSO.get(name, ()), name))
