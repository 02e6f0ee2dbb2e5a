"""How the rendered trees are kept in trees/: one folder for each inventory.

`<nginx>.manifest` lists every file with its mode and digest, and is compared first. The text of what nginx reads is
kept beside it, so that a difference can be read: `<path>` where all four nginxes get the same, else `<path>@<nginx>`.
The scripts of a release are the same for everybody and have tests of their own; they are left out.
"""

from __future__ import annotations

import re
import shutil
from hashlib import sha256
from pathlib import Path

from gateway.nginx import tree
from gateway.nginx.release import BUILD, File

from . import inventories

FOLDER = Path(__file__).parent / "trees"


def rendered(name: str, version: str) -> dict[str, File]:
    """The files of an inventory's release for an nginx, the placeholder in place of its id, less scripts."""
    inventory = inventories.INVENTORIES[name]
    files = tree.tree(inventories.host(inventory), inventories.build(inventory, version))
    return {path: file for path, file in files.items() if not path.endswith((".sh", ".pl")) and path != BUILD}


def manifest(files: dict[str, File]) -> str:
    """A line for each file: mode, digest, path."""
    lines = (f"{file.shown_mode} {sha256(file.body).hexdigest()} {path}\n" for path, file in sorted(files.items()))
    return "".join(lines)


def kept_manifest(name: str, version: str) -> str:
    """The manifest as it is kept."""
    return (FOLDER / name / f"{version}.manifest").read_text(encoding="utf-8")


def kept_text(name: str, version: str, path: str) -> str | None:
    """The text of a file as it is kept. None where there is none."""
    for place in (FOLDER / name / f"{path}@{version}", FOLDER / name / path):
        if place.is_file():
            return place.read_text(encoding="utf-8")
    return None


def is_text(path: str) -> bool:
    """Whether the file's text is kept: what nginx and the host's own scripts read, one site of 120 alike."""
    return not path.startswith(("verify/", "certs/", "units/")) and not re.fullmatch(r"sites/s(?!000)\d+\..*", path)


def write() -> None:
    """Keeps what is rendered now; git shows what that changed."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    for name in inventories.INVENTORIES:
        trees = {version: rendered(name, version) for version in inventories.NGINX}
        for version, files in trees.items():
            _put(FOLDER / name / f"{version}.manifest", manifest(files))
            for path, file in files.items():
                if is_text(path):
                    same = len({other[path].body if path in other else b"" for other in trees.values()}) == 1
                    _put(FOLDER / name / (path if same else f"{path}@{version}"), file.body.decode())


def _put(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
