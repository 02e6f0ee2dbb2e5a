"""Domain verification files: what the platforms' administrators download and send on.

A file is a name and bytes. Only for the WW_ (WeCom) and MP_ (official account) families does the name
tell the body: 16 letters or digits, the same in both. Mini-program and web-app files have a random name
and an unrelated body, so nothing can be checked but that they are no web page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from gateway import file_content

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\.txt")
_FAMILY = re.compile(r"(?:WW|MP)_verify_([A-Za-z0-9]{16})\.txt")
FAMILY_START = re.compile(r"(?:WW|MP)_verify_", re.IGNORECASE)
_BOM = b"\xef\xbb\xbf"
_MAX_BYTES = 16 * 1024


@dataclass(frozen=True)
class VerifyFile:
    """A file to serve at the domain's root. `notice` says what was repaired in it, empty where nothing was."""

    name: str
    body: bytes
    notice: str = ""

    @property
    def has_family_name(self) -> bool:
        """True for WW_ and MP_ files, whose names nobody else uses."""
        return _FAMILY.fullmatch(self.name) is not None


def read(name: str, body: bytes) -> VerifyFile:
    """Checks one file and drops what editors add to WW_ and MP_ files.

    Raises ValueError with what is wrong and what would be right.
    """
    if not _NAME.fullmatch(name):
        raise ValueError('the name must be letters, digits, "_", "-" and "." and end in ".txt"; keep it as downloaded')
    if len(body) > _MAX_BYTES:
        raise ValueError(f"is larger than any verification file (at most {_MAX_BYTES} bytes); download it again")
    if file_content.is_web_page(body):
        raise ValueError("is a web page, saved while not logged in; download the file again in the WeCom admin console")
    if not body.strip():
        raise ValueError("is empty; download it again")
    if not FAMILY_START.match(name):
        return VerifyFile(name, body)
    family = _FAMILY.fullmatch(name)
    if not family:
        raise ValueError(
            'is not named as WeCom names it: "WW_verify_" or "MP_verify_", 16 letters or digits, ".txt"; '
            "undo the browser's renaming"
        )
    wanted = family.group(1).encode()
    clean = body.removeprefix(_BOM).strip()
    if clean != wanted:
        raise ValueError(
            f'name and body disagree: the body must be exactly "{wanted.decode()}"; '
            "download the file again and do not edit or rename it"
        )
    if clean != body:
        return VerifyFile(name, clean, "dropped a byte order mark or white space that an editor added")
    return VerifyFile(name, clean)


def content(path: Path, root: Path) -> bytes:
    """A file's bytes, as many as show whether it is too large. Links are followed within `root`.

    Raises ValueError where it is no regular file there, OSError where it cannot be read.
    """
    try:
        real = file_content.inside(path, root)
    except ValueError as error:
        raise ValueError(f"{error}; put the verification file there itself") from None
    try:
        return file_content.content(real, _MAX_BYTES)
    except ValueError as error:
        raise ValueError(f"{error}; put the verification file there as downloaded") from None


def paths(folder: Path) -> list[Path]:
    """The files of one domain in name order; hidden ones (.gitkeep, .DS_Store) do not count.

    Empty where there is no such folder. Raises OSError where it cannot be read.
    """
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []
