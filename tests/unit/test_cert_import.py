"""Certificates as authorities and consoles hand them out become the two files of a site."""

from __future__ import annotations

import random
import subprocess
from datetime import timedelta
from pathlib import Path

import pyrage
import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, pkcs7

from gateway.cli.main import main

from .importing import (
    CHAIN,
    DOMAIN,
    LEAF,
    RSA,
    assert_refused,
    assert_took,
    enter_checkout,
    pfx,
    run_import,
    stored_files,
    zip_of,
)
from .pki import LOWER, MIDDLE, ROOT, issue, rsa_key, with_old_signature

IDENTITY = pyrage.x25519.Identity.generate()


@pytest.fixture(autouse=True)
def checkout(files, monkeypatch):
    enter_checkout(files, monkeypatch)


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
    "a zip file": {"a.zip": zip_of(**{f"{DOMAIN}.pem": CHAIN, f"{DOMAIN}.key": LEAF.key_pem})},
    "a zip file with its passphrase inside": {"a.zip": zip_of(**{"a.pfx": pfx(), "pfx-password.txt": b"secret\r\n"})},
    "a zip file for every server": {
        "a.zip": zip_of(
            **{
                f"Nginx/1_{DOMAIN}_bundle.crt": CHAIN,
                f"Nginx/2_{DOMAIN}.key": LEAF.key_pem,
                "Apache/1_root_bundle.crt": LOWER.pem + MIDDLE.pem + ROOT.pem,
                f"Apache/2_{DOMAIN}.crt": LEAF.pem,
                f"Apache/3_{DOMAIN}.key": LEAF.key_pem,
                f"Tomcat/{DOMAIN}.jks": b"\xfe\xed\xfe\xed\0\0\0\2",
                f"IIS/{DOMAIN}.pfx": pfx(passphrase=b"unknown"),
                "IIS/说明.txt": "请先安装中间证书".encode("gbk"),
                "more.zip": zip_of(a=b"x"),
            }
        )
    },
}


@pytest.mark.parametrize("given", ARRIVED.values(), ids=ARRIVED.keys())
def test_what_arrives_is_stored_in_order(given):
    done = run_import(given)
    assert_took(done)
    assert done.stderr == ""


@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_how_openssl_writes_pkcs7_is_no_word_to_the_operator(recwarn, form):
    Path("chain.pem").write_bytes(CHAIN)
    command = ["openssl", "crl2pkcs7", "-nocrl", "-certfile", "chain.pem", "-outform", form]
    bundle = subprocess.run(command, check=True, capture_output=True).stdout
    assert_took(run_import({"a.p7b": bundle, "a.key": LEAF.key_pem}))
    assert [str(one.message) for one in recwarn] == []


def test_what_was_stored_is_told():
    done = run_import(ARRIVED["a zip file for every server"])
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
        ({"a.pem": b"", "b.zip": zip_of()}, "no certificate in arrived/a.pem"),
        ({"a.pem": CHAIN, "a.key": issue(DOMAIN, key=rsa_key(1024)).key_pem}, "arrived/a.key has 1024 bits"),
        (
            {"a.pem": CHAIN, "a.key": issue(DOMAIN, key=ec.generate_private_key(ec.SECP521R1())).key_as(Encoding.DER)},
            "arrived/a.key is on the curve secp521r1",
        ),
        ({"a.jks": b"\xfe\xed\xfe\xed"}, "a.jks: a Java key store: download the certificate for nginx instead"),
        ({"a.pem": CHAIN, "a.key": b"x" * (9 << 20)}, "is larger than any certificate"),
        ({"a.pem": b"-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----"}, "holds a damaged certificate"),
        ({"a.pfx": pfx()[:300]}, "is protected by a passphrase"),
    ],
)
def test_what_would_not_serve_is_refused_and_nothing_is_changed(given, reason):
    assert_refused(run_import(given), reason)
    assert not Path("files/certs").exists()
    assert {path for path in Path().rglob("*") if path.is_file()} >= {Path("arrived") / name for name in given}


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
    done = run_import(given)
    assert_refused(done, refused)
    assert _ignored_lines(done) == ignored


def test_an_old_signature_is_the_only_reason_for_a_refusal():
    authority = issue("RSA CA", ROOT, ca=True, key=RSA.key)
    leaf = with_old_signature(issue(DOMAIN, authority, public=True))
    done = run_import({"leaf.crt": leaf.pem, "int.crt": authority.pem, "a.key": leaf.key_pem})
    assert_refused(done, "is signed with SHA1, which browsers refuse")
    assert len(done.stderr.splitlines()) == 1


def test_files_that_cannot_be_read_are_named(tmp_path):
    assert_refused(
        CliRunner().invoke(main, ["import-cert", DOMAIN, "gone.pem"]), "gone.pem cannot be read: No such file"
    )
    assert_refused(
        CliRunner().invoke(main, ["import-cert", DOMAIN, str(tmp_path)]), "is a folder; name the files in it"
    )


