"""The lab's certificate authorities and the certificates they sign."""

import datetime
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab.topology import CA

_CA_DAYS = 3650
_LEAF_DAYS = 90
_RENEW_BEFORE = datetime.timedelta(days=3)


def ensure_ca(ca: Path = CA) -> Path:
    """The path of an authority's certificate (PEM), which is made if there is none or it expires soon.

    The hosts trust the lab CA, and no other.
    """
    certificate = _load(ca)
    if certificate is None or not _ca_key(ca).exists() or _expires_soon(certificate):
        key = ec.generate_private_key(ec.SECP256R1())
        common = "wecom-gateway lab CA" if ca == CA else f"wecom-gateway lab: {ca.stem}"
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
        builder = (
            _builder(name, name, key, _CA_DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(ca=True), critical=True)
        )
        _write_key(_ca_key(ca), key)
        ca.write_bytes(_pem(builder.sign(key, hashes.SHA256())))
    return ca


def issue(name: str, sans: Sequence[str], out_dir: Path, ca: Path = CA) -> None:
    """Writes `fullchain.pem` and `privkey.pem` (0600) for the DNS names `sans`, signed by the lab CA or by `ca`.

    A pair that is there already stays, unless it is for other names, from another CA, or expires within three days.
    """
    ensure_ca(ca)
    authority = x509.load_pem_x509_certificate(ca.read_bytes())
    present = _load(out_dir / "fullchain.pem")
    if present and (out_dir / "privkey.pem").exists() and _serves(present, sans) and _signed(present, authority):
        return
    authority_key = serialization.load_pem_private_key(_ca_key(ca).read_bytes(), password=None)
    if not isinstance(authority_key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{_ca_key(ca)} is no EC key")
    _write_leaf(name, sans, out_dir, authority.subject, authority_key)


def issue_self_signed(name: str, out_dir: Path) -> None:
    """Like `issue`, but the certificate is signed by its own key: no trust store knows it."""
    present = _load(out_dir / "fullchain.pem")
    if not (present and (out_dir / "privkey.pem").exists() and _serves(present, [name])):
        _write_leaf(name, [name], out_dir, None, None)


def _ca_key(ca: Path) -> Path:
    return ca.with_suffix(".key")


def _write_leaf(
    name: str,
    sans: Sequence[str],
    out_dir: Path,
    issuer: x509.Name | None,
    issuer_key: ec.EllipticCurvePrivateKey | None,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signing_key = issuer_key or key
    builder = (
        _builder(subject, issuer or subject, key, _LEAF_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(san) for san in sans]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
    )
    _write_key(out_dir / "privkey.pem", key)
    (out_dir / "fullchain.pem").write_bytes(_pem(builder.sign(signing_key, hashes.SHA256())))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _load(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None


def _expires_soon(certificate: x509.Certificate) -> bool:
    return certificate.not_valid_after_utc - datetime.datetime.now(datetime.UTC) < _RENEW_BEFORE


def _serves(certificate: x509.Certificate, sans: Sequence[str]) -> bool:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return not _expires_soon(certificate) and names.get_values_for_type(x509.DNSName) == list(sans)


def _signed(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write_key(path: Path, key: CertificateIssuerPrivateKeyTypes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
