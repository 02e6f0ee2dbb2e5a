"""The scripts that run on a host: the same text on every host, with no value of an inventory in it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from gateway.onhost.constants import FOR_SCRIPTS

_HERE = Path(__file__).parent

# Files of functions that a script needs besides common.sh, which all of them have.
PARTS = {
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
    """One script as it runs under bash: the constants that it uses, the functions that it needs, then `name`.sh."""
    parts = "".join((_HERE / f"{part}.sh").read_text() for part in ("common", *PARTS.get(name, ()), name))
    return prelude(_used(parts)) + parts


@cache
def perl(name: str) -> str:
    """One script as it runs under perl, which every Debian has."""
    return (_HERE / f"{name}.pl").read_text()


def prelude(constants: Mapping[str, str | int | tuple[str, ...]]) -> str:
    """One assignment a line, `name=value`, each value quoted for bash; a tuple becomes an array."""
    return "".join(f"{name}={_quoted(value)}\n" for name, value in constants.items())


def _quoted(value: str | int | tuple[str, ...]) -> str:
    return f"({' '.join(map(shlex.quote, value))})" if isinstance(value, tuple) else shlex.quote(str(value))


def _used(script: str) -> dict[str, str | int | tuple[str, ...]]:
    code = re.sub(r"^\s*#.*", "", script, flags=re.MULTILINE)
    words = set(re.findall(r"\w+", code))
    return {name: value for name, value in FOR_SCRIPTS.items() if name in words}
