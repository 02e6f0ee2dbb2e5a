"""The lock of a repository of the operator's own: the product by its version, what it depends on by hash."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import metadata

from gateway import product

# The product is in no index, so pip cannot take it from here: ci/setup.sh reads this line.
_HEAD = """\
# What deploys from here: wecom-gateway by its version, the packages that it needs by hash. ci/setup.sh installs both.
# {name}=={version}
"""
_NAME = re.compile(r"[\w.-]+")
_OF_AN_EXTRA = re.compile(r"\bextra\s*==")


def text(checkout: str) -> str:
    """The lock that belongs to this product, out of the text of its checkout's, which has the developers' tools too."""
    entries = re.findall(r"(?m)^\S.*\n(?:[ \t].*\n)*", checkout)
    needed = _needed(product.dependencies())
    kept = [entry for entry in entries if _name(entry) in needed]
    return _HEAD.format(name=product.NAME, version=product.version()) + "".join(kept)


def _needed(requirements: Iterable[str]) -> set[str]:
    """The packages that requirements name, and those that they need in turn, whatever the system and Python."""
    found: set[str] = set()
    waiting = list(requirements)
    while waiting:
        requirement = waiting.pop()
        name = _name(requirement)
        if name in found or _OF_AN_EXTRA.search(requirement):
            continue
        found.add(name)
        try:
            waiting += metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # another system or Python needs it
    return found


def _name(requirement: str) -> str:
    """The package that a requirement begins with, as locks write it."""
    named = _NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", named[0]).lower() if named else ""
