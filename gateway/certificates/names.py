"""The names in certificates: the hosts that they are for, their subjects and issuers."""

from __future__ import annotations

from cryptography import x509

from gateway.problems import printable


def covers(certificate: x509.Certificate, domain: str) -> bool:
    """Whether it names the domain, or the wildcard for it: *.school.edu.cn for wx.school.edu.cn."""
    known = _dns_names(certificate)
    return domain in known or f"*.{domain.partition('.')[2]}" in known


def has_names(certificate: x509.Certificate) -> bool:
    """Whether it names any host; authorities' own certificates name none."""
    return bool(_dns_names(certificate))


def shown_names(certificate: x509.Certificate) -> str:
    """The hosts that it is for, at most five, as text for an operator."""
    return (
        ", ".join(printable(one)[:80] for one in _dns_names(certificate)[:5])
        or "no DNS name (subjectAltName is missing)"
    )


def title(name: x509.Name) -> str:
    """A subject or issuer as text for an operator: its common name, or all of it where it has none."""
    common = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return printable(str(common[0].value) if common else name.rfc4514_string() or "(no name)")[:80]


def extension(certificate: x509.Certificate, kind: type[x509.ExtensionType]) -> x509.ExtensionType | None:
    """An extension of the certificate. None where it has none, or none that can be read."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return None


def _dns_names(certificate: x509.Certificate) -> list[str]:
    known = extension(certificate, x509.SubjectAlternativeName)
    if not isinstance(known, x509.SubjectAlternativeName):
        return []
    return [name.lower() for name in known.get_values_for_type(x509.DNSName)]
