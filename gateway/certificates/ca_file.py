"""A file with the CA certificates by which a server of the operator's own is known."""

from __future__ import annotations

from pathlib import Path

from gateway import file_content
from gateway.certificates import pem

_MAX_BYTES = 1 << 20
_REMEDY = "put the certificate of the authority there"


def read(path: Path, name: str) -> bytes:
    """The certificates of a PEM file, as PEM. Nothing else that the file holds comes along, a key for example.

    Errors call the file `name`. Raises ValueError with what is wrong and what would be right, also where the file
    cannot be read.
    """
    try:
        body = file_content.content(path, _MAX_BYTES)
    except OSError as error:
        raise ValueError(f"{name} cannot be read: {error.strerror}; {_REMEDY}") from None
    except ValueError as error:
        raise ValueError(f"{name} {error}; {_REMEDY}") from None
    if len(body) > _MAX_BYTES:
        raise ValueError(f"{name} is larger than any certificate; {_REMEDY}")
    return pem.as_pem(pem.load_certificates(body, name))
