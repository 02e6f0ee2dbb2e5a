"""Files that are written in one step, or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def write(path: Path, text: str) -> Path:
    """Writes a file beside its place and moves it there. Returns its path.

    Raises OSError where it cannot, and where a device or a pipe is: root would lose /dev/null by it.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        # made anew, so that no link of somebody else's is followed
        with part.open("x", encoding="utf-8") as file:
            file.write(text)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


@contextmanager
def replaced(path: Path, body: bytes) -> Iterator[None]:
    """Has the new content safe on the disk, beside the file, while what belongs to it is done; then it takes the file's
    place, with its mode and owner. Where an error comes in between, the file stays as it was.

    A link stays one: the file that it leads to is replaced. Raises OSError.
    """
    real = Path(os.path.realpath(path))
    before = real.stat()
    handle, name = tempfile.mkstemp(prefix=f".{real.name}.", dir=real.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
            os.fchmod(file.fileno(), before.st_mode & 0o7777)
            with suppress(PermissionError):  # only root gives files away
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
            file.flush()
            os.fsync(file.fileno())
        yield
        Path(name).replace(real)
    finally:
        Path(name).unlink(missing_ok=True)
