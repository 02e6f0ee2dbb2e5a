"""Writes the folder of an operator who begins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gateway.starter import texts

# What may lie in a folder that counts as empty: a repository that was cloned from a forge, and where the product runs.
_BESIDE = (".git", ".venv")


class FolderError(Exception):
    """The folder cannot be begun; the message is one sentence that says why."""


def write(folder: Path, *, inventory: Mapping[str, str] | None = None, platforms: str = "") -> list[Path]:
    """Writes a repository of the operator's own into `folder`, which is made where it is not there.

    `inventory` is texts by file name that stand in place of all examples of inventory/; `platforms` comes to the end of
    group_data/all.py. Returns the paths written, in the order of names.
    Raises FolderError where the folder is not empty or cannot be written; it is as it was then.
    """
    contents = texts.shipped()
    if inventory is not None:
        contents = {name: text for name, text in contents.items() if not name.startswith("inventory/")}
        contents |= {f"inventory/{name}": text for name, text in inventory.items()}
    if platforms:
        contents[texts.PLATFORMS] += f"\n{platforms}"
    made: list[Path] = []
    try:
        _make(folder, made)
        if any(path.name not in _BESIDE for path in folder.iterdir()):
            raise FolderError(f"{folder}: is not empty; name a new folder")
        for name, text in sorted(contents.items()):
            path = folder / name
            _make(path.parent, made)
            with path.open("xb") as file:
                made.append(path)
                file.write(text.encode())
            if path.suffix == ".sh":
                mode = path.stat().st_mode
                path.chmod(mode | (mode & 0o444) >> 2)  # whoever may read it may run it
    except OSError as error:
        _take_back(made)
        raise FolderError(f"{folder}: cannot be written: {error.strerror}; name another folder") from None
    except FolderError:
        _take_back(made)
        raise
    return [folder / name for name in sorted(contents)]


def _make(folder: Path, made: list[Path]) -> None:
    """Makes the folder and those above it that are missing, and adds them to `made`."""
    if folder.is_dir():
        return
    _make(folder.parent, made)
    folder.mkdir()
    made.append(folder)


def _take_back(made: list[Path]) -> None:
    for path in reversed(made):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
