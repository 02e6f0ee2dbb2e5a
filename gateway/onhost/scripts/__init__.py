"""The scripts that run on a host, with no value of an inventory in them: the same text on every host whose nginx is
Debian's, and with other constants where the host's nginx has other places."""

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
    "state": ("listing", "aside", "candidate", "neighbours", "which_nginx", "packages"),
    "manifest": ("listing",),
    "activate": ("addresses", "aside", "candidate", "acme", "housekeeping"),
    "resolve": ("addresses", "pauses"),
    "obtain": ("authority", "acme", "housekeeping"),
    "renew": ("authority", "acme", "housekeeping"),
    "health": ("candidate",),
    "metrics": ("listing", "addresses"),
    "dpkg": ("candidate",),
    "withdraw": ("aside", "candidate"),
}


# The value of a shell variable: a tuple becomes an array.
Value = str | int | tuple[str, ...]


@cache
def text(name: str, places: tuple[tuple[str, Value], ...] = ()) -> str:
    """One script as it runs under bash: the constants that it uses, the functions that it needs, then `name`.sh.

    `places` are the constants that are others on this host, by their names in FOR_SCRIPTS.
    """
    parts = "".join((_HERE / f"{part}.sh").read_text("utf-8") for part in ("common", *PARTS.get(name, ()), name))
    return prelude(_used(parts, {**FOR_SCRIPTS, **dict(places)})) + parts


@cache
def perl(name: str) -> str:
    """One script as it runs under perl, which is there wherever dpkg is."""
    return (_HERE / f"{name}.pl").read_text("utf-8")


def prelude(constants: Mapping[str, Value]) -> str:
    """One assignment a line, `name=value`, each value quoted for bash; a tuple becomes an array."""
    return "".join(f"{name}={_quoted(value)}\n" for name, value in constants.items())


def _quoted(value: Value) -> str:
    return f"({' '.join(map(shlex.quote, value))})" if isinstance(value, tuple) else shlex.quote(str(value))


def _used(script: str, constants: Mapping[str, Value]) -> dict[str, Value]:
    code = re.sub(r"^\s*#.*", "", script, flags=re.MULTILINE)
    words = set(re.findall(r"\w+", code))
    return {name: value for name, value in constants.items() if name in words}
