"""PEM as it arrives: with a byte order mark, CRLF, indentation, several objects and prose in one file."""

from __future__ import annotations

import re
import warnings
from collections.abc import Container
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

CERTIFICATES = frozenset({"CERTIFICATE", "X509 CERTIFICATE"})
KEYS = frozenset({"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"})

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----\n.*?-----END \1-----", re.DOTALL)
_UTF8_BOM, _UTF16_BOMS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Block:
    """One object: `label` is what follows BEGIN, `body` its PEM. It may be a key, so it never shows in a repr."""

    label: str
    body: bytes = field(repr=False)


def blocks(data: bytes) -> list[Block]:
    """Every PEM object of a file, in its order, in the form that every parser reads."""
    if data.startswith(_UTF16_BOMS):
        data = data.decode("utf-16", errors="replace").encode()
    lines = data.removeprefix(_UTF8_BOM).replace(b"\r", b"\n" if b"\n" not in data else b"").split(b"\n")
    text = b"\n".join(line.strip() for line in lines)
    return [Block(match[1].decode(), match[0] + b"\n") for match in _BLOCK.finditer(text)]


def of(data: bytes, labels: Container[str]) -> list[bytes]:
    """The PEM of every object of some kinds, CERTIFICATES or KEYS."""
    return [block.body for block in blocks(data) if block.label in labels]


def load_certificate(body: bytes) -> x509.Certificate:
    """One certificate, PEM or DER, whose names and dates can be read. Raises ValueError where it is damaged."""
    load = x509.load_pem_x509_certificate if body.startswith(b"-----") else x509.load_der_x509_certificate
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about oddities that the authority made, and no operator can mend
        try:
            found = load(body)
            # parsed when asked for, and damaged ones raise then
            _ = (found.subject, found.issuer, found.not_valid_before_utc, found.not_valid_after_utc)
        except (x509.InvalidVersion, UnsupportedAlgorithm):
            raise ValueError("no certificate of a known version") from None
    return found
