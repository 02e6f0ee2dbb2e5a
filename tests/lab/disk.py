"""Which files of a host have no place on its disk yet, asked of its file system: a power failure leaves them empty."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from . import moments
from .checkout import on_host

# FS_IOC_FIEMAP of linux/fiemap.h, up to 32 extents for each file; 4 is FIEMAP_EXTENT_DELALLOC.
_ASK = """
import array, errno, fcntl, struct, sys
for path in sys.argv[1:]:
    asked = array.array("B", struct.pack("=QQLLLL", 0, 2**64 - 1, 0, 0, 32, 0) + bytes(56 * 32))
    with open(path, "rb") as file:
        try:
            fcntl.ioctl(file, 0xC020660B, asked)
        except OSError as error:
            print("unknown" if error.errno in (errno.EOPNOTSUPP, errno.ENOTTY) else error, path)
            continue
    found = struct.unpack_from("=L", asked, 20)[0]
    if any(struct.unpack_from("=L", asked, 32 + 56 * number + 40)[0] & 4 for number in range(found)):
        print("not on disk", path)
"""


@contextmanager
def asked_at_reloads(host: str, files: str) -> Iterator[Callable[[], str]]:
    """Has the host look at `files` whenever nginx is told to reload. What is yielded tells what was missing, a line for
    each file; nothing where all were written, LabError where nginx was told nothing.

    Skips the test where the host's file system does not tell.
    """
    on_host(host, "rm -f /run/unwritten; head -c 5000 /dev/urandom >/etc/fresh")
    if "not on disk" not in on_host(host, f"{_unwritten('/etc/fresh')}; rm /etc/fresh"):
        pytest.skip("the file system under this Docker does not tell what it has still to write")
    moments.before(host, "systemctl", f'if [ "$1" = kill ]; then {_unwritten(files)} >>/run/unwritten; fi')
    try:
        yield lambda: on_host(host, "cat /run/unwritten")
    finally:
        moments.let_be(host)


def _unwritten(files: str) -> str:
    return f"find {files} -type f -exec python3 -c {shlex.quote(_ASK)} {{}} +"
