"""Authorities of the tests' own: roots, intermediates and leaves of every good and bad kind."""

from __future__ import annotations

import subprocess
import tempfile
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12PrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID

# A policy that only public authorities state: CA/Browser Forum, domain validated.
PUBLIC_POLICY = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("2.23.140.1.2.1"), None)])


@dataclass(frozen=True)
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: PKCS12PrivateKeyTypes

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    def key_as(
        self,
        encoding: Encoding = Encoding.PEM,
        form: PrivateFormat = PrivateFormat.PKCS8,
        passphrase: bytes | None = None,
    ) -> bytes:
        protection = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        return self.key.private_bytes(encoding, form, protection)

    @property
    def key_pem(self) -> bytes:
        return self.key_as()


def issue(
    name: str,
    by: Issued | None = None,
    *,
    ca: bool = False,
    start: timedelta = timedelta(days=-1),
    end: timedelta = timedelta(days=60, hours=1),
    key: PKCS12PrivateKeyTypes | None = None,
    public: bool = False,
    usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
    names: Sequence[str] | None = None,
) -> Issued:
    """A certificate for `name`, self-signed where nobody signs it, valid from now + start to now + end."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    signer = by.key if by else key
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + start)
        .not_valid_after(now + end)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not ca:
        listed = [x509.DNSName(one) for one in ([name] if names is None else names)]
        if listed:
            builder = builder.add_extension(x509.SubjectAlternativeName(listed), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if public:
        builder = builder.add_extension(PUBLIC_POLICY, critical=False)
    return Issued(builder.sign(signer, hashes.SHA256()), key)


def issue_rsa_pss(name: str, by: Issued) -> Issued:
    """A leaf whose key is for RSA-PSS alone, made by openssl: cryptography makes none."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "ca.pem").write_bytes(by.pem)
        (place / "ca.key").write_bytes(by.key_pem)
        (place / "extensions").write_text(f"subjectAltName=DNS:{name}\n")
        for command in (
            "genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out leaf.key",
            f"req -new -key leaf.key -subj /CN={name} -out leaf.csr",
            "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -set_serial 1 -days 30 -extfile extensions -out leaf.pem",
        ):
            subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
        certificate = x509.load_pem_x509_certificate((place / "leaf.pem").read_bytes())
        key = load_pem_private_key((place / "leaf.key").read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return Issued(certificate, key)


def with_old_signature(issued: Issued, number: int = 5) -> Issued:
    """One that an RSA key signed, now saying that it did so in the way of that number (RFC 8017, appendix C).

    5 is SHA-1 and 4 MD5, which cryptography makes none with any more.
    """
    prefix = bytes.fromhex("2a864886f70d0101")
    body = issued.der.replace(prefix + b"\x0b", prefix + bytes([number]))
    return Issued(x509.load_der_x509_certificate(body), issued.key)


@cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


ROOT = issue("Test Root", ca=True, end=timedelta(days=3000))
MIDDLE = issue("Test Intermediate", ROOT, ca=True, end=timedelta(days=2000))
LOWER = issue("Test Issuing", MIDDLE, ca=True, end=timedelta(days=1000))


def assert_no_key(text: str, *holders: Issued) -> None:
    """No line of any key, in any encoding an operator would see."""
    assert "PRIVATE KEY-----" not in text.replace("-----BEGIN PRIVATE KEY-----", "")
    for holder in holders:
        # A key's file has the public key too, which a certificate may by chance show in the same letters.
        public = holder.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        lines = holder.key_pem.decode().splitlines()[1:-1]
        secret = [line[:28] for line in lines if b64decode(line[:28]) not in public]
        assert secret
        assert not any(line in text for line in secret)
        assert holder.key_as(Encoding.DER).hex()[40:80] not in text
