"""Reading a file that an operator put into the checkout, whatever it may turn out to be."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_KINDS = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
_UTF8_BOM, _UTF16_BOMS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")


def content(path: Path, most: int) -> bytes:
    """The first `most` + 1 bytes of a file: a longer result than `most` means that the file is too large.

    Raises ValueError where it is no regular file, OSError where it cannot be read.
    """
    # looked at before it is opened: opening a pipe would wait for its writer, a device could do anything
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        kind = next((name for matches, name in _KINDS if matches(mode)), "a device")
        raise ValueError(f"is {kind}, no regular file")
    with path.open("rb") as file:
        return file.read(most + 1)


def inside(path: Path, root: Path) -> Path:
    """The file that `path` leads to, links followed.

    Raises ValueError where it is not within the folder `root`, OSError where it leads nowhere.
    """
    real = Path(os.path.realpath(path, strict=True))
    if not real.is_relative_to(root.resolve()):
        raise ValueError(f"is a link to {real}, outside of {root}, and would publish it")
    return real


def as_utf8(body: bytes) -> bytes:
    """The text without a byte order mark, and UTF-16 as UTF-8: editors on Windows write both."""
    if body.startswith(_UTF16_BOMS):
        return body.decode("utf-16", errors="replace").encode()
    return body.removeprefix(_UTF8_BOM)


def is_web_page(body: bytes) -> bool:
    """Whether it is HTML: a download by somebody who was not logged in saves the login page instead."""
    start = as_utf8(body).lstrip()[:256].lower()
    return start.startswith(b"<") or b"<html" in start
