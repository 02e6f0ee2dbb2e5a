"""The chain that a site sends: its own certificate first, then each one's issuer, towards a root that clients have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from gateway.certificates import trust_store
from gateway.certificates.names import title


def chain_from(leaf: x509.Certificate, others: Sequence[x509.Certificate], now: datetime) -> list[x509.Certificate]:
    """The chain from `leaf` upwards, built from those of `others` that belong to it.

    An authority that was renewed or cross-signed has several certificates. Of these one is chosen that clients accept
    today, if possible one that leads to a root that this machine trusts. Once a certificate of the chain was issued by
    such a root, more are added only if clients accept them: they help clients that know another root only.
    """
    chain = [leaf]
    while not self_issued(chain[-1]):
        above = [one for one in others if one not in chain and trust_store.issued(chain[-1], one)]
        if not above:
            break
        parent = above[0] if len(above) == 1 else _preferred(above, others, now)
        if not _usable(parent, now) and any(map(trust_store.is_anchored, chain)):
            break
        chain.append(parent)
    return chain


def _preferred(above: Sequence[x509.Certificate], given: Sequence[x509.Certificate], now: datetime) -> x509.Certificate:
    """The one of several certificates of the same authority that the chain goes on with. `given` are all there are."""
    trusted = _leading_to_trust(given, now)
    # a self-signed root comes last: clients that have it do not need it, and others do not trust it
    return max(
        above, key=lambda one: (_usable(one, now), one in trusted, not self_issued(one), one.not_valid_after_utc)
    )


def _leading_to_trust(given: Sequence[x509.Certificate], now: datetime) -> set[x509.Certificate]:
    """Those from which a chain of certificates that clients accept today leads to a root that this machine trusts."""
    found = latest = {one for one in given if trust_store.is_anchored(one)}
    while latest:
        usable = [one for one in latest if _usable(one, now)]
        latest = {one for one in given if one not in found and any(trust_store.issued(one, by) for by in usable)}
        found = found | latest
    return found


def _usable(authority: x509.Certificate, now: datetime) -> bool:
    """Whether clients accept it in a chain today. A root always is: clients look at their own copy of it."""
    if self_issued(authority):
        return True
    return authority.not_valid_before_utc <= now < authority.not_valid_after_utc and not weak_signature(authority)


def self_issued(certificate: x509.Certificate) -> bool:
    """Whether its issuer is itself, as it is for roots."""
    return certificate.issuer == certificate.subject


def weak_signature(one: x509.Certificate) -> str:
    """What is wrong with how it is signed, and what would be right; "" where browsers accept the signature."""
    if self_issued(one):
        return ""  # nobody checks a root's own signature
    try:
        algorithm = one.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return f'"{title(one.subject)}" is signed in a way that browsers do not take; order an RSA or EC certificate'
    if algorithm is not None and algorithm.name in trust_store.BROKEN_HASHES:
        return (
            f'"{title(one.subject)}" is signed with {algorithm.name.upper()}, which browsers refuse; have it reissued'
        )
    return ""
