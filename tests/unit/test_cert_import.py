"""Certificates as authorities and consoles hand them out become the two files of a site."""

from __future__ import annotations

import io
import random
import subprocess
import zipfile
from datetime import timedelta
from pathlib import Path

import pyrage
import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs7,
    pkcs12,
)

from gateway.__main__ import main

from .pki import LOWER, MIDDLE, ROOT, Issued, assert_no_key, issue, rsa_key

DOMAIN = "wx.a.edu.cn"
LEAF = issue(DOMAIN, LOWER, public=True, names=[DOMAIN, "www.a.edu.cn"])
CHAIN = LEAF.pem + LOWER.pem + MIDDLE.pem
RSA = issue(DOMAIN, LOWER, key=rsa_key(2048))
IDENTITY = pyrage.x25519.Identity.generate()


@pytest.fixture(autouse=True)
def checkout(files, tmp_path, monkeypatch) -> Path:
    """An empty checkout as the current folder, on a machine that trusts ROOT."""
    store = tmp_path / "ca-certificates.crt"
    store.write_bytes(ROOT.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(store))
    monkeypatch.delenv("GATEWAY_KEY_PASSPHRASE", raising=False)
    monkeypatch.chdir(files.parent)
    return files.parent


def _pfx(leaf: Issued = LEAF, passphrase: bytes = b"secret") -> bytes:
    others = [LOWER.certificate, MIDDLE.certificate]
    protection = BestAvailableEncryption(passphrase)
    return pkcs12.serialize_key_and_certificates(b"x", leaf.key, leaf.certificate, others, protection)


def _zip(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return buffer.getvalue()


def _import(given: dict[str, bytes], *options: str, domain: str = DOMAIN) -> Result:
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


def _stored(domain: str = DOMAIN) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (Path("files/certs") / domain).glob("*")}


def _took(done: Result, leaf: Issued = LEAF) -> None:
    assert done.exit_code == 0, done.output
    assert _stored() == {"fullchain.pem": leaf.pem + LOWER.pem + MIDDLE.pem, "privkey.pem": leaf.key_pem}


def _refused(done: Result, reason: str) -> None:
    assert done.exit_code == 1
    assert reason in done.output
    assert "stored" not in done.stdout
    assert _stored() == {}


ARRIVED = {
    "pem and key": {f"{DOMAIN}.pem": CHAIN, f"{DOMAIN}.key": LEAF.key_pem},
    "the bundle twice, as one console names it": {
        f"{DOMAIN}_bundle.crt": CHAIN,
        f"{DOMAIN}_bundle.pem": CHAIN,
        f"{DOMAIN}.key": LEAF.key_as(form=PrivateFormat.TraditionalOpenSSL),
        f"{DOMAIN}.csr": b"-----BEGIN CERTIFICATE REQUEST-----\nMAAA\n-----END CERTIFICATE REQUEST-----\n",
    },
    "all in one file, in any order": {"all.pem": MIDDLE.pem + LEAF.key_pem + ROOT.pem + LOWER.pem + LEAF.pem},
    "separate files": {"a.crt": MIDDLE.pem, "b.crt": LEAF.pem, "c.crt": LOWER.pem, "d.key": LEAF.key_pem},
    "from Windows": {
        "a.cer": b"\xef\xbb\xbf" + CHAIN.replace(b"\n", b"\r\n"),
        "a.key": LEAF.key_pem.decode().replace("\n", "\r\n").encode("utf-16"),
    },
    "openssl's prose": {
        "a.pem": b"Bag Attributes\n    friendlyName: x\n" + CHAIN,
        "a.key": b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
        + LEAF.key_as(form=PrivateFormat.TraditionalOpenSSL),
    },
    "indented by a mail program": {"a.txt": (CHAIN + LEAF.key_pem).replace(b"\n", b"  \n\t")},
    "DER": {
        "a.cer": LEAF.der,
        "b.cer": LOWER.der,
        "c.cer": MIDDLE.der,
        "a.key": LEAF.key_as(Encoding.DER),
    },
    "PKCS #7": {
        "a.p7b": pkcs7.serialize_certificates([MIDDLE.certificate, LEAF.certificate, LOWER.certificate], Encoding.PEM),
        "a.key": LEAF.key_pem,
    },
    "PKCS #7 in DER": {
        "a.p7b": pkcs7.serialize_certificates([MIDDLE.certificate, LEAF.certificate, LOWER.certificate], Encoding.DER),
        "a.key": LEAF.key_pem,
    },
    "a zip file": {"a.zip": _zip(**{f"{DOMAIN}.pem": CHAIN, f"{DOMAIN}.key": LEAF.key_pem})},
    "a zip file with its passphrase inside": {"a.zip": _zip(**{"a.pfx": _pfx(), "pfx-password.txt": b"secret\r\n"})},
    "a zip file for every server": {
        "a.zip": _zip(
            **{
                f"Nginx/1_{DOMAIN}_bundle.crt": CHAIN,
                f"Nginx/2_{DOMAIN}.key": LEAF.key_pem,
                "Apache/1_root_bundle.crt": LOWER.pem + MIDDLE.pem + ROOT.pem,
                f"Apache/2_{DOMAIN}.crt": LEAF.pem,
                f"Apache/3_{DOMAIN}.key": LEAF.key_pem,
                f"Tomcat/{DOMAIN}.jks": b"\xfe\xed\xfe\xed\0\0\0\2",
                f"IIS/{DOMAIN}.pfx": _pfx(passphrase=b"unknown"),
                "IIS/说明.txt": "请先安装中间证书".encode("gbk"),
                "more.zip": _zip(a=b"x"),
            }
        )
    },
}


