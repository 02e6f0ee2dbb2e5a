"""A file with the CA certificates by which a server of the operator's own is known."""

from __future__ import annotations

from pathlib import Path

from gateway import file_content
from gateway.certificates import pem

_MAX_BYTES = 1 << 20


def read(path: Path, name: str, whose: str) -> bytes:
    """The certificates of a PEM file, as PEM. Nothing else that the file holds comes along, a key for example.

    Errors call the file `name`; `whose` is what the authority certifies: "ACME server". Raises ValueError with what is
    wrong and what would be right, also where the file cannot be read.
    """
    remedy = f"put the {whose}'s CA certificate there"
    try:
        body = file_content.content(path, _MAX_BYTES)
    except OSError as error:
        raise ValueError(f"{name} cannot be read: {error.strerror}; {remedy}") from None
    except ValueError as error:
        raise ValueError(f"{name} {error}; {remedy}") from None
    if len(body) > _MAX_BYTES:
        raise ValueError(f"{name} is larger than any certificate; {remedy}")
    return pem.as_pem(pem.load_certificates(body, name))