@pytest.mark.parametrize("domain", ["*.a.edu.cn", "WX.a.edu.cn", "../x", "a_b.edu.cn", "https://wx.a.edu.cn"])
def test_only_a_sites_domain_is_taken(domain):
    done = run_import({"a.pem": CHAIN + LEAF.key_pem}, domain=domain)
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
    assert_took(run_import({"a.pem": everything}))


def test_a_renewed_intermediate_is_taken_and_the_old_one_ignored_with_its_reason():
    old = issue("Test Issuing", MIDDLE, ca=True, key=LOWER.key, end=timedelta(hours=-1))
    given = {"old.crt": old.pem, "new.crt": LOWER.pem + MIDDLE.pem, "a.pem": LEAF.pem, "a.key": LEAF.key_pem}
    done = run_import(given)
    assert_took(done)
    reason = "another certificate of this chain's authorities, which is not needed"
    assert f"arrived/old.crt: {reason}" in done.stdout


def test_a_wildcard_is_stored_for_each_domain_that_needs_it():
    wild = issue("*.a.edu.cn", LOWER)
    for domain in (DOMAIN, "card.a.edu.cn"):
        done = run_import({"a.pem": wild.pem + LOWER.pem + MIDDLE.pem + wild.key_pem}, domain=domain)
        assert done.exit_code == 0
        assert stored_files(domain)["privkey.pem"] == wild.key_pem


def test_an_import_replaces_and_says_when_the_old_one_was_valid_longer():
    assert run_import({"a.pem": CHAIN, "a.key": LEAF.key_pem}).stderr == ""
    shorter = issue(DOMAIN, LOWER, end=timedelta(days=30))
    done = run_import({"a.pem": shorter.pem + LOWER.pem + MIDDLE.pem, "a.key": shorter.key_pem})
    assert_took(done, shorter)
    assert "was valid longer, until" in done.stderr
    assert "valid longer" not in run_import({"a.pem": CHAIN, "a.key": LEAF.key_pem}).stderr


def test_a_refusal_leaves_the_certificate_that_is_there():
    assert_took(run_import({"a.pem": CHAIN, "a.key": LEAF.key_pem}))
    before = stored_files()
    assert run_import({"a.pem": EXPIRED.pem + LOWER.pem, "a.key": EXPIRED.key_pem}).exit_code == 1
    assert stored_files() == before


def test_a_key_stored_encrypted_leaves_no_plaintext():
    assert_took(run_import({"a.pem": CHAIN, "a.key": LEAF.key_pem}))
    done = run_import({"a.pem": CHAIN, "a.key": LEAF.key_pem}, "--encrypt-to", str(IDENTITY.to_public()))
    assert done.exit_code == 0
    assert "privkey.pem.age (encrypted)" in done.stdout
    stored = stored_files()
    assert stored.keys() == {"fullchain.pem", "privkey.pem.age"}
    assert pyrage.decrypt(stored["privkey.pem.age"], [IDENTITY]) == LEAF.key_pem
    again = run_import({"a.pem": CHAIN, "a.key": LEAF.key_pem})
    assert again.exit_code == 1
    assert "give --encrypt-to age1... again" in again.output
    assert stored_files() == stored


def test_a_wrong_recipient_is_refused():
    done = run_import({"a.pem": CHAIN, "a.key": LEAF.key_pem}, "--encrypt-to", str(IDENTITY))
    assert_refused(done, "give its public half")
    assert str(IDENTITY)[20:40] not in done.output


@pytest.mark.parametrize("whole", [True, False])
def test_names_of_others_do_not_reach_the_terminal_raw(whole):
    """A bell, or worse, in the name of a zip file's member or in a certificate."""
    odd = issue("odd\x07", names=["odd\x07.a.edu.cn"])
    given = {"\x07ring.pem": CHAIN if whole else odd.pem, "k.key": LEAF.key_pem, "\x07": b"x"}
    done = run_import({"a.zip": zip_of(**given)})
    assert done.exit_code == (0 if whole else 1)
    assert "?" in done.output
    assert "\x07" not in done.output


def test_damaged_files_never_end_in_a_traceback():
    """Bytes turned over at random places, the same ones in every run."""
    dice = random.Random(1)  # noqa: S311
    for whole in (LEAF.der, LEAF.key_as(Encoding.DER), pfx(), CHAIN + LEAF.key_pem, zip_of(a=CHAIN, b=LEAF.key_pem)):
        for _ in range(40):
            body = bytearray(whole)
            for _ in range(3):
                body[dice.randrange(len(body))] = dice.randrange(256)
            assert run_import({"a": bytes(body), "good.key": LEAF.key_pem}).exit_code in (0, 1)