@pytest.mark.parametrize("given", ARRIVED.values(), ids=ARRIVED.keys())
def test_what_arrives_is_stored_in_order(given):
    done = _import(given)
    _took(done)
    assert done.stderr == ""


def test_what_was_stored_is_told():
    done = _import(ARRIVED["a zip file for every server"])
    for line in (
        "stored      files/certs/wx.a.edu.cn/fullchain.pem",
        "            files/certs/wx.a.edu.cn/privkey.pem (not encrypted, mode 600)",
        "from        arrived/a.zip: Nginx/1_wx.a.edu.cn_bundle.crt",
        "names       wx.a.edu.cn, www.a.edu.cn",
        "60 days left",
        "chain       wx.a.edu.cn",
        "            Test Issuing",
        "            (issued by Test Root)",
        "ignored     arrived/a.zip: Apache/1_root_bundle.crt: adds nothing but the authority's root",
        "Apache/3_wx.a.edu.cn.key: holds the same again",
        "Tomcat/wx.a.edu.cn.jks: a Java key store",
        "IIS/wx.a.edu.cn.pfx: is protected by a passphrase, and was not needed",
        "IIS/说明.txt: holds neither certificate nor key",
        "more.zip: a zip file inside a zip file",
    ):
        assert line in done.stdout


@pytest.mark.parametrize(
    "given",
    [
        {"a.pfx": _pfx()},
        {"a.pem": CHAIN, "a.key": LEAF.key_as(passphrase=b"secret")},
        {"a.pem": CHAIN, "a.key": LEAF.key_as(form=PrivateFormat.TraditionalOpenSSL, passphrase=b"secret")},
        {"a.pem": CHAIN, "a.key": LEAF.key_as(Encoding.DER, passphrase=b"secret")},
    ],
)
def test_protected_keys_need_the_passphrase(monkeypatch, given):
    for passphrase in (None, "wrong"):
        if passphrase:
            monkeypatch.setenv("GATEWAY_KEY_PASSPHRASE", passphrase)
        _refused(_import(given), "is protected by a passphrase, and GATEWAY_KEY_PASSPHRASE is not set or not it")
    monkeypatch.setenv("GATEWAY_KEY_PASSPHRASE", "secret")
    done = _import(given)
    _took(done)
    assert "secret" not in done.output


