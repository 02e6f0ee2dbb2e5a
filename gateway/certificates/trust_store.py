"""The public authorities that this machine trusts. They stand for those that visitors' phones trust."""

from __future__ import annotations

import ssl
from contextlib import suppress
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from gateway.certificates import pem
from gateway.onhost.constants import TRUST_BUNDLE

# Hashes for which other content with the same hash can be made, so that a signature proves nothing.
BROKEN_HASHES = {"md5", "sha1"}


def is_anchored(certificate: x509.Certificate) -> bool | None:
    """Whether the certificate is a trusted root or was issued by one. None where this machine has no trust store.

    The store is the file that SSL_CERT_FILE names, else the system's.
    """
    path = Path(ssl.get_default_verify_paths().cafile or TRUST_BUNDLE)
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
    """Whether `parent` signed `child`: by the signature, or by names where the library cannot verify its kind."""
    if child.issuer != parent.subject:
        return False
    try:
        child.verify_directly_issued_by(parent)
    except InvalidSignature:
        return False
    except (UnsupportedAlgorithm, ValueError, TypeError):
        return _is_beyond_verifying(child) and _key_identifiers_agree(child, parent)
    return True


def _is_beyond_verifying(certificate: x509.Certificate) -> bool:
    """Whether it is signed in a way that the library does not know, or no longer accepts."""
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return True
    return algorithm is not None and algorithm.name in BROKEN_HASHES


def _key_identifiers_agree(child: x509.Certificate, parent: x509.Certificate) -> bool:
    try:
        issuer = child.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        own = parent.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return True  # where either says nothing, the names stand alone
    return issuer is None or issuer == own


@cache
def _roots(path: Path, _changed: int) -> dict[bytes, list[x509.Certificate]]:
    """The trusted roots by subject. `_changed`, the file's time stamp, makes a changed file be read again."""
    found: dict[bytes, list[x509.Certificate]] = {}
    for body in pem.bodies(path.read_bytes(), pem.CERTIFICATES):
        with suppress(ValueError):
            root = pem.load_certificate(body)
            found.setdefault(root.subject.public_bytes(), []).append(root)
    return found
