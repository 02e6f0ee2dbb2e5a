"""The public authorities that this machine trusts, as a stand-in for those that visitors' phones trust."""

from __future__ import annotations

import ssl
from contextlib import suppress
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from gateway import pem

_DEBIAN = "/etc/ssl/certs/ca-certificates.crt"


def anchors(certificate: x509.Certificate) -> bool | None:
    """Whether the certificate is a trusted root or was issued by one. None where there is no store to read.

    The store is the file that SSL_CERT_FILE names, else the system's.
    """
    path = Path(ssl.get_default_verify_paths().cafile or _DEBIAN)
    try:
        roots = _roots(path, path.stat().st_mtime_ns)
    except OSError:
        return None
    if not roots:
        return None
    same_name = roots.get(certificate.subject.public_bytes(), [])
    if certificate in same_name:
        return True
    return any(issued(certificate, root) for root in roots.get(certificate.issuer.public_bytes(), []))


def issued(child: x509.Certificate, parent: x509.Certificate) -> bool:
    """Whether `parent` signed `child`."""
    try:
        child.verify_directly_issued_by(parent)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


@cache
def _roots(path: Path, _changed: int) -> dict[bytes, list[x509.Certificate]]:
    found: dict[bytes, list[x509.Certificate]] = {}
    for body in pem.of(path.read_bytes(), pem.CERTIFICATES):
        with suppress(ValueError):
            root = pem.load_certificate(body)
            found.setdefault(root.subject.public_bytes(), []).append(root)
    return found