def test_a_pfx_without_a_passphrase_opens():
    others = [LOWER.certificate, MIDDLE.certificate]
    _took(
        _import(
            {"a.pfx": pkcs12.serialize_key_and_certificates(b"x", LEAF.key, LEAF.certificate, others, NoEncryption())}
        )
    )


def test_a_passphrase_does_not_harm_what_needs_none(monkeypatch):
    monkeypatch.setenv("GATEWAY_KEY_PASSPHRASE", "secret")
    _took(_import({"a.pem": CHAIN, "a.key": LEAF.key_pem}))
    _took(_import({"a.pem": CHAIN, "a.key": LEAF.key_as(Encoding.DER)}))


STRANGER = issue("wx.b.edu.cn", LOWER)
EXPIRED = issue(DOMAIN, LOWER, start=timedelta(days=-90), end=timedelta(days=-1))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"a.pem": CHAIN}, "the private key is missing; name its file too"),
        ({"a.key": LEAF.key_pem}, "no certificate in arrived/a.key"),
        ({"a.pem": CHAIN, "a.key": STRANGER.key_pem}, "none of the private keys given belongs to"),
        ({"a.pem": STRANGER.pem + CHAIN, "a.key": STRANGER.key_pem}, "none of the private keys given belongs to"),
        ({"a.pem": STRANGER.pem + LOWER.pem, "a.key": STRANGER.key_pem}, "is for wx.b.edu.cn, not for wx.a.edu.cn"),
        ({"a.pem": LOWER.pem, "a.key": LEAF.key_pem}, "is for no DNS name"),
        ({"a.pem": LEAF.pem, "a.key": LEAF.key_pem}, 'intermediate certificate "Test Issuing" is missing'),
        ({"a.pem": EXPIRED.pem + LOWER.pem, "a.key": EXPIRED.key_pem}, "expired on"),
        ({"a.pem": b"", "b.zip": _zip()}, "no certificate in arrived/a.pem"),
        ({"a.pem": CHAIN, "a.key": issue(DOMAIN, key=rsa_key(1024)).key_pem}, "arrived/a.key has 1024 bits"),
        (
            {"a.pem": CHAIN, "a.key": issue(DOMAIN, key=ec.generate_private_key(ec.SECP521R1())).key_as(Encoding.DER)},
            "arrived/a.key is on the curve secp521r1",
        ),
        ({"a.jks": b"\xfe\xed\xfe\xed"}, "a.jks: a Java key store: download the certificate for nginx instead"),
        ({"a.pem": CHAIN, "a.key": b"x" * (9 << 20)}, "is larger than any certificate"),
        ({"a.pem": b"-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----"}, "holds a damaged certificate"),
        ({"a.pfx": _pfx()[:300]}, "is protected by a passphrase"),
        ({"a.zip": _zip(a=b"x")[:40]}, "is a damaged zip file"),
        ({"a.zip": _zip(**{"../../etc/x.pem": CHAIN})}, "leads out of it"),
        ({"a.zip": _zip(**{"/etc/x.pem": CHAIN})}, "leads out of it"),
        ({"a.zip": _zip(**{"C:\\x.pem": CHAIN})}, "leads out of it"),
        ({"a.zip": _zip(a=b"\0" * (2 << 20))}, "is too large when unpacked"),
        ({"a.zip": _zip(**{f"{n}": b"\0" * (1 << 20) for n in range(10)})}, "is too large when unpacked"),
        ({"a.zip": _zip(**{f"{n}": b"" for n in range(300)})}, "holds 300 files"),
    ],
)
def test_what_would_not_serve_is_refused_and_nothing_is_changed(given, reason):
    _refused(_import(given), reason)
    assert not Path("files/certs").exists()
    assert {path for path in Path().rglob("*") if path.is_file()} >= {Path("arrived") / name for name in given}


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
    body = bytearray(_zip(a=CHAIN))
    for place in (6, body.index(b"PK\x01\x02") + 8):
        body[place : place + 4] = bytes([flag, 0, method, 0])
    for passphrase in ("", "wrong"):
        monkeypatch.setenv("GATEWAY_KEY_PASSPHRASE", passphrase)
        _refused(_import({"a.zip": bytes(body)}), reason)


