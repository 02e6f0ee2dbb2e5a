"""A file of the checkout, read within bounds, and what it may turn out to be."""

from __future__ import annotations

import stat
from pathlib import Path

_KINDS = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
_UTF8_BOM, _UTF16_BOMS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")


def content(path: Path, most: int) -> bytes:
    """The bytes of a file, as many as show whether there are more than `most`.

    Raises ValueError where it is no regular file, OSError where it cannot be read.
    """
    # before it is opened: a pipe would be waited for, a device could do anything
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        kind = next((name for matches, name in _KINDS if matches(mode)), "a device")
        raise ValueError(f"is {kind}, no regular file")
    with path.open("rb") as file:
        return file.read(most + 1)


def as_utf8(body: bytes) -> bytes:
    """Without the byte order mark, and the UTF-16, that editors of Windows write."""
    if body.startswith(_UTF16_BOMS):
        return body.decode("utf-16", errors="replace").encode()
    return body.removeprefix(_UTF8_BOM)


def is_web_page(body: bytes) -> bool:
    """Whether it is what a console shows to who is not logged in."""
    start = as_utf8(body).lstrip()[:256].lower()
    return start.startswith(b"<") or b"<html" in start
