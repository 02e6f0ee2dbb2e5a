"""What stands in a repository of the operator's own at the beginning: every file, by its path."""

from __future__ import annotations

import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway import product
from gateway.starter import lock

_HERE = Path(__file__).parent
# Written for such a repository alone.
_OWN = _HERE / "files"
# The checkout's own files that stand in it as they are, by their paths in both. An installed package holds copies
# (pyproject.toml, force-include), a checkout has them in its top folder.
FROM_CHECKOUT = (
    ".gitignore",
    "config.py",
    "deploy.py",
    "files/ca/README.md",
    "files/certs/README.md",
    "files/nginx/README.md",
    "files/verify/README.md",
    "group_data",
    "inventory/prod.py",
    "inventory/test.py",
    "rollback.py",
)
_LOCK = "requirements.lock"
PLATFORMS = "group_data/all.py"


def shipped() -> dict[str, str]:
    """The text of every file, by its path."""
    top = _top()
    paths = {name: path for root in FROM_CHECKOUT for name, path in _files(top / root, top)}
    paths |= dict(_files(_OWN, _OWN))
    found = {name: path.read_bytes().decode() for name, path in paths.items()}
    return found | {_LOCK: lock.text((top / _LOCK).read_text("utf-8"))}


def platforms() -> Mapping[str, Mapping[str, Any]]:
    """The platforms that are shipped, by name."""
    found: Mapping[str, Mapping[str, Any]] = runpy.run_path(str(_top() / PLATFORMS))["platforms"]
    return found


def _top() -> Path:
    return product.checkout() or _HERE / "checkout"


def _files(path: Path, top: Path) -> list[tuple[str, Path]]:
    """The file, or every file of the folder that is no compiled one, with its path from `top`."""
    files = [path] if path.is_file() else sorted(path.rglob("*"))
    return [(one.relative_to(top).as_posix(), one) for one in files if one.is_file() and "__pycache__" not in one.parts]
