"""Certificates brought as files: does this pair open this domain today?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

WARN_BELOW = timedelta(days=21)


@dataclass(frozen=True)
class KeyPair:
    """A chain, leaf first, and its key, as PEM. The key never shows in a repr."""

    chain: bytes
    key: bytes = field(repr=False)
    not_after: datetime = field(default=datetime.max.replace(tzinfo=UTC))


def check(domain: str, chain: bytes, key: bytes, now: datetime) -> KeyPair:
    """The pair, ready to be served.

    Raises ValueError with what is wrong and what would be right; the text never quotes the key.
    """
    try:
        certificates = x509.load_pem_x509_certificates(chain)
    except ValueError:
        raise ValueError(
            "fullchain.pem holds no readable PEM certificate; it starts with -----BEGIN CERTIFICATE-----"
        ) from None
    leaf = certificates[0]
    if _public(load_key(key)) != _spki(leaf):
        raise ValueError(
            "privkey.pem is not the key of fullchain.pem's first certificate; put the site's own certificate "
            "first, then the intermediates, with the key that its request was made with"
        )
    if not _covers(leaf, domain):
        raise ValueError(f"the certificate is for {_names(leaf)}, not for {domain}; order one that names it")
    if now < leaf.not_valid_before_utc:
        raise ValueError(f"not valid before {leaf.not_valid_before_utc:%Y-%m-%d}; check this machine's clock")
    if now >= leaf.not_valid_after_utc:
        raise ValueError(f"expired on {leaf.not_valid_after_utc:%Y-%m-%d}; put the renewed one in its place")
    for child, parent in pairwise(certificates):
        if child.issuer != parent.subject:
            raise ValueError(
                "fullchain.pem is not a chain: every certificate must be followed by its issuer's; "
                f'"{child.issuer.rfc4514_string()}" is expected next'
            )
    return KeyPair(chain, key, leaf.not_valid_after_utc)


def load_key(pem: bytes) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    """The private key, RSA or EC. Raises ValueError, never quoting it."""
    try:
        loaded = load_pem_private_key(pem, password=None)
    except TypeError:
        raise ValueError(
            "privkey.pem is protected by a passphrase, which nginx cannot ask for; store it without one "
            "(openssl pkey -in privkey.pem -out privkey.pem)"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError(
            "privkey.pem holds no readable PEM private key; it starts with -----BEGIN PRIVATE KEY-----"
        ) from None
    if not isinstance(loaded, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey)):
        raise ValueError("privkey.pem is neither an RSA nor an EC key, which is what browsers accept")
    if isinstance(loaded, rsa.RSAPrivateKey) and loaded.key_size < 2048:
        raise ValueError(f"privkey.pem has {loaded.key_size} bits; at least 2048 are needed")
    return loaded


def _public(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _spki(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _dns_names(certificate: x509.Certificate) -> list[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [name.lower() for name in extension.value.get_values_for_type(x509.DNSName)]


def _covers(certificate: x509.Certificate, domain: str) -> bool:
    names = _dns_names(certificate)
    return domain in names or f"*.{domain.partition('.')[2]}" in names


def _names(certificate: x509.Certificate) -> str:
    return ", ".join(_dns_names(certificate)[:5]) or "no DNS name (subjectAltName is missing)"
