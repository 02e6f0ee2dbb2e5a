"""Judging a certificate and its key: does this pair open this domain today, and as what does it go out?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, PublicKeyAlgorithmOID

from gateway.certificates import pem, trust_store

WARN_BELOW = timedelta(days=21)

# What every client of the TLS profile (gateway/nginx/tls_profile.py) takes; browsers dropped P-521, SHA-1 and MD5.
_MIN_RSA_BITS = 2048
_CURVES = {"secp256r1", "secp384r1"}

# The environment variable that holds the passphrase of protected keys.
PASSPHRASE = "GATEWAY_KEY_PASSPHRASE"  # noqa: S105

# Marks of a public authority: it logs what it issues and states a CA/Browser Forum policy.
_BROWSER_FORUM = "2.23.140.1.2."

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class KeyPair:
    """A chain, leaf first, and its key without a passphrase, as PEM. The key never shows in a repr."""

    chain: bytes
    key: bytes = field(repr=False)
    not_after: datetime = field(default=datetime.max.replace(tzinfo=UTC))

    def days_left(self, now: datetime) -> int:
        """Whole days until the certificate expires, negative afterwards."""
        return (self.not_after - now).days


@dataclass(frozen=True)
class Verdict:
    """What became of a pair. Each text says what is wrong and what would be right, and never quotes a key.

    `pair` is None where there are errors.
    """

    pair: KeyPair | None
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
    """Everything that would keep this pair from serving `domain`, and the pair as it goes out.

    Certificates go out as a chain whatever order they have, the key without its passphrase. An expired
    certificate is an error, with `allow_expired` a warning.
    """
    errors: list[str] = []
    warnings: list[str] = []
    key = None
    certificates: list[x509.Certificate] = []
    try:
        key = load_key(privkey, passphrase)
    except ValueError as error:
        errors.append(str(error))
    try:
        certificates = load_certificates(fullchain)
    except ValueError as error:
        errors.append(str(error))
    if not certificates:
        return Verdict(None, tuple(errors))
    leaf = next((one for one in certificates if key and public(one) == public(key)), certificates[0])
    chain = ordered(leaf, certificates, now)
    if key and public(key) != public(leaf):
        errors.append(
            f"privkey.pem is not the key of the certificate for {names(leaf)}; put the key there that its request "
            "was made with, or the certificate that belongs to this key"
        )
    if pem.of(fullchain, pem.KEYS):
        warnings.append("fullchain.pem holds a private key, which is not sent out; take it out of that file")
    warnings += _order(certificates, chain)
    errors += _unfit(leaf, domain)
    for late in _expired(chain, now):
        (warnings if allow_expired else errors).append(late)
    errors += [text for one in chain if (text := _not_yet(one, now))]
    errors += [text for one in chain if (text := _weak(one))]
    missing, doubts = _completeness(chain)
    errors += missing
    warnings += doubts
    if errors or key is None:
        return Verdict(None, tuple(errors), tuple(warnings))
    pair = KeyPair(as_pem(chain), unprotected(key), leaf.not_valid_after_utc)
    if now < pair.not_after < now + WARN_BELOW:
        left = f"expires in {pair.days_left(now)} days, on {pair.not_after:%Y-%m-%d}; renew it"
        warnings.append(left)
    return Verdict(pair, (), tuple(warnings))


def load_key(data: bytes, passphrase: bytes | None = None, name: str = "privkey.pem") -> PrivateKey:
    """The private key of a PEM file, RSA or EC. Raises ValueError, never quoting it."""
    bodies = pem.of(data, pem.KEYS)
    if len(bodies) > 1:
        raise ValueError(f"{name} holds {len(bodies)} private keys; leave the certificate's own")
    # PKCS #8 says so in its label, the older form in a header below it
    protected = any(b"ENCRYPTED" in line for body in bodies for line in body.splitlines()[:2])
    if protected and passphrase is None:
        raise ValueError(
            f"{name} is protected by a passphrase, which nginx cannot ask for; put it into the environment variable "
            f"{PASSPHRASE} of this command, or store the key without one"
        )
    try:
        loaded = serialization.load_pem_private_key(
            b"".join(bodies), passphrase if protected else None, unsafe_skip_rsa_key_validation=True
        )
        if isinstance(loaded, rsa.RSAPrivateKey):
            _try(loaded)
    except UnsupportedAlgorithm:
        raise ValueError(f"{name} is of a kind that browsers do not take; order an RSA or EC certificate") from None
    except (ValueError, TypeError):
        if protected:
            raise ValueError(f"{name} does not open with the passphrase in {PASSPHRASE}; correct it") from None
        raise ValueError(
            f"{name} holds no readable PEM private key; it starts with -----BEGIN PRIVATE KEY-----"
        ) from None
    return suitable(loaded, name)


def _try(key: rsa.RSAPrivateKey) -> None:
    """One signature, checked. Raises ValueError where the key's numbers do not belong together.

    It takes a thirtieth of the time of testing the numbers for primality, which counts with a thousand sites.
    """
    scheme = padding.PKCS1v15(), hashes.SHA256()
    try:
        key.public_key().verify(key.sign(b"", *scheme), b"", *scheme)
    except (InvalidSignature, InternalError):
        raise ValueError("an RSA key whose numbers do not belong together") from None


def suitable(key: object, name: str) -> PrivateKey:
    """The key, where it is one that every browser takes. Raises ValueError."""
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < _MIN_RSA_BITS:
            raise ValueError(f"{name} has {key.key_size} bits; at least {_MIN_RSA_BITS} are needed")
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey):
        if key.curve.name not in _CURVES:
            raise ValueError(f"{name} is on the curve {key.curve.name}; browsers take P-256 and P-384")
        return key
    raise ValueError(f"{name} is neither an RSA nor an EC key, which is what browsers accept")


def load_certificates(data: bytes, name: str = "fullchain.pem") -> list[x509.Certificate]:
    """The certificates of a PEM file in its order, at least one. Raises ValueError."""
    try:
        found = [pem.load_certificate(body) for body in pem.of(data, pem.CERTIFICATES)]
    except ValueError:
        raise ValueError(f"{name} holds a damaged certificate; download it again") from None
    if not found:
        raise ValueError(f"{name} holds no readable PEM certificate; it starts with -----BEGIN CERTIFICATE-----")
    return list(dict.fromkeys(found))


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
    return authority.not_valid_before_utc <= now < authority.not_valid_after_utc and not _weak(authority)


def self_issued(certificate: x509.Certificate) -> bool:
    """Whether it is a root, or signed by itself."""
    return certificate.issuer == certificate.subject


def public(holder: x509.Certificate | PrivateKey) -> bytes:
    """The public key, comparable between certificates and keys; empty where its kind is unknown (as SM2's is)."""
    try:
        return holder.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (UnsupportedAlgorithm, ValueError):
        return b""


def unprotected(key: PrivateKey) -> bytes:
    """The key as PEM (PKCS #8), without a passphrase."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def as_pem(chain: Sequence[x509.Certificate]) -> bytes:
    """The certificates as one PEM file, in this order."""
    return b"".join(one.public_bytes(Encoding.PEM) for one in chain)


def covers(certificate: x509.Certificate, domain: str) -> bool:
    """Whether it names the domain, or a wildcard one label above it."""
    known = _dns_names(certificate)
    return domain in known or f"*.{domain.partition('.')[2]}" in known


def has_names(certificate: x509.Certificate) -> bool:
    """Whether it names any host, as authorities' own certificates do not."""
    return bool(_dns_names(certificate))


def names(certificate: x509.Certificate) -> str:
    """The names that it is for, as an operator reads them."""
    return (
        ", ".join(printable(one)[:80] for one in _dns_names(certificate)[:5])
        or "no DNS name (subjectAltName is missing)"
    )


def title(name: x509.Name) -> str:
    """A subject or issuer in a few words: its common name, else all of it."""
    common = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return printable(str(common[0].value) if common else name.rfc4514_string() or "(no name)")[:80]


def printable(text: str) -> str:
    """Names of files and in certificates are others' words: no control characters reach the terminal."""
    return "".join(one if one.isprintable() else "?" for one in text)


def _extension(certificate: x509.Certificate, kind: type[x509.ExtensionType]) -> x509.ExtensionType | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return None


def _dns_names(certificate: x509.Certificate) -> list[str]:
    known = _extension(certificate, x509.SubjectAlternativeName)
    if not isinstance(known, x509.SubjectAlternativeName):
        return []
    return [name.lower() for name in known.get_values_for_type(x509.DNSName)]


def _order(given: Sequence[x509.Certificate], chain: Sequence[x509.Certificate]) -> Iterator[str]:
    left_out = [one for one in given if one not in chain]
    if left_out:
        titles = ", ".join(f'"{title(one.subject)}"' for one in left_out)
        yield f"fullchain.pem holds what is not needed and not sent out: {titles}; take it out"
    if [one for one in given if one in chain] != list(chain):
        titles = ", ".join(f'"{title(one.subject)}"' for one in chain)
        yield f"fullchain.pem is not in order; it goes out as it must: {titles}"


def _unfit(leaf: x509.Certificate, domain: str) -> Iterator[str]:
    if not covers(leaf, domain):
        yield f"the certificate is for {names(leaf)}, not for {domain}; order one that names it"
    # its key loads as any RSA key and goes out as one, which OpenSSL then finds not to be this certificate's
    if leaf.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS:
        yield "the certificate's key is of a kind (RSA-PSS) that browsers do not take; order an RSA or EC certificate"
    usage = _extension(leaf, x509.ExtendedKeyUsage)
    serving = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if isinstance(usage, x509.ExtendedKeyUsage) and not serving & set(usage):
        yield "the certificate is not for servers (serverAuth is missing in its extended key usage); order one that is"


def _which(certificate: x509.Certificate, leaf: x509.Certificate) -> str:
    return "" if certificate == leaf else f'the intermediate "{title(certificate.subject)}": '


def _expired(chain: Sequence[x509.Certificate], now: datetime) -> Iterator[str]:
    for one in chain:
        if now >= one.not_valid_after_utc and (one == chain[0] or not self_issued(one)):
            yield (
                f"{_which(one, chain[0])}expired on {one.not_valid_after_utc:%Y-%m-%d}; "
                "put the renewed one in its place"
            )


def _not_yet(one: x509.Certificate, now: datetime) -> str:
    if now >= one.not_valid_before_utc:
        return ""
    return (
        f'"{title(one.subject)}" is not valid before {one.not_valid_before_utc:%Y-%m-%d %H:%M} UTC; '
        "check this machine's clock"
    )


def _weak(one: x509.Certificate) -> str:
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


def _completeness(chain: Sequence[x509.Certificate]) -> tuple[list[str], list[str]]:
    """Errors and warnings about how far the chain reaches.

    A chain may end below its root, which clients have. A leaf alone of a public authority never does: the
    CA/Browser Forum's Baseline Requirements (6.1.7) forbid roots to sign leaves. A private authority may.
    """
    top = chain[-1]
    anchored = [trust_store.anchors(one) for one in chain]
    if any(anchored):  # below the top too: what a trusted root issued is complete, whoever else vouches for that root
        return [], []
    issuer = title(top.issuer)
    if len(chain) == 1 and self_issued(top):
        return [], ["signed by itself: WeCom and browsers refuse it; order one from a public authority"]
    if len(chain) == 1 and _public_authority(top):
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


def _public_authority(leaf: x509.Certificate) -> bool:
    if _extension(leaf, x509.PrecertificateSignedCertificateTimestamps) is not None:
        return True
    policies = _extension(leaf, x509.CertificatePolicies)
    stated = policies if isinstance(policies, x509.CertificatePolicies) else ()
    return any(policy.policy_identifier.dotted_string.startswith(_BROWSER_FORUM) for policy in stated)
