"""Private keys: read, checked and written as PEM; and the pair of a key and its certificate's chain."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gateway.certificates import pem
from gateway.certificates.passphrase import PASSPHRASE_VARIABLE

# What every client of the TLS profile (gateway/nginx/tls_profile.py) accepts; browsers dropped P-521.
_MIN_RSA_BITS = 2048
_CURVES = {"secp256r1", "secp384r1"}

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class KeyPair:
    """A chain, leaf first, and its key without a passphrase, both as PEM. `not_after` is when the leaf expires.

    No repr shows the key.
    """

    chain: bytes
    key: bytes = field(repr=False)
    not_after: datetime = field(default=datetime.max.replace(tzinfo=UTC))

    def days_left(self, now: datetime) -> int:
        """Whole days until the certificate expires, negative afterwards."""
        return (self.not_after - now).days


def load_key(data: bytes, passphrase: bytes | None = None, name: str = "privkey.pem") -> PrivateKey:
    """The one private key, RSA or EC, in a PEM file that messages call `name`. Raises ValueError, never quoting it."""
    bodies = pem.bodies(data, pem.KEYS)
    if len(bodies) > 1:
        raise ValueError(f"{name} holds {len(bodies)} private keys; leave the certificate's own")
    # PKCS #8 has ENCRYPTED in its label, the older form in a header on the next line
    protected = any(b"ENCRYPTED" in line for body in bodies for line in body.splitlines()[:2])
    if protected and passphrase is None:
        raise ValueError(
            f"{name} is protected by a passphrase, which nginx cannot ask for; put it into the environment variable "
            f"{PASSPHRASE_VARIABLE} of this command, or store the key without one"
        )
    try:
        loaded = serialization.load_pem_private_key(
            b"".join(bodies), passphrase if protected else None, unsafe_skip_rsa_key_validation=True
        )
        if isinstance(loaded, rsa.RSAPrivateKey):
            _must_sign(loaded)
    except UnsupportedAlgorithm:
        raise ValueError(f"{name} is of a kind that browsers do not take; order an RSA or EC certificate") from None
    except (ValueError, TypeError):
        if protected:
            raise ValueError(f"{name} does not open with the passphrase in {PASSPHRASE_VARIABLE}; correct it") from None
        raise ValueError(
            f"{name} holds no readable PEM private key; one starts with -----BEGIN PRIVATE KEY-----"
        ) from None
    return checked(loaded, name)


def _must_sign(key: rsa.RSAPrivateKey) -> None:
    """Makes a signature and checks it. Raises ValueError where the key's numbers do not belong together.

    That takes a thirtieth of the time of testing the numbers for primality, which counts with a thousand sites.
    """
    scheme = padding.PKCS1v15(), hashes.SHA256()
    try:
        key.public_key().verify(key.sign(b"", *scheme), b"", *scheme)
    except (InvalidSignature, InternalError):
        raise ValueError("an RSA key whose numbers do not belong together") from None


def checked(key: object, name: str) -> PrivateKey:
    """The same key. Raises ValueError where it is of a kind, size or curve that not every browser accepts."""
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < _MIN_RSA_BITS:
            raise ValueError(f"{name} has {key.key_size} bits; at least {_MIN_RSA_BITS} are needed")
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey):
        if key.curve.name not in _CURVES:
            raise ValueError(f"{name} is on the curve {key.curve.name}; browsers take P-256 and P-384")
        return key
    raise ValueError(f"{name} is neither an RSA nor an EC key, which is what browsers accept")


def public_key(holder: x509.Certificate | PrivateKey) -> bytes:
    """The public key as DER, equal for a certificate and its key; b"" where its kind is unknown, as SM2 is."""
    try:
        return holder.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (UnsupportedAlgorithm, ValueError):
        return b""


def unprotected_pem(key: PrivateKey) -> bytes:
    """The key as PEM (PKCS #8), without a passphrase."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
