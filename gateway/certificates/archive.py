"""Zip files as authorities and cloud consoles hand them out, read in memory.

Nothing in them is trusted: no file is written to a path that the archive names, and sizes are counted while reading.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath, PureWindowsPath

from gateway.certificates.passphrase import PASSPHRASE_VARIABLE

MAGIC = b"PK\x03\x04"

# Flag bits (APPNOTE.TXT 4.4.4), and the compression methods that are read (4.4.5). AES has a method number of its own.
_PROTECTED, _UTF8 = 0x1, 0x800
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}

_MAX_MEMBERS = 200
_MAX_MEMBER_BYTES = 1 << 20
_MAX_TOTAL_BYTES = 8 << 20


class ArchiveError(Exception):
    """The archive is refused; the message says why and what would be right."""


def names(name: str, data: bytes) -> list[str]:
    """The paths of all files in the archive, as it names them; no password is needed. Raises ArchiveError."""
    with _opened(name, data) as archive:
        return [_name(entry) for entry in archive.infolist() if not entry.is_dir()]


def members(name: str, data: bytes, password: bytes | None) -> Iterator[tuple[str, bytes]]:
    """Path and content of every file in the archive, which is called `name` in messages.

    Raises ArchiveError where the archive cannot be read, `password` does not open it, it is larger than certificates
    ever are, or a path leads out of it.
    """
    total = 0
    with _opened(name, data) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(entries) > _MAX_MEMBERS:
            raise ArchiveError(f"{name} holds {len(entries)} files; unpack it and name those of the certificate")
        for entry in entries:
            inner = _name(entry)
            if _leads_out(inner):
                raise ArchiveError(f"{name} holds a path that leads out of it; download it again")
            if entry.compress_type not in _METHODS:
                raise ArchiveError(f"{name} is packed in a way that is not known here; unpack it first")
            body = _content(archive, entry, password)
            total += len(body)
            if len(body) > _MAX_MEMBER_BYTES or total > _MAX_TOTAL_BYTES:
                raise ArchiveError(
                    f"{name} is too large when unpacked ({inner}); name the files of the certificate alone"
                )
            yield inner, body


@contextmanager
def _opened(name: str, data: bytes) -> Iterator[zipfile.ZipFile]:
    """Opens the archive. Whatever zipfile raises while it is open becomes an ArchiveError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield archive
    except RuntimeError:  # what zipfile raises where the password is missing or wrong
        raise ArchiveError(
            f"{name} is protected by a password; put it into {PASSPHRASE_VARIABLE}, or unpack it first"
        ) from None
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, IndexError, OverflowError):
        raise ArchiveError(f"{name} is a damaged zip file; download it again") from None


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, password: bytes | None) -> bytes:
    """The member's content, cut off one byte after the most that is allowed: its stated size is not believed."""
    with archive.open(entry, pwd=password if entry.flag_bits & _PROTECTED else None) as file:
        return file.read(_MAX_MEMBER_BYTES + 1)


def _name(entry: zipfile.ZipInfo) -> str:
    """The member's path. Without the UTF-8 flag it is read as GBK if it can be: Chinese Windows sets no flag."""
    if entry.flag_bits & _UTF8:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("gbk")
    except UnicodeError:
        return entry.filename


def _leads_out(name: str) -> bool:
    windows = PureWindowsPath(name)
    return ".." in windows.parts or bool(windows.anchor) or PurePosixPath(name).is_absolute()
