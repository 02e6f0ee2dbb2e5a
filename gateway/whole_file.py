"""Files that are written in one step, or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def write(path: Path, text: str) -> Path:
    """Writes a file beside its place and moves it there, whoever else writes it meanwhile. Returns its path.

    Raises OSError where it cannot, and where a device or a pipe is: root would lose /dev/null by it.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        # made anew, so that no link of somebody else's is followed
        with part.open("x", encoding="utf-8") as file:
            file.write(text)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def stage(path: Path, body: bytes) -> Path:
    """Writes a temporary file beside `path`, safely on disk, that nobody but its owner could read at any moment.

    Returns the temporary file's path. Raises OSError where it cannot, and then leaves none.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    staged = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        staged.unlink()
        raise
    return staged


@contextmanager
def replaced(path: Path, body: bytes) -> Iterator[None]:
    """Has the new content safe on the disk, beside the file, while what belongs to it is done; then it takes the file's
    place, with its mode and owner. Where an error comes in between, the file stays as it was.

    A link stays one: the file that it leads to is replaced. Raises OSError.
    """
    real = Path(os.path.realpath(path))
    before = real.stat()
    staged = stage(real, body)
    try:
        staged.chmod(before.st_mode & 0o7777)
        with suppress(PermissionError):  # only root gives files away
            os.chown(staged, before.st_uid, before.st_gid)
        yield
        staged.replace(real)
    finally:
        staged.unlink(missing_ok=True)
