"""What two servers show in a TLS handshake: versions, and the certificate."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.certificates.judging import WARN_BELOW
from gateway.certificates.names import shown_names, title
from gateway.outside.compare_difference import Right
from gateway.outside.probe import Client, Door, Unanswered

_OLD = {"TLS 1.0": ssl.TLSVersion.TLSv1, "TLS 1.1": ssl.TLSVersion.TLSv1_1}
_NEW = {"TLS 1.2": ssl.TLSVersion.TLSv1_2, "TLS 1.3": ssl.TLSVersion.TLSv1_3}
# What differs, how it is on the gateway and on the old server, who is right, and why.
Shown = tuple[str, str, str, Right, str]


@dataclass(frozen=True)
class Handshake:
    """What a server shows. `versions` has those that could be tried, `doubt` says why phones refuse the certificate."""

    versions: Mapping[str, bool]
    certificate: x509.Certificate | None
    doubt: str

    @property
    def trust(self) -> str:
        """Whether it is believed, and which certificate it is."""
        shown = self.certificate
        if shown is None:
            return self.doubt or "cannot be read"
        until = f"until {shown.not_valid_after_utc:%Y-%m-%d}, {_days(shown)} days left"
        words = f"{shown_names(shown)}; by {title(shown.issuer)}; {until}"
        return f"{self.doubt} ({words})" if self.doubt else words

    def speaks(self, names: Mapping[str, object], known: frozenset[str]) -> str:
        """Which of these versions it speaks, of those in `known`."""
        return ", ".join(name for name in names if name in known and self.versions[name]) or "none"


def look(client: Client, door: Door, domain: str) -> Handshake:
    """Shakes hands with each version, and as a phone does. Raises Unanswered where no handshake comes about."""
    certificate = client.certificate(door, domain)
    doubt = ""
    try:
        client.greet(door, domain)
    except Unanswered as why:
        doubt = str(why)
    tried = {name: _speaks(client, door, domain, version) for name, version in {**_OLD, **_NEW}.items()}
    try:
        read = x509.load_der_x509_certificate(certificate)
    except ValueError:
        read = None
    return Handshake({name: said for name, said in tried.items() if said is not None}, read, doubt)


def differences(gateway: Handshake, old: Handshake) -> Iterator[Shown]:
    """What differs in the handshakes of the two."""
    known = frozenset(gateway.versions.keys() & old.versions.keys())
    ours, theirs = gateway.speaks(_OLD, known), old.speaks(_OLD, known)
    if ours != theirs:
        reason = "TLS 1.0 and 1.1 are obsolete (RFC 8996): whoever listens in can break them"
        right: Right = "gateway" if ours == "none" else "old" if theirs == "none" else "neither"
        yield "obsolete versions", ours, theirs, right, reason
    ours, theirs = gateway.speaks(_NEW, known), old.speaks(_NEW, known)
    if ours != theirs:
        yield "versions", ours, theirs, *_newer(gateway, old)
    yield from _certificates(gateway, old)


def _newer(gateway: Handshake, old: Handshake) -> tuple[Right, str]:
    if gateway.versions.get("TLS 1.2") == old.versions.get("TLS 1.2"):
        return "neutral", "every phone that speaks TLS 1.3 speaks 1.2 too"
    right: Right = "gateway" if gateway.versions.get("TLS 1.2") else "old"
    return right, "older phones and programs speak TLS 1.2 and no newer one"


def _certificates(gateway: Handshake, old: Handshake) -> Iterator[Shown]:
    if bool(gateway.doubt) != bool(old.doubt):
        right: Right = "old" if gateway.doubt else "gateway"
        reason = "phones refuse the other one; for an authority of your own run with --ca FILE"
        yield "certificate", gateway.trust, old.trust, right, reason
        return
    ours, theirs = gateway.certificate, old.certificate
    if ours is None or theirs is None or ours.fingerprint(SHA256()) == theirs.fingerprint(SHA256()):
        return
    soon = [name for name, one in (("gateway", ours), ("old", theirs)) if _days(one) < WARN_BELOW.days]
    if soon == ["gateway"]:
        yield "certificate", gateway.trust, old.trust, "old", "the gateway's expires soon; next: renew it"
    elif soon == ["old"]:
        yield "certificate", gateway.trust, old.trust, "gateway", "the old server's expires soon"
    else:
        reason = "a phone that believes both, or neither, makes no difference between them"
        yield "certificate", gateway.trust, old.trust, "neutral", reason


def _days(certificate: x509.Certificate) -> int:
    return (certificate.not_valid_after_utc - datetime.now(UTC)).days


def _speaks(client: Client, door: Door, domain: str, version: ssl.TLSVersion) -> bool | None:
    """Whether it speaks that version; None where it cannot be told from here."""
    try:
        client.certificate(door, domain, version)
    except ValueError:
        return None
    except Unanswered as why:
        return None if why.kind in ("slow", "unreachable", "refused") else False
    return True
