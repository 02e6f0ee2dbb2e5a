"""Reads certificates and keys out of PEM, DER, PKCS #7 and PKCS #12, told apart by content, not by file name."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7, pkcs12

from gateway.certificates import archive, keys, pem
from gateway.certificates.passphrase import PASSPHRASE_VARIABLE

_JAVA_KEY_STORES = (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce")


@dataclass
class Contents:
    """What one file, called `source`, holds.

    `note` says what could not be read in it and why, `locked` that a passphrase is missing or wrong.
    """

    source: str
    certificates: list[x509.Certificate] = field(default_factory=list)
    keys: list[keys.PrivateKey] = field(default_factory=list, repr=False)
    note: str = ""
    locked: bool = False


def parse(source: str, body: bytes, passphrases: Sequence[bytes]) -> Contents:
    """The certificates and keys in one file; `passphrases` are tried on protected ones.

    Never raises: what cannot be read is told in a note, as it may not be needed.
    """
    found = Contents(source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about how other programs write PKCS #7 and PKCS #12
        _read(found, body, passphrases)
    return found


def _read(found: Contents, body: bytes, passphrases: Sequence[bytes]) -> None:
    blocks = pem.blocks(body)
    if blocks:
        _from_pem(found, blocks, passphrases)
    elif body.startswith(b"\x30"):
        _from_der(found, body, passphrases)
    elif body.startswith(archive.MAGIC):
        found.note = "a zip file inside a zip file: unpack the outer one if it is needed"
    elif body.startswith(_JAVA_KEY_STORES):
        found.note = "a Java key store: download the certificate for nginx instead if this one is needed"
    else:
        found.note = "holds neither certificate nor key"


def _from_pem(found: Contents, blocks: Sequence[pem.Block], passphrases: Sequence[bytes]) -> None:
    for block in blocks:
        try:
            if block.label in pem.CERTIFICATES:
                found.certificates.append(pem.load_certificate(block.body))
            elif block.label in pem.KEYS:
                _add_pem_key(found, block.body, passphrases)
            elif block.label == "PKCS7":
                found.certificates += _readable(pkcs7.load_pem_pkcs7_certificates(block.body))
            elif block.label.endswith("CERTIFICATE REQUEST"):
                found.note = "a certificate request, which has done its work"
        except (ValueError, UnsupportedAlgorithm):
            found.note = f"holds a damaged {block.label.lower()}"


def _add_pem_key(found: Contents, body: bytes, passphrases: Sequence[bytes]) -> None:
    for passphrase in (None, *passphrases):
        try:
            found.keys.append(keys.load_key(body, passphrase, found.source))
        except ValueError as error:
            found.note = _locked(found) if PASSPHRASE_VARIABLE in str(error) else str(error)
        else:
            found.note, found.locked = "", False
            return


def _from_der(found: Contents, body: bytes, passphrases: Sequence[bytes]) -> None:
    if _is_pkcs12(body):
        _from_pkcs12(found, body, passphrases)
        return
    loaders: tuple[Callable[[bytes], list[x509.Certificate]], ...] = (
        lambda der: [pem.load_certificate(der)],
        lambda der: _readable(pkcs7.load_der_pkcs7_certificates(der)),
    )
    for load in loaders:
        try:
            found.certificates += load(body)
        except (ValueError, UnsupportedAlgorithm):
            continue
        return
    for passphrase in (None, *passphrases):
        try:
            key = serialization.load_der_private_key(body, passphrase)
        except TypeError:
            found.note = _locked(found)
        except (ValueError, UnsupportedAlgorithm):
            found.note = found.note or "holds neither certificate nor key"
            if not found.locked:
                return
        else:
            found.note, found.locked = "", False
            _add_key(found, key)
            return


def _is_pkcs12(body: bytes) -> bool:
    """Whether it is PKCS #12: a sequence whose first member is the number 3 (RFC 7292, 4)."""
    length = body[1] if len(body) > 1 else 0
    start = 2 + (length & 0x7F if length & 0x80 else 0)
    return body[start : start + 3] == b"\x02\x01\x03"


def _from_pkcs12(found: Contents, body: bytes, passphrases: Sequence[bytes]) -> None:
    for passphrase in (None, b"", *passphrases):
        try:
            bundle = pkcs12.load_pkcs12(body, passphrase)
        except UnsupportedAlgorithm:
            found.note = f"{found.source} is protected in an old way that is not safe; export it again as PEM"
            return
        except (ValueError, TypeError):
            found.note = _locked(found)
            continue
        found.note, found.locked = "", False
        inside = [one.certificate for one in (bundle.cert, *bundle.additional_certs) if one is not None]
        try:
            found.certificates += _readable(inside)
        except ValueError:
            found.note = "holds a damaged certificate"
        if bundle.key is not None:
            _add_key(found, bundle.key)
        return


def _readable(certificates: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """The same certificates, read again by pem.load_certificate, which raises ValueError for damaged ones."""
    return [pem.load_certificate(one.public_bytes(serialization.Encoding.DER)) for one in certificates]


def _add_key(found: Contents, key: object) -> None:
    try:
        found.keys.append(keys.checked(key, found.source))
    except ValueError as error:
        found.note = str(error)


def _locked(found: Contents) -> str:
    found.locked = True
    return (
        f"{found.source} is protected by a passphrase, and {PASSPHRASE_VARIABLE} is not set or not it; "
        f"put it into that environment variable (read -rs {PASSPHRASE_VARIABLE}; export {PASSPHRASE_VARIABLE})"
    )
