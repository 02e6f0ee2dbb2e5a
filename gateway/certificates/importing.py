"""Picks the certificate, key and chain for one domain out of all the files that arrived."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from gateway.certificates import archive, formats, judging, names, pem, trust_store
from gateway.certificates.chain import chain_from, self_issued
from gateway.certificates.keys import KeyPair, PrivateKey, public_key, unprotected_pem

_MAX_BYTES = 8 << 20


@dataclass(frozen=True)
class Picked:
    """The pair for a domain, ready to be stored.

    `chain` are the certificates in `pair`. `used` names the files that it comes from, `ignored` the others, each with
    the reason.
    """

    pair: KeyPair
    chain: tuple[x509.Certificate, ...]
    used: tuple[str, ...]
    ignored: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


class RefusedError(Exception):
    """Nothing of what arrived can be stored. `reasons` say why and what would be right; none quotes a key."""

    def __init__(self, reasons: Iterable[str], ignored: Iterable[tuple[str, str]] = ()) -> None:
        self.reasons = tuple(reasons)
        self.ignored = tuple(ignored)
        super().__init__("; ".join(self.reasons))


def pick(domain: str, paths: Sequence[Path], passphrase: bytes | None, now: datetime) -> Picked:
    """The newest valid certificate for `domain` in the files at `paths`, with its key and its chain.

    `passphrase` opens protected keys and archives. Raises RefusedError where there is no such certificate with its key.
    """
    found = _read(paths, passphrase)
    certificates = list(dict.fromkeys(one for file in found for one in file.certificates))
    keys = {public_key(key): key for file in found for key in file.keys}
    leaf = _leaf(domain, certificates, keys, now)
    if leaf is None:
        reason = _nothing_fits(domain, certificates, found)
        # No certificate was chosen, so no file is superfluous: only files that could not be read are told, each once.
        odd = [file for file in found if file.note and not file.locked and file.note not in reason]
        raise RefusedError([reason], [(file.source, _own_note(file)) for file in odd])
    chain = chain_from(leaf, certificates, now)
    if len(chain) > 1 and self_issued(chain[-1]):
        chain.pop()  # clients have the root
    key = keys[public_key(leaf)]
    sources = _sources(found, chain, key)
    ignored = _ignored(found, sources, chain, key)
    verdict = judging.judge(domain, pem.as_pem(chain), unprotected_pem(key), now)
    if verdict.pair is None:
        raise RefusedError(verdict.errors, ignored)
    return Picked(verdict.pair, tuple(chain), tuple(sources), tuple(ignored), verdict.warnings)


def _read(paths: Sequence[Path], passphrase: bytes | None) -> list[formats.Contents]:
    contents: list[tuple[str, bytes]] = []
    for path in paths:
        contents += _contents(path, passphrase)
    # Cloud consoles put a text file with the passphrase beside a .pfx.
    passphrases = [one for one in (passphrase,) if one]
    passphrases += [body.strip() for _, body in contents if _is_passphrase(body)]
    return [formats.parse(source, body, passphrases) for source, body in contents]


def _contents(path: Path, passphrase: bytes | None) -> Iterator[tuple[str, bytes]]:
    """Name and content of the file, or of each file in it where it is a zip file. Raises RefusedError."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except IsADirectoryError:
        raise RefusedError([f"{path} is a folder; name the files in it, like {path}/*"]) from None
    except OSError as error:
        raise RefusedError([f"{path} cannot be read: {error.strerror}; name the files that you were sent"]) from None
    if len(data) > _MAX_BYTES:
        raise RefusedError([f"{path} is larger than any certificate; name the files that you were sent"])
    if not data.startswith(archive.MAGIC):
        yield str(path), data
        return
    try:
        for name, body in archive.members(str(path), data, passphrase):
            yield f"{path}: {name}", body
    except archive.ArchiveError as error:
        raise RefusedError([str(error)]) from None


def _is_passphrase(body: bytes) -> bool:
    return 0 < len(body) <= 64 and b"\n" not in body.strip() and body.strip().isascii()


def _leaf(
    domain: str, certificates: Iterable[x509.Certificate], keys: dict[bytes, PrivateKey], now: datetime
) -> x509.Certificate | None:
    """The certificate for the domain whose key is there. Of several, valid ones come first, then what expires last."""
    own = [one for one in certificates if public_key(one) in keys and names.covers(one, domain)]
    return max(own, key=lambda one: (one.not_valid_before_utc <= now, one.not_valid_after_utc), default=None)


def _nothing_fits(domain: str, certificates: Sequence[x509.Certificate], found: Iterable[formats.Contents]) -> str:
    """Why none of the certificates for the domain has its key here, and what would be right."""
    notes = [file.note for file in found if file.locked]
    if notes:
        return "; ".join(notes)
    fitting = [one for one in certificates if names.covers(one, domain)]
    if not certificates:
        return (
            f"no certificate in {_list(file.source for file in found)}; name what the authority sent: "
            ".pem, .crt, .cer, .pfx or its .zip"
        )
    if not fitting:
        own = [one for one in certificates if names.has_names(one)] or certificates
        seen = "; ".join(sorted({names.shown_names(one) for one in own}))
        return f"the certificate is for {seen}, not for {domain}; order one that names it"
    if any(file.keys for file in found):
        return (
            f"none of the private keys given belongs to the certificate for {names.shown_names(fitting[0])}; "
            "give the key that its request was made with"
        )
    unfit = [file.note for file in found if file.note.startswith(f"{file.source} ")]
    return "; ".join(unfit) or (
        "the private key is missing; name its file too. It lies where the certificate's request was made, "
        "and authorities do not send it"
    )


def _list(sources: Iterable[str]) -> str:
    names = list(sources)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _sources(found: Iterable[formats.Contents], chain: Sequence[x509.Certificate], key: PrivateKey) -> dict[str, None]:
    """The files that the pair comes from: for each part the first that has it."""
    wanted: set[x509.Certificate | bytes] = {*chain, public_key(key)}
    sources: dict[str, None] = {}
    for file in found:
        has = {*file.certificates, *map(public_key, file.keys)} & wanted
        if has:
            sources[file.source] = None
            wanted -= has
    return sources


def _ignored(
    found: Iterable[formats.Contents],
    used: Iterable[str],
    chain: Sequence[x509.Certificate],
    key: PrivateKey,
) -> list[tuple[str, str]]:
    sources = set(used)
    stored: set[x509.Certificate | bytes] = {*chain, public_key(key)}
    return [(file.source, _reason(file, chain, stored)) for file in found if file.source not in sources]


def _reason(file: formats.Contents, chain: Sequence[x509.Certificate], stored: set[x509.Certificate | bytes]) -> str:
    others = [one for one in file.certificates if one not in stored]
    other_keys = [key for key in file.keys if public_key(key) not in stored]
    if file.locked:
        return "is protected by a passphrase, and was not needed"
    if (file.certificates or file.keys) and not others and not other_keys:
        return "holds the same again"
    if others and all(map(self_issued, others)) and not other_keys:
        return "adds nothing but the authority's root, which clients have"
    if others and all(_issued_one(other, chain) for other in others) and not other_keys:
        return "another certificate of this chain's authorities, which is not needed"
    return _own_note(file) or "does not belong to this certificate"


def _issued_one(authority: x509.Certificate, chain: Sequence[x509.Certificate]) -> bool:
    return any(trust_store.issued(one, authority) for one in chain)


def _own_note(file: formats.Contents) -> str:
    return file.note.removeprefix(f"{file.source} ")