def test_a_lying_zip_header_is_not_believed():
    """A bomb that claims to be small: the size is counted while it unpacks."""
    body = _zip(a=b"\0" * (2 << 20)).replace((2 << 20).to_bytes(4, "little"), (9).to_bytes(4, "little"))
    done = _import({"a.zip": body})
    assert done.exit_code == 1
    assert "a.zip" in done.output


def _ignored_lines(done: Result) -> list[str]:
    return [line for line in done.stderr.splitlines() if line.startswith("ignored: ")]


@pytest.mark.parametrize(
    ("given", "refused", "ignored"),
    [
        (
            {"enc.key": LEAF.key_as(passphrase=b"secret"), "leaf.crt": LEAF.pem, "a.txt": b"hello"},
            "arrived/enc.key is protected by a passphrase",
            ["ignored: arrived/a.txt: holds neither certificate nor key"],
        ),
        ({"leaf.crt": STRANGER.pem, "a.key": STRANGER.key_pem}, "the certificate is for wx.b.edu.cn", []),
        ({"leaf.crt": LEAF.pem, "root.crt": ROOT.pem, "a.key": STRANGER.key_pem}, "none of the private keys", []),
        (
            {"leaf.crt": STRANGER.pem, "small.key": issue(DOMAIN, key=rsa_key(1024)).key_pem},
            "the certificate is for wx.b.edu.cn",
            ["ignored: arrived/small.key: has 1024 bits; at least 2048 are needed"],
        ),
        ({"leaf.crt": LEAF.pem, "small.key": issue(DOMAIN, key=rsa_key(1024)).key_pem}, "small.key has 1024 bits", []),
        (
            {
                "leaf.crt": LEAF.pem,
                "a.csr": b"-----BEGIN CERTIFICATE REQUEST-----\nMAAA\n-----END CERTIFICATE REQUEST-----",
            },
            "the private key is missing",
            ["ignored: arrived/a.csr: a certificate request, which has done its work"],
        ),
    ],
)
def test_a_refusal_for_want_of_a_certificate_is_not_contradicted_by_what_is_ignored(given, refused, ignored):
    done = _import(given)
    _refused(done, refused)
    assert _ignored_lines(done) == ignored


def test_files_that_cannot_be_read_are_named(tmp_path):
    _refused(CliRunner().invoke(main, ["import-cert", DOMAIN, "gone.pem"]), "gone.pem cannot be read: No such file")
    _refused(CliRunner().invoke(main, ["import-cert", DOMAIN, str(tmp_path)]), "is a folder; name the files in it")


@pytest.mark.parametrize("domain", ["*.a.edu.cn", "WX.a.edu.cn", "../x", "a_b.edu.cn", "https://wx.a.edu.cn"])
def test_only_a_sites_domain_is_taken(domain):
    done = _import({"a.pem": CHAIN + LEAF.key_pem}, domain=domain)
    assert done.exit_code == 1
    assert "domain: " in done.output
    assert not list(Path("files").iterdir())


def test_outside_a_checkout_nothing_is_stored(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path / "files")
    done = CliRunner().invoke(main, ["import-cert", DOMAIN, "x.pem"])
    assert done.exit_code == 1
    assert "run this in the checkout's top folder" in done.output


def test_the_newest_valid_certificate_is_taken():
    old = issue(DOMAIN, LOWER, end=timedelta(days=10))
    future = issue(DOMAIN, LOWER, start=timedelta(days=5), end=timedelta(days=400))
    everything = CHAIN + b"".join(one.pem + one.key_pem for one in (old, future)) + LEAF.key_pem
    _took(_import({"a.pem": everything}))


def test_a_wildcard_is_stored_for_each_domain_that_needs_it():
    wild = issue("*.a.edu.cn", LOWER)
    for domain in (DOMAIN, "card.a.edu.cn"):
        done = _import({"a.pem": wild.pem + LOWER.pem + MIDDLE.pem + wild.key_pem}, domain=domain)
        assert done.exit_code == 0
        assert _stored(domain)["privkey.pem"] == wild.key_pem


