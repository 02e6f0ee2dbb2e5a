"""The folder of pages. A web server may serve it while it is written: every file is replaced as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gateway.handover import pages

# Stands in every file that is written here. A file without it is somebody else's.
MARK = "<!-- wecom-gateway overview -->"
INDEX = "index.html"
# The mark is within so many characters from the beginning.
_HEAD = 200


class OthersFileError(Exception):
    """A page's name is taken by a file that this command did not make; the text says which, and what helps."""


def page_name(domain: str) -> str:
    """The file of a site's page."""
    return f"{domain}.html"


def refuse_others(folder: Path, names: Iterable[str]) -> None:
    """Raises OthersFileError where somebody else's file has one of the names, NotADirectoryError where `folder` is no
    folder, OSError where it cannot be read."""
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(20, "Not a directory")
    for name in names:
        path = folder / name
        if (path.is_symlink() or path.exists()) and not _is_own(path):
            raise OthersFileError(f"{path}: is not a page of overview and stays; name another folder, or move it away")


def write(folder: Path, files: Iterable[tuple[str, str]]) -> list[str]:
    """Writes the pages, by name, and returns their names. Somebody else's file is never replaced.

    Raises OSError or OthersFileError.
    """
    names = []
    for name, text in files:
        refuse_others(folder, [name])
        pages.write(folder, {name: text})
        names.append(name)
    return names


def remove_gone(folder: Path, names: Iterable[str]) -> list[str]:
    """Removes pages of this command that have none of the names. Returns the removed ones. Raises OSError."""
    kept = set(names)
    gone = [path for path in sorted(folder.glob("*.html")) if path.name not in kept and _is_own(path)]
    for path in gone:
        path.unlink()
    return [path.name for path in gone]


def _is_own(path: Path) -> bool:
    """Whether this command made it. A link or pipe is no page."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        return MARK in file.read(_HEAD)
