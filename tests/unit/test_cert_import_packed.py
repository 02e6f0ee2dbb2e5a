"""Certificates and keys that arrive in zip files and under passphrases."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from .importing import CHAIN, LEAF, RSA, assert_refused, assert_took, enter_checkout, pfx, run_import, zip_of
from .pki import LOWER, MIDDLE


@pytest.fixture(autouse=True)
def checkout(files, monkeypatch):
    enter_checkout(files, monkeypatch)


@pytest.mark.parametrize(
    "given",
    [
        {"a.pfx": pfx()},
        {"a.pem": CHAIN, "a.key": LEAF.key_as(passphrase=b"secret")},
        {"a.pem": CHAIN, "a.key": LEAF.key_as(form=PrivateFormat.TraditionalOpenSSL, passphrase=b"secret")},
        {"a.pem": CHAIN, "a.key": LEAF.key_as(Encoding.DER, passphrase=b"secret")},
    ],
)
def test_protected_keys_need_the_passphrase(monkeypatch, given):
    for passphrase in (None, "wrong"):
        if passphrase:
            monkeypatch.setenv("GATEWAY_KEY_PASSPHRASE", passphrase)
        assert_refused(
            run_import(given), "is protected by a passphrase, and GATEWAY_KEY_PASSPHRASE is not set or not it"
        )
    monkeypatch.setenv("GATEWAY_KEY_PASSPHRASE", "secret")
    done = run_import(given)
    assert_took(done)
    assert "secret" not in done.output


def test_a_pfx_without_a_passphrase_opens():
    others = [LOWER.certificate, MIDDLE.certificate]
    assert_took(
        run_import(
            {"a.pfx": pkcs12.serialize_key_and_certificates(b"x", LEAF.key, LEAF.certificate, others, NoEncryption())}
        )
    )


def test_a_passphrase_does_not_harm_what_needs_none(monkeypatch):
    monkeypatch.setenv("GATEWAY_KEY_PASSPHRASE", "secret")
    assert_took(run_import({"a.pem": CHAIN, "a.key": LEAF.key_pem}))
    assert_took(run_import({"a.pem": CHAIN, "a.key": LEAF.key_as(Encoding.DER)}))


@pytest.mark.parametrize("kind", ["-des3", "-aes256"])
def test_openssls_own_files_are_read(monkeypatch, kind):
    """An RSA key as openssl itself protects it."""
    Path("plain.key").write_bytes(RSA.key_pem)
    command = ["openssl", "pkey", "-traditional", kind, "-in", "plain.key", "-passout", "pass:secret"]
    locked = subprocess.run(command, check=True, capture_output=True).stdout
    monkeypatch.setenv("GATEWAY_KEY_PASSPHRASE", "secret")
    assert_took(run_import({"a.pem": RSA.pem + LOWER.pem + MIDDLE.pem, "a.key": locked}), RSA)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (zip_of(a=b"x")[:40], "is a damaged zip file"),
        (zip_of(**{"../../etc/x.pem": CHAIN}), "leads out of it"),
        (zip_of(**{"/etc/x.pem": CHAIN}), "leads out of it"),
        (zip_of(**{"C:\\x.pem": CHAIN}), "leads out of it"),
        (zip_of(a=b"\0" * (2 << 20)), "is too large when unpacked"),
        (zip_of(**{f"{n}": b"\0" * (1 << 20) for n in range(10)}), "is too large when unpacked"),
        (zip_of(**{f"{n}": b"" for n in range(300)}), "holds 300 files"),
    ],
    ids=["cut off", "above", "root", "drive", "one large file", "many large files", "many files"],
)
def test_a_zip_file_that_is_damaged_or_a_trap_is_refused(body, reason):
    assert_refused(run_import({"a.zip": body}), reason)
    assert not Path("files/certs").exists()
    assert Path("arrived/a.zip").read_bytes() == body


@pytest.mark.parametrize(
    ("flag", "method", "reason"),
    [
        (1, 0, "is protected by a password; put it into GATEWAY_KEY_PASSPHRASE"),
        (1, 99, "packed in a way"),
        (0, 14, "packed in a way"),
    ],
)
def test_protected_and_unusual_zip_files_are_told(monkeypatch, flag, method, reason):
    """The flag and the method stand in the local header and in the directory at the end."""
    body = bytearray(zip_of(a=CHAIN))
    for place in (6, body.index(b"PK\x01\x02") + 8):
        body[place : place + 4] = bytes([flag, 0, method, 0])
    for passphrase in ("", "wrong"):
        monkeypatch.setenv("GATEWAY_KEY_PASSPHRASE", passphrase)
        assert_refused(run_import({"a.zip": bytes(body)}), reason)


def test_a_lying_zip_header_is_not_believed():
    """A bomb that claims to be small: the size is counted while it unpacks."""
    body = zip_of(a=b"\0" * (2 << 20)).replace((2 << 20).to_bytes(4, "little"), (9).to_bytes(4, "little"))
    done = run_import({"a.zip": body})
    assert done.exit_code == 1
    assert "a.zip" in done.output
