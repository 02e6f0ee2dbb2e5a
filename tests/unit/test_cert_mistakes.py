"""What lies in files/certs/<domain>/ in place of a certificate or key: said as that, one error each."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pyrage
import pytest

from gateway.certificates import ca_file, pem
from gateway.fleet.parsing import parse_host
from gateway.nginx.build import Build
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree

from .conftest import PLATFORMS
from .forked import gateway, run
from .importing import CHAIN, LEAF, assert_took, enter_checkout, pfx, run_import, zip_of
from .pki import LOWER, MIDDLE, ROOT, assert_no_key

DOMAIN = "wx.a.edu.cn"
PAGE = b"\xef\xbb\xbf\r\n<!DOCTYPE html><html><title>Login</title></html>"


@pytest.fixture
def folder(files, monkeypatch) -> Path:
    """Of a site whose certificate and key are in order, on a machine that trusts ROOT."""
    enter_checkout(files, monkeypatch)
    path = files / "certs" / DOMAIN
    path.mkdir(parents=True)
    (path / "fullchain.pem").write_bytes(CHAIN)
    (path / "privkey.pem").write_bytes(LEAF.key_pem)
    return path


def _errors(files: Path) -> list[str]:
    entry = {"domain": DOMAIN, "edge": "tls", "platform": "wanxiao_prod"}
    _, problems = parse_host("h1", {"platforms": PLATFORMS, "sites": [entry]}, files)
    assert_no_key(repr(problems), LEAF)
    return [one.text for one in problems if one.severity == "error"]


def _trusted(certificate, more: bytes = b"") -> bytes:
    """As `openssl x509 -trustout` writes it: what it is trusted for follows the certificate."""
    text = base64.encodebytes(certificate.der + more)
    return b"-----BEGIN TRUSTED CERTIFICATE-----\n" + text + b"-----END TRUSTED CERTIFICATE-----\n"


MISTAKES = [
    (b"", "is empty"),
    (b"\r\n \n", "is empty"),
    (b"\xef\xbb\xbf", "is empty"),
    (PAGE, "is a web page, saved while not logged in"),
    (PAGE.decode().encode("utf-16"), "is a web page, saved while not logged in"),
    (LEAF.der, "is not PEM text but in a binary form"),
    (pfx(), "is not PEM text but in a binary form"),
    (zip_of(a=CHAIN), "is not PEM text but in a binary form"),
    (CHAIN.replace(b"CERTIFICATE", b"CERTIFICATE REQUEST"), "holds a certificate request"),
    (CHAIN.replace(b"CERTIFICATE", b"PKCS7"), "is PKCS #7"),
    (CHAIN.replace(b"CERTIFICATE", b"PUBLIC KEY"), "holds a public key"),
]


@pytest.mark.parametrize("name", ["fullchain.pem", "privkey.pem"])
@pytest.mark.parametrize(("body", "said"), MISTAKES)
def test_what_it_is_instead(files, folder, name, body, said):
    (folder / name).write_bytes(body)
    (text,) = _errors(files)
    assert text.startswith(f"{folder / name} {said}")
    assert f"import-cert {DOMAIN}" in text


def test_swapped_files_are_one_error(files, folder):
    (folder / "fullchain.pem").write_bytes(LEAF.key_pem)
    (folder / "privkey.pem").write_bytes(CHAIN)
    (text,) = _errors(files)
    assert "fullchain.pem holds the private key and privkey.pem the certificate" in text
    assert "swap" in text


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("fullchain.pem", LEAF.key_pem, "holds a private key and no certificate"),
        ("privkey.pem", CHAIN, "holds a certificate and no private key"),
    ],
)
def test_the_same_in_both_is_told_of_the_wrong_one(files, folder, name, body, said):
    (folder / name).write_bytes(body)
    (text,) = _errors(files)
    assert text.startswith(f"{folder / name} {said}")


def test_how_pem_begins_is_not_said_of_the_file_that_is_there():
    with pytest.raises(ValueError, match="holds no readable PEM certificate; one starts with -----BEGIN"):
        pem.load_certificates(b"Dear operator", "files/ca/inner.pem")


@pytest.mark.parametrize("name", ["fullchain.pem", "privkey.pem"])
@pytest.mark.parametrize(("kind", "said"), [(kind, f"is a {kind}") for kind in ("pipe", "folder", "device")])
def test_what_is_no_file_is_not_waited_for(files, folder, name, kind, said):
    path = folder / name
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    done = run(lambda: print(*_errors(files), sep="\n"), seconds=20)
    (text,) = done.stdout.splitlines()
    assert text.startswith(f"{path} {said}, no regular file; ")


def test_an_import_does_not_wait_for_what_lies_there(folder):
    (folder / "fullchain.pem").unlink()
    (folder / "privkey.pem").unlink()
    os.mkfifo(folder / "fullchain.pem")
    Path("a.pem").write_bytes(CHAIN + LEAF.key_pem)
    done = gateway("import-cert", DOMAIN, "a.pem", folder=Path.cwd())
    assert done.returncode == 0, done.stderr
    assert (folder / "fullchain.pem").read_bytes() == CHAIN


def test_a_huge_file_is_not_read(files, folder):
    with (folder / "fullchain.pem").open("wb") as file:
        file.truncate(1 << 40)
    (text,) = _errors(files)
    assert "is larger than any certificate" in text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "is empty"),
        (PAGE, "is a web page"),
        (LEAF.key_pem, "holds the key in the clear, and git does not ignore it"),
        (CHAIN, "is damaged or no age file"),
    ],
)
def test_an_age_file_that_is_none(files, folder, monkeypatch, body, said):
    identity = files.parent / "age.key"
    identity.write_text(str(pyrage.x25519.Identity.generate()))
    monkeypatch.setenv("GATEWAY_AGE_KEY_FILE", str(identity))
    (folder / "privkey.pem").unlink()
    (folder / "privkey.pem.age").write_bytes(body)
    (text,) = _errors(files)
    assert text.startswith(f"{folder / 'privkey.pem.age'} {said}")


FORMS = {
    "openssl's own": _trusted(LEAF, bytes.fromhex("300c300a06082b06010505070301")) + _trusted(LOWER) + MIDDLE.pem,
    "the leaf alone in openssl's own": _trusted(LEAF) + LOWER.pem + MIDDLE.pem,
    "an old label": CHAIN.replace(b"CERTIFICATE", b"X509 CERTIFICATE"),
    "CRLF": CHAIN.replace(b"\n", b"\r\n"),
    "UTF-16 of a Windows editor": CHAIN.decode().encode("utf-16"),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_pem_are_read(files, folder, form):
    (folder / "fullchain.pem").write_bytes(FORMS[form])
    entry = {"domain": DOMAIN, "edge": "tls", "platform": "wanxiao_prod"}
    host, problems = parse_host("h1", {"platforms": PLATFORMS, "sites": [entry]}, files)
    assert [one.text for one in problems if one.field == "cert" and one.severity == "error"] == []
    assert host.certs[DOMAIN].chain == CHAIN


@pytest.mark.parametrize("form", FORMS)
def test_and_imported(files, monkeypatch, form):
    enter_checkout(files, monkeypatch)
    assert_took(run_import({"a.crt": FORMS[form], "a.key": LEAF.key_pem}))


@pytest.mark.parametrize("rest", [b"", b"\x30", b"\x30\x82\xff\xff", b"\x30\x05abc"])
def test_a_damaged_one_of_openssls_own_is_damaged(rest):
    body = b"-----BEGIN TRUSTED CERTIFICATE-----\n" + base64.encodebytes(rest) + b"-----END TRUSTED CERTIFICATE-----\n"
    with pytest.raises(ValueError, match=r"fullchain\.pem holds a damaged certificate"):
        pem.load_certificates(body)


@pytest.mark.parametrize("form", [_trusted(ROOT), ROOT.pem.replace(b"\n", b"\r\n"), ROOT.pem.decode().encode("utf-16")])
def test_an_acme_servers_ca_is_read_in_the_same_forms(parse, files, form):
    (files / "ca.pem").write_bytes(form)
    account = {"email": "ops@school.edu.cn", "directory": "https://ca.inner.example/dir", "ca": "files/ca.pem"}
    site = {"domain": DOMAIN, "edge": "tls", "platform": "wanxiao_prod", "cert": {"acme": account}}
    host, problems = parse(site)
    assert not problems
    (path,) = [path for path in tree(host, Build(Version((1, 22, 1)))) if path.startswith("acme-ca/")]
    assert tree(host, Build(Version((1, 22, 1))))[path].body == ROOT.pem


@pytest.mark.parametrize("kind", ["pipe", "folder", "huge"])
def test_nor_is_an_acme_servers_ca_waited_for(files, kind):
    path = files / "ca.pem"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        with path.open("wb") as file:
            file.truncate(1 << 40)

    def read():
        try:
            ca_file.read(path, "files/ca.pem")
        except ValueError as error:
            print(error)

    done = run(read, seconds=20)
    (line,) = done.stdout.splitlines()
    assert ("is larger than any certificate" if kind == "huge" else f"is a {kind}, no regular file") in line
    assert "put the certificate of the authority there" in line
