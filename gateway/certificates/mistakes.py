"""Recognises, by content, what was put into files/certs/<domain>/ in place of a certificate or its key."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from gateway import file_content
from gateway.certificates import archive, pem

Wanted = Literal["certificate", "private key"]

_LABELS: dict[Wanted, frozenset[str]] = {"certificate": pem.CERTIFICATES, "private key": pem.KEYS}
_BINARY = (b"\x30", archive.MAGIC, b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce")


def wrong_contents(chain_path: Path, chain: bytes, key_path: Path, key: bytes) -> list[str]:
    """What is wrong and what would be right, for each of the two files that does not hold what it should.

    Never quotes their content.
    """
    only_key = _holds(chain, "private key") and not _holds(chain, "certificate")
    if only_key and _holds(key, "certificate") and not _holds(key, "private key"):
        return [
            f"{chain_path} holds the private key and {key_path.name} the certificate; swap their names, or run "
            f"python -m gateway import-cert {chain_path.parent.name} {chain_path} {key_path}"
        ]
    texts = [_instead(chain_path, chain, "certificate"), _instead(key_path, key, "private key")]
    return [text for text in texts if text]


def wrong_age_file(path: Path, body: bytes) -> str:
    """What can be seen to be wrong with an age file before it is decrypted, "" where nothing is."""
    if _holds(body, "private key"):
        return (
            f"{path} holds the key in the clear, and git does not ignore it; encrypt it: python -m gateway import-cert "
            f"{path.parent.name} {path.parent / 'fullchain.pem'} {path} --encrypt-to age1..."
        )
    reason = _empty_or_web_page(body)
    again = f"python -m gateway import-cert {path.parent.name} FILE... --encrypt-to age1... writes it again"
    return f"{path} {reason}; {again}" if reason else ""


def _instead(path: Path, body: bytes, wanted: Wanted) -> str:
    if _holds(body, wanted):
        return ""
    reason = _empty_or_web_page(body) or _other_pem(body, wanted)
    if not reason and body.startswith(_BINARY):
        return (
            f"{path} is not PEM text but in a binary form (DER, PKCS #12, a zip file or a key store); "
            f"python -m gateway import-cert {path.parent.name} FILE... takes it as it arrived"
        )
    return f"{path} {reason}; {_remedy(path, wanted)}" if reason else ""


def _empty_or_web_page(body: bytes) -> str:
    if not file_content.as_utf8(body).strip():
        return "is empty"
    return "is a web page, saved while not logged in" if file_content.is_web_page(body) else ""


def _other_pem(body: bytes, wanted: Wanted) -> str:
    labels = {block.label for block in pem.blocks(body)}
    other: Wanted = "private key" if wanted == "certificate" else "certificate"
    if labels & _LABELS[other]:
        return f"holds a {other} and no {wanted}"
    if any(label.endswith("CERTIFICATE REQUEST") for label in labels):
        return "holds a certificate request, which has done its work"
    if "PKCS7" in labels:
        return "is PKCS #7, which nginx does not read"
    if any(label.endswith("PUBLIC KEY") for label in labels):
        return "holds a public key"
    return ""


def _holds(body: bytes, what: Wanted) -> bool:
    return bool(pem.bodies(body, _LABELS[what]))


def _remedy(path: Path, wanted: Wanted) -> str:
    return f"put the site's {wanted} there (python -m gateway import-cert {path.parent.name} FILE... does)"
