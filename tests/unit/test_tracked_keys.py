"""Private keys that git has taken in are refused by `check`, wherever in the checkout they lie."""

from __future__ import annotations

import io
import subprocess
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.checkout import tracked_keys

from .conftest import REPO
from .pki import assert_no_key, issue

DOMAIN = "wx.a.edu.cn"
LEAF = issue(DOMAIN)
FILES = Path("files")


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> Path:
    """An empty git checkout as the current folder."""
    monkeypatch.chdir(tmp_path)
    _git("init", "-q")
    return tmp_path


def _put(path: str, body: bytes, *, tracked: bool = True) -> Path:
    there = Path(path)
    there.parent.mkdir(parents=True, exist_ok=True)
    there.write_bytes(body)
    if tracked:
        _git("add", "-f", path)
    return there


def _zip(flag: int = 0, **members: bytes) -> bytes:
    """A zip file; with `flag` 1 it says that its members are protected by a password."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    body = bytearray(buffer.getvalue())
    if members:
        body[6] |= flag
        body[body.index(b"PK\x01\x02") + 8] |= flag
    return bytes(body)


def _told() -> list[str]:
    problems = tracked_keys.problems(FILES)
    assert all(one.severity == "error" for one in problems)
    assert_no_key(str(problems), LEAF)
    return [str(one) for one in problems]


def test_a_key_that_git_tracks_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    key = _put(f"files/certs/{DOMAIN}/privkey.pem", LEAF.key_pem, tracked=False)
    chain = _put(f"files/certs/{DOMAIN}/fullchain.pem", LEAF.pem, tracked=False)
    encrypted = _put(f"files/certs/{DOMAIN}/privkey.pem.age", b"age-encryption.org/v1", tracked=False)
    assert _told() == []  # no git here
    _git("init", "-q")
    assert _told() == []
    _git("add", "-f", str(encrypted), str(chain))
    assert _told() == []
    _git("add", "-f", "files")
    (told,) = _told()
    assert told == (
        f"{DOMAIN}: cert: git tracks the private key {key} in the clear; take it out with git rm --cached {key}, and "
        "have the certificate reissued with a new key, because history keeps this one. "
        "python -m gateway import-cert --encrypt-to age1... stores a key that git may hold"
    )
    key.unlink()
    assert len(_told()) == 1
    chain.write_bytes(LEAF.pem + LEAF.key_pem)
    assert len(_told()) == 2


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("x.pem", LEAF.pem + LEAF.key_pem),
        ("arrived/X.PEM", LEAF.key_pem),
        ("site.key", LEAF.key_pem),
        ("site.key", LEAF.key_as(Encoding.DER)),
        (f"files/certs/{DOMAIN}/notes.txt", LEAF.key_pem),
    ],
)
def test_a_key_anywhere_in_the_checkout_is_found(checkout, path, body):
    _put(path, body, tracked=False)
    assert _told() == []
    _git("add", "-f", path)
    (told,) = _told()
    assert f"git tracks the private key {path} in the clear; take it out with git rm --cached {path}, " in told
    assert told.startswith(f"{DOMAIN}: cert: " if path.startswith("files/certs/") else "cert: ")


@pytest.mark.parametrize(
    ("ending", "body"),
    [
        ("pfx", b"\x30\x82"),
        ("p12", b"\x30\x82"),
        ("JKS", b"\xfe\xed\xfe\xed"),
        ("zip", _zip(**{"Nginx/a.key": b"x"})),
        ("zip", _zip(**{"IIS/a.pfx": b"x"})),
        ("zip", _zip(**{"readme.txt": b"x", "a.txt": LEAF.pem + LEAF.key_pem})),
        ("zip", _zip(1, **{"a.key": LEAF.key_pem})),
    ],
)
def test_what_arrives_with_a_key_in_it_is_found(checkout, ending, body):
    _put(f"wx.a.edu.cn.{ending}", body)
    (told,) = _told()
    assert told.startswith(f"cert: git tracks wx.a.edu.cn.{ending}, which holds a private key; take it out with git ")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("chain.pem", LEAF.pem),
        ("locked.pem", LEAF.key_as(passphrase=b"secret")),
        ("debian.key", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n"),
        ("empty.key", b""),
        ("site.zip", _zip(**{"a.crt": LEAF.pem, "photo.jpg": b"x"})),
        ("empty.zip", _zip()),
        ("damaged.zip", _zip(**{"a.crt": LEAF.pem})[:60]),
        ("gone.txt", LEAF.key_pem),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_holds_no_key_in_the_clear_may_be_tracked(checkout, path, body):
    _put(path, body)
    assert _told() == []


def test_a_name_with_a_space_can_be_pasted(checkout):
    _put("my site.pem", LEAF.key_pem)
    assert "git rm --cached 'my site.pem'," in _told()[0]


def test_what_arrives_from_an_authority_is_not_taken_in_by_accident(checkout):
    Path(".gitignore").write_bytes((REPO / ".gitignore").read_bytes())
    arrived = ("wx.a.edu.cn.zip", "a.key", "a.pfx", "a.p12", "a.jks", "a.pem", "a.crt", "a.cer", "a.p7b")
    for name in (*arrived, f"files/certs/{DOMAIN}/privkey.pem", f"sheets/{DOMAIN}.html", "report.html"):
        _put(name, b"x", tracked=False)
    _put(f"files/certs/{DOMAIN}/fullchain.pem", LEAF.pem, tracked=False)
    _git("add", ".")
    listed = subprocess.run(["git", "ls-files"], check=True, capture_output=True, text=True).stdout
    assert listed.split() == [".gitignore", f"files/certs/{DOMAIN}/fullchain.pem"]


def test_this_checkout_has_none(monkeypatch):
    monkeypatch.chdir(REPO)
    assert _told() == []
