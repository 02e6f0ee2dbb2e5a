"""The chain in which certificates go out: from the site's own towards a root that clients have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from gateway.certificates import trust_store
from gateway.certificates.names import title


def ordered(leaf: x509.Certificate, others: Sequence[x509.Certificate], now: datetime) -> list[x509.Certificate]:
    """The chain from `leaf` upwards, as far as `others` reach. Certificates of other chains stay out.

    Where an authority has several, as renewed and cross-signed ones have, one that clients take today goes in, if
    possible on the way to a root that this machine trusts. Above what such a root issued nothing else is needed: what
    clients take stays, for those that know another root only, the rest goes.
    """
    chain = [leaf]
    while not self_issued(chain[-1]):
        above = [one for one in others if one not in chain and trust_store.issued(chain[-1], one)]
        if not above:
            break
        parent = above[0] if len(above) == 1 else _preferred(above, others, now)
        if not _usable(parent, now) and any(map(trust_store.anchors, chain)):
            break
        chain.append(parent)
    return chain


def _preferred(above: Sequence[x509.Certificate], given: Sequence[x509.Certificate], now: datetime) -> x509.Certificate:
    """Of several certificates of one authority the one that goes out."""
    trusted = _leading_to_trust(given, now)
    # a root's own copy is the last choice of its kind: it helps no client that does not have it
    return max(
        above, key=lambda one: (_usable(one, now), one in trusted, not self_issued(one), one.not_valid_after_utc)
    )


def _leading_to_trust(given: Sequence[x509.Certificate], now: datetime) -> set[x509.Certificate]:
    """Those from which certificates that clients take today lead to a root that this machine trusts."""
    found = latest = {one for one in given if trust_store.anchors(one)}
    while latest:
        usable = [one for one in latest if _usable(one, now)]
        latest = {one for one in given if one not in found and any(trust_store.issued(one, by) for by in usable)}
        found = found | latest
    return found


def _usable(authority: x509.Certificate, now: datetime) -> bool:
    """Whether it can stand in a chain today. What a root's certificate says is no matter, clients have their own."""
    if self_issued(authority):
        return True
    return authority.not_valid_before_utc <= now < authority.not_valid_after_utc and not weak(authority)


def self_issued(certificate: x509.Certificate) -> bool:
    """Whether it is a root, or signed by itself."""
    return certificate.issuer == certificate.subject


def weak(one: x509.Certificate) -> str:
    """Signatures of roots prove nothing, so theirs may be old."""
    if self_issued(one):
        return ""
    try:
        algorithm = one.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return f'"{title(one.subject)}" is signed in a way that browsers do not take; order an RSA or EC certificate'
    if algorithm is not None and algorithm.name in trust_store.BROKEN_HASHES:
        return (
            f'"{title(one.subject)}" is signed with {algorithm.name.upper()}, which browsers refuse; have it reissued'
        )
    return ""