def test_an_import_replaces_and_says_when_the_old_one_was_valid_longer():
    assert _import({"a.pem": CHAIN, "a.key": LEAF.key_pem}).stderr == ""
    shorter = issue(DOMAIN, LOWER, end=timedelta(days=30))
    done = _import({"a.pem": shorter.pem + LOWER.pem + MIDDLE.pem, "a.key": shorter.key_pem})
    _took(done, shorter)
    assert "was valid longer, until" in done.stderr
    assert "valid longer" not in _import({"a.pem": CHAIN, "a.key": LEAF.key_pem}).stderr


def test_a_refusal_leaves_the_certificate_that_is_there():
    _took(_import({"a.pem": CHAIN, "a.key": LEAF.key_pem}))
    before = _stored()
    assert _import({"a.pem": EXPIRED.pem + LOWER.pem, "a.key": EXPIRED.key_pem}).exit_code == 1
    assert _stored() == before


def test_a_key_stored_encrypted_leaves_no_plaintext():
    _took(_import({"a.pem": CHAIN, "a.key": LEAF.key_pem}))
    done = _import({"a.pem": CHAIN, "a.key": LEAF.key_pem}, "--encrypt-to", str(IDENTITY.to_public()))
    assert done.exit_code == 0
    assert "privkey.pem.age (encrypted)" in done.stdout
    stored = _stored()
    assert stored.keys() == {"fullchain.pem", "privkey.pem.age"}
    assert pyrage.decrypt(stored["privkey.pem.age"], [IDENTITY]) == LEAF.key_pem
    again = _import({"a.pem": CHAIN, "a.key": LEAF.key_pem})
    assert again.exit_code == 1
    assert "give --encrypt-to age1... again" in again.output
    assert _stored() == stored


def test_a_wrong_recipient_is_refused():
    done = _import({"a.pem": CHAIN, "a.key": LEAF.key_pem}, "--encrypt-to", str(IDENTITY))
    _refused(done, "give its public half")
    assert str(IDENTITY)[20:40] not in done.output


@pytest.mark.parametrize("whole", [True, False])
def test_names_of_others_do_not_reach_the_terminal_raw(whole):
    """A bell, or worse, in the name of a zip file's member or in a certificate."""
    odd = issue("odd\x07", names=["odd\x07.a.edu.cn"])
    given = {"\x07ring.pem": CHAIN if whole else odd.pem, "k.key": LEAF.key_pem, "\x07": b"x"}
    done = _import({"a.zip": _zip(**given)})
    assert done.exit_code == (0 if whole else 1)
    assert "?" in done.output
    assert "\x07" not in done.output


@pytest.mark.parametrize("kind", ["-des3", "-aes256"])
def test_openssls_own_files_are_read(monkeypatch, kind):
    """An RSA key as openssl itself protects it."""
    Path("plain.key").write_bytes(RSA.key_pem)
    command = ["openssl", "pkey", "-traditional", kind, "-in", "plain.key", "-passout", "pass:secret"]
    locked = subprocess.run(command, check=True, capture_output=True).stdout
    monkeypatch.setenv("GATEWAY_KEY_PASSPHRASE", "secret")
    _took(_import({"a.pem": RSA.pem + LOWER.pem + MIDDLE.pem, "a.key": locked}), RSA)


def test_damaged_files_never_end_in_a_traceback():
    """Bytes turned over at random places, the same ones in every run."""
    dice = random.Random(1)  # noqa: S311
    for whole in (LEAF.der, LEAF.key_as(Encoding.DER), _pfx(), CHAIN + LEAF.key_pem, _zip(a=CHAIN, b=LEAF.key_pem)):
        for _ in range(40):
            body = bytearray(whole)
            for _ in range(3):
                body[dice.randrange(len(body))] = dice.randrange(256)
            assert _import({"a": bytes(body), "good.key": LEAF.key_pem}).exit_code in (0, 1)
