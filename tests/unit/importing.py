"""What tests of import-cert share: an empty checkout, what arrives, and how an import ended."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from gateway.cli.main import main

from .pki import LOWER, MIDDLE, ROOT, Issued, assert_no_key, issue, rsa_key

DOMAIN = "wx.a.edu.cn"
LEAF = issue(DOMAIN, LOWER, public=True, names=[DOMAIN, "www.a.edu.cn"])
CHAIN = LEAF.pem + LOWER.pem + MIDDLE.pem
RSA = issue(DOMAIN, LOWER, key=rsa_key(2048))


def enter_checkout(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the checkout of `files` the current folder, on a machine that trusts ROOT."""
    store = files.parent / "ca-certificates.crt"
    store.write_bytes(ROOT.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(store))
    monkeypatch.delenv("GATEWAY_KEY_PASSPHRASE", raising=False)
    monkeypatch.chdir(files.parent)


def pfx(leaf: Issued = LEAF, passphrase: bytes = b"secret") -> bytes:
    others = [LOWER.certificate, MIDDLE.certificate]
    protection = BestAvailableEncryption(passphrase)
    return pkcs12.serialize_key_and_certificates(b"x", leaf.key, leaf.certificate, others, protection)


def zip_of(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return buffer.getvalue()


def run_import(given: dict[str, bytes], *options: str, domain: str = DOMAIN) -> Result:
    """Writes what arrived into arrived/ and imports it. No key shows in what is said."""
    names = []
    for name, body in given.items():
        path = Path("arrived") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        names.append(str(path))
    done = CliRunner().invoke(main, ["import-cert", domain, *names, *options])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert_no_key(done.output, LEAF, RSA, LOWER)
    assert "\x1b" not in done.output
    return done


def stored_files(domain: str = DOMAIN) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (Path("files/certs") / domain).glob("*")}


def assert_took(done: Result, leaf: Issued = LEAF) -> None:
    assert done.exit_code == 0, done.output
    assert stored_files() == {"fullchain.pem": leaf.pem + LOWER.pem + MIDDLE.pem, "privkey.pem": leaf.key_pem}


def assert_refused(done: Result, reason: str) -> None:
    assert done.exit_code == 1
    assert reason in done.output
    assert "stored" not in done.stdout
    assert stored_files() == {}
