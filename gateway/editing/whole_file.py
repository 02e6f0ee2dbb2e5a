"""A file that is replaced in one step, or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


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
