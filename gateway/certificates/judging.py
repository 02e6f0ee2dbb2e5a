"""Whether a certificate and its key can serve a domain today, and in which form they go to the host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, PublicKeyAlgorithmOID

from gateway.certificates import keys, pem, trust_store
from gateway.certificates.chain import chain_from, self_issued, weak_signature
from gateway.certificates.names import covers, extension, shown_names, title
from gateway.onhost.constants import WARN_DAYS

WARN_BELOW = timedelta(days=WARN_DAYS)

# Policies of the CA/Browser Forum, which public authorities state in what they issue.
_BROWSER_FORUM = "2.23.140.1.2."


@dataclass(frozen=True)
class Verdict:
    """What was found about a pair. Each text says what is wrong and what would be right; none quotes a key.

    `pair` is what goes to the host, None where there are errors.
    """

    pair: keys.KeyPair | None
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def judge(
    domain: str,
    fullchain: bytes,
    privkey: bytes,
    now: datetime,
    *,
    passphrase: bytes | None = None,
    allow_expired: bool = False,
) -> Verdict:
    """Everything that would keep the PEM files `fullchain` and `privkey` from serving `domain` at `now`.

    In the verdict's pair the certificates are a chain, whatever their order was, and the key is without its passphrase.
    An expired certificate is an error, or a warning with `allow_expired`.
    """
    errors: list[str] = []
    warnings: list[str] = []
    key = None
    certificates: list[x509.Certificate] = []
    try:
        key = keys.load_key(privkey, passphrase)
    except ValueError as error:
        errors.append(str(error))
    try:
        certificates = pem.load_certificates(fullchain)
    except ValueError as error:
        errors.append(str(error))
    if not certificates:
        return Verdict(None, tuple(errors))
    leaf = next((one for one in certificates if key and keys.public_key(one) == keys.public_key(key)), certificates[0])
    chain = chain_from(leaf, certificates, now)
    if key and keys.public_key(key) != keys.public_key(leaf):
        errors.append(
            f"privkey.pem is not the key of the certificate for {shown_names(leaf)}; put the key there that its "
            "request was made with, or the certificate that belongs to this key"
        )
    if pem.bodies(fullchain, pem.KEYS):
        warnings.append("fullchain.pem holds a private key, which is not sent out; take it out of that file")
    warnings += _order_warnings(certificates, chain)
    errors += _leaf_errors(leaf, domain)
    for late in _expired(chain, now):
        (warnings if allow_expired else errors).append(late)
    errors += [text for one in chain if (text := _not_yet(one, now))]
    errors += [text for one in chain if (text := weak_signature(one))]
    missing, doubts = _completeness(chain)
    errors += missing
    warnings += doubts
    if errors or key is None:
        return Verdict(None, tuple(errors), tuple(warnings))
    pair = keys.KeyPair(pem.as_pem(chain), keys.unprotected_pem(key), leaf.not_valid_after_utc)
    if now < pair.not_after < now + WARN_BELOW:
        left = f"expires in {pair.days_left(now)} days, on {pair.not_after:%Y-%m-%d}; renew it"
        warnings.append(left)
    return Verdict(pair, (), tuple(warnings))


def _order_warnings(given: Sequence[x509.Certificate], chain: Sequence[x509.Certificate]) -> Iterator[str]:
    left_out = [one for one in given if one not in chain]
    if left_out:
        titles = ", ".join(f'"{title(one.subject)}"' for one in left_out)
        yield f"fullchain.pem holds what is not needed and not sent out: {titles}; take it out"
    if [one for one in given if one in chain] != list(chain):
        titles = ", ".join(f'"{title(one.subject)}"' for one in chain)
        yield f"fullchain.pem is not in order; it goes out as it must: {titles}"


def _leaf_errors(leaf: x509.Certificate, domain: str) -> Iterator[str]:
    if not covers(leaf, domain):
        yield f"the certificate is for {shown_names(leaf)}, not for {domain}; order one that names it"
    # Such a key is read and written as a plain RSA key, of which OpenSSL says that it is not this certificate's.
    if leaf.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS:
        yield "the certificate's key is of a kind (RSA-PSS) that browsers do not take; order an RSA or EC certificate"
    usage = extension(leaf, x509.ExtendedKeyUsage)
    serving = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if isinstance(usage, x509.ExtendedKeyUsage) and not serving & set(usage):
        yield "the certificate is not for servers (serverAuth is missing in its extended key usage); order one that is"


def _intermediate_prefix(certificate: x509.Certificate, leaf: x509.Certificate) -> str:
    return "" if certificate == leaf else f'the intermediate "{title(certificate.subject)}": '


def _expired(chain: Sequence[x509.Certificate], now: datetime) -> Iterator[str]:
    for one in chain:
        if now >= one.not_valid_after_utc and (one == chain[0] or not self_issued(one)):
            yield (
                f"{_intermediate_prefix(one, chain[0])}expired on {one.not_valid_after_utc:%Y-%m-%d}; "
                "put the renewed one in its place"
            )


def _not_yet(one: x509.Certificate, now: datetime) -> str:
    if now >= one.not_valid_before_utc:
        return ""
    return (
        f'"{title(one.subject)}" is not valid before {one.not_valid_before_utc:%Y-%m-%d %H:%M} UTC; '
        "check this machine's clock"
    )


def _completeness(chain: Sequence[x509.Certificate]) -> tuple[list[str], list[str]]:
    """Errors and warnings about intermediate certificates that may be missing.

    A chain may leave out its root, which clients have. But a leaf of a public authority needs an intermediate: the
    CA/Browser Forum's Baseline Requirements (6.1.7) forbid roots to sign leaves. A private authority's root may.
    """
    top = chain[-1]
    anchored = [trust_store.is_anchored(one) for one in chain]
    # not of the top alone: where a trusted root issued any of them, the chain is complete
    if any(anchored):
        return [], []
    issuer = title(top.issuer)
    if len(chain) == 1 and self_issued(top):
        return [], ["signed by itself: WeCom and browsers refuse it; order one from a public authority"]
    if len(chain) == 1 and _is_from_public_authority(top):
        return [
            f'the intermediate certificate "{issuer}" is missing; it has to follow the site\'s own '
            "(authorities hand it out as bundle, chain or ca file; import-cert takes it as a further file)"
        ], []
    if None in anchored:
        text = "there is no trust store on this machine, so nothing tells whether the chain is complete"
        return [], [f"{text}; install ca-certificates"] if len(chain) == 1 else []
    return [], [
        f'the chain ends at "{issuer}", which this machine\'s trust store does not know: either an intermediate is '
        "missing, or it is a private authority, which WeCom's servers do not know"
    ]


def _is_from_public_authority(leaf: x509.Certificate) -> bool:
    """Whether it carries a public authority's marks: proofs that it was logged, or a CA/Browser Forum policy."""
    if extension(leaf, x509.PrecertificateSignedCertificateTimestamps) is not None:
        return True
    policies = extension(leaf, x509.CertificatePolicies)
    stated = policies if isinstance(policies, x509.CertificatePolicies) else ()
    return any(policy.policy_identifier.dotted_string.startswith(_BROWSER_FORUM) for policy in stated)
