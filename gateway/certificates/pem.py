"""Reads PEM as it arrives: with a byte order mark, CRLF, indentation, or prose between several objects."""

from __future__ import annotations

import base64
import binascii
import re
import warnings
from collections.abc import Container, Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from gateway import file_content

# OpenSSL's own form: the certificate, followed by what it is trusted for
_TRUSTED = "TRUSTED CERTIFICATE"
CERTIFICATES = frozenset({"CERTIFICATE", "X509 CERTIFICATE", _TRUSTED})
KEYS = frozenset({"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"})

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----\n.*?-----END \1-----", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One PEM object: `label` is what follows BEGIN, `body` all of it. It may be a key, so no repr shows it."""

    label: str
    body: bytes = field(repr=False)


def blocks(data: bytes) -> list[Block]:
    """Every PEM object of a file, in its order, with line feeds alone and no indentation."""
    data = file_content.as_utf8(data)
    lines = data.replace(b"\r", b"\n" if b"\n" not in data else b"").split(b"\n")
    text = b"\n".join(line.strip() for line in lines)
    return [Block(match[1].decode(), match[0] + b"\n") for match in _BLOCK.finditer(text)]


def bodies(data: bytes, labels: Container[str]) -> list[bytes]:
    """The PEM of every object whose label is one of `labels`: CERTIFICATES or KEYS."""
    return [block.body for block in blocks(data) if block.label in labels]


def load_certificates(data: bytes, name: str = "fullchain.pem") -> list[x509.Certificate]:
    """The certificates of a PEM file in its order, each once.

    Raises ValueError where there is none, or a damaged one; its message calls the file `name`.
    """
    try:
        found = [load_certificate(body) for body in bodies(data, CERTIFICATES)]
    except ValueError:
        raise ValueError(f"{name} holds a damaged certificate; download it again") from None
    if not found:
        raise ValueError(f"{name} holds no readable PEM certificate; one starts with -----BEGIN CERTIFICATE-----")
    return list(dict.fromkeys(found))


def as_pem(chain: Sequence[x509.Certificate]) -> bytes:
    """The certificates as one PEM file, in this order."""
    return b"".join(one.public_bytes(Encoding.PEM) for one in chain)


def load_certificate(body: bytes) -> x509.Certificate:
    """One certificate, PEM or DER, whose names and dates can be read. Raises ValueError where it is damaged."""
    if body.startswith(f"-----BEGIN {_TRUSTED}-----".encode()):
        body = _without_trust(body)
    load = x509.load_pem_x509_certificate if body.startswith(b"-----") else x509.load_der_x509_certificate
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about oddities that only the authority could mend
        try:
            found = load(body)
            # these are parsed only when they are asked for, and raise where they are damaged
            _ = (found.subject, found.issuer, found.not_valid_before_utc, found.not_valid_after_utc)
        except (x509.InvalidVersion, UnsupportedAlgorithm):
            raise ValueError("no certificate of a known version") from None
    return found


def _without_trust(body: bytes) -> bytes:
    """The DER of the certificate in a TRUSTED CERTIFICATE. Raises ValueError."""
    try:
        der = base64.b64decode(b"".join(body.splitlines()[1:-1]))
    except binascii.Error:
        raise ValueError("not base64") from None
    # DER: the second byte is the length of the sequence, or, with the top bit set, how many bytes of length follow
    length = der[1] if len(der) > 1 else 0
    extra = length & 0x7F if length & 0x80 else 0
    return der[: 2 + extra + (int.from_bytes(der[2 : 2 + extra]) if extra else length)]
