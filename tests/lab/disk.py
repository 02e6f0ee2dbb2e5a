"""Which files of a host have no place on its disk yet, asked of its file system: a power failure leaves them empty."""

from __future__ import annotations

import shlex

import pytest

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


def unwritten(files: str) -> str:
    """The command that prints a line for each such file in the folders, and nothing where all are written."""
    return f"find {files} -type f -exec python3 -c {shlex.quote(_ASK)} {{}} +"


def must_tell(host: str) -> None:
    """Skips the test where the host's file system does not tell."""
    on_host(host, "head -c 5000 /dev/urandom >/etc/fresh")
    said = on_host(host, f"{unwritten('/etc/fresh')}; rm /etc/fresh")
    if "not on disk" not in said:
        pytest.skip("the file system under this Docker does not tell what it has still to write")
