"""A site's certificate folder: plaintext and encrypted keys, read for a deploy and replaced by an import."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyrage
import pytest

from gateway.certificates import key_store, keys, stored
from gateway.fleet.parsing import parse_host

from .conftest import PLATFORMS
from .pki import MIDDLE, Issued, assert_no_key, issue

DOMAIN = "wx.a.edu.cn"
LEAF = issue(DOMAIN, MIDDLE)
OTHER = issue(DOMAIN, MIDDLE)
PAIR = keys.KeyPair(LEAF.pem + MIDDLE.pem, LEAF.key_pem, LEAF.certificate.not_valid_after_utc)
IDENTITY = pyrage.x25519.Identity.generate()
RECIPIENT = str(IDENTITY.to_public())


@pytest.fixture(autouse=True)
def no_identity(tmp_path, monkeypatch):
    """An operator's home without keys."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("GATEWAY_AGE_KEY_FILE", raising=False)
    monkeypatch.delenv("GATEWAY_KEY_PASSPHRASE", raising=False)


@pytest.fixture
def folder(files) -> Path:
    return files / "certs" / DOMAIN


def _identity_file(path: Path, text: str = f"# created: now\n{IDENTITY}\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _put(folder: Path, leaf: Issued = LEAF, *, key: bytes | None = None, encrypted: bytes | None = None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "fullchain.pem").write_bytes(leaf.pem + MIDDLE.pem)
    if key:
        (folder / "privkey.pem").write_bytes(key)
    if encrypted:
        (folder / "privkey.pem.age").write_bytes(encrypted)


def _check(files: Path, **data) -> tuple[object, list[str], list[str]]:
    entry = {"domain": DOMAIN, "edge": "tls", "platform": "wanxiao_prod"} | data.pop("site", {})
    host, problems = parse_host("h1", {"platforms": PLATFORMS, "sites": [entry], **data}, files)
    assert_no_key(repr(problems) + repr(host), LEAF, OTHER)
    assert all("\n" not in str(one) for one in problems)
    wrong = [str(one) for one in problems if one.severity == "error"]
    told = [str(one) for one in problems if one.severity == "warning" and one.field == "cert"]
    return host, wrong, told


def test_missing_files_are_named(files, folder):
    host, wrong, _ = _check(files)
    assert host is None
    assert [text.split(" is missing")[0] for text in wrong] == [
        f"h1: {DOMAIN}: cert: {folder / name}" for name in ("fullchain.pem", "privkey.pem")
    ]


@pytest.mark.parametrize("edge", ["tls", "slb"])
def test_a_folder_that_is_another_users_is_told(closed, edge):
    """As it is after `sudo python -m gateway import-cert`."""
    files, close = closed
    folder = files / "certs" / DOMAIN
    _put(folder, key=LEAF.key_pem)
    with close(folder):
        host, wrong, told = _check(files, site={"edge": edge})
    problems = wrong if edge == "tls" else told
    assert (host is None) == (edge == "tls")
    names = ["fullchain.pem", "privkey.pem"] if edge == "tls" else ["fullchain.pem"]
    assert problems == [
        f"h1: {DOMAIN}: cert: {folder / name} cannot be read: Permission denied; make the folder yours: "
        f'sudo chown -R "$USER" {folder}'
        for name in names
    ]


def test_what_is_wrong_with_a_certificate_stops_the_host(files, folder):
    _put(folder, key=OTHER.key_pem)
    host, (wrong,), _ = _check(files)
    assert host is None
    assert wrong.startswith(f"h1: {DOMAIN}: cert: privkey.pem is not the key of")


def test_a_protected_key_opens_with_the_environments_passphrase(files, folder, monkeypatch):
    _put(folder, key=LEAF.key_as(passphrase=b"secret"))
    assert "GATEWAY_KEY_PASSPHRASE" in _check(files)[1][0]
    monkeypatch.setenv("GATEWAY_KEY_PASSPHRASE", "secret")
    host, _, _ = _check(files)
    assert host.certs[DOMAIN].key == LEAF.key_pem


@pytest.mark.parametrize("armored", [False, True])
@pytest.mark.parametrize("place", ["named", "home"])
def test_an_encrypted_key_is_opened_in_memory(files, folder, tmp_path, monkeypatch, place, armored):
    _put(folder, encrypted=pyrage.encrypt(LEAF.key_pem, [IDENTITY.to_public()], armored=armored))
    if place == "named":
        monkeypatch.setenv("GATEWAY_AGE_KEY_FILE", str(_identity_file(tmp_path / "elsewhere" / "id")))
    else:
        _identity_file(tmp_path / ".config" / "gateway" / "age.key")
    before = sorted(path.name for path in folder.iterdir())
    host, _, _ = _check(files)
    assert host.certs[DOMAIN].key == LEAF.key_pem
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.parametrize(
    ("identity", "reason"),
    [
        (None, "there is no ~/.config/gateway/age.key; put the age identity's file there"),
        (str(pyrage.x25519.Identity.generate()), "is not encrypted to the age identity in"),
        ("AGE-SECRET-KEY-1NONSENSE", "holds no age identity"),
        ("# nothing\n", "holds no age identity"),
        ("\udcff", "holds no age identity"),
    ],
    ids=["none", "another", "nonsense", "a comment", "no text"],
)
def test_without_the_right_identity_the_remedy_is_told(files, folder, tmp_path, identity, reason):
    _put(folder, encrypted=pyrage.encrypt(LEAF.key_pem, [IDENTITY.to_public()]))
    if identity:
        path = _identity_file(tmp_path / ".config" / "gateway" / "age.key", "")
        path.write_bytes(identity.encode("utf-8", "surrogateescape"))
    host, (wrong,), _ = _check(files)
    assert host is None
    assert reason in wrong
    assert "AGE-SECRET-KEY-1N" not in wrong


def test_an_identity_that_is_named_and_missing_is_not_replaced_by_another(files, folder, tmp_path, monkeypatch):
    _put(folder, encrypted=pyrage.encrypt(LEAF.key_pem, [IDENTITY.to_public()]))
    _identity_file(tmp_path / ".config" / "gateway" / "age.key")
    monkeypatch.setenv("GATEWAY_AGE_KEY_FILE", str(tmp_path / "gone"))
    assert f"GATEWAY_AGE_KEY_FILE names {tmp_path / 'gone'}, which is not there" in _check(files)[1][0]


@pytest.mark.parametrize(
    ("named", "given"),
    [("~nosuch-user/age.key", "~nosuch-user/age.key"), (None, "~/.config/gateway/age.key")],
)
def test_an_identity_in_a_home_that_nobody_knows_is_told(files, folder, monkeypatch, named, given):
    _put(folder, encrypted=pyrage.encrypt(LEAF.key_pem, [IDENTITY.to_public()]))
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", lambda number: {}[number])  # as for a user whom the machine has no name for
    if named:
        monkeypatch.setenv("GATEWAY_AGE_KEY_FILE", named)
    (wrong,) = _check(files)[1]
    assert wrong == (
        f"h1: {DOMAIN}: cert: {folder / 'privkey.pem.age'} is encrypted and the home folder in {given} is not known; "
        "name the age identity's file by its whole path in GATEWAY_AGE_KEY_FILE"
    )


@pytest.mark.parametrize("body", [b"x", b"age-encryption.org/v1\n"])
def test_a_damaged_encrypted_key_is_told(files, folder, tmp_path, body):
    _put(folder)
    (folder / "privkey.pem.age").write_bytes(body)
    _identity_file(tmp_path / ".config" / "gateway" / "age.key")
    assert "is damaged or no age file" in _check(files)[1][0]


@pytest.mark.parametrize(
    ("plain", "encrypted", "readable", "advice"),
    [
        (OTHER, LEAF, True, "delete {plain}, the encrypted one"),
        (LEAF, LEAF, True, "delete {plain}, the encrypted one"),
        (LEAF, OTHER, True, "delete {age}, privkey.pem is"),
        (LEAF, LEAF, False, "delete {plain} if the encrypted one is the certificate's key, else {age}"),
    ],
)
def test_two_keys_are_refused_saying_which_to_delete(files, folder, tmp_path, plain, encrypted, readable, advice):
    _put(folder, key=plain.key_pem, encrypted=pyrage.encrypt(encrypted.key_pem, [IDENTITY.to_public()]))
    if readable:
        _identity_file(tmp_path / ".config" / "gateway" / "age.key")
    (wrong,) = _check(files)[1]
    assert advice.format(plain=folder / "privkey.pem", age=folder / "privkey.pem.age") in wrong


def test_behind_a_load_balancer_a_certificate_is_not_read_but_told(files, folder):
    _put(folder, key=OTHER.key_pem)
    host, wrong, (told,) = _check(files, site={"edge": "slb"})
    assert host
    assert not wrong
    assert "holds fullchain.pem, privkey.pem, which nothing uses" in told


@pytest.mark.parametrize(("given", "stops"), [({}, True), ({"allow_expired": 0}, True), ({"allow_expired": 1}, False)])
def test_an_expired_certificate_stops_unless_it_is_allowed(files, folder, given, stops):
    old = issue(DOMAIN, MIDDLE, end=timedelta(hours=-1))
    _put(folder, old, key=old.key_pem)
    host, wrong, told = _check(files, **given)
    assert (host is None) == stops
    assert any("expired on" in text for text in (wrong if stops else told))


def _modes(folder: Path) -> dict[str, str]:
    return {path.name: f"{path.stat().st_mode & 0o777:o}" for path in (folder, *folder.iterdir())}


def test_what_is_written_is_the_owners_alone_from_the_first_moment(folder, monkeypatch):
    seen: list[dict[str, str]] = []
    replace = Path.replace

    def watch(path, target):
        seen.append(_modes(folder))
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", watch)
    mask = os.umask(0)
    try:
        stored.write(folder, PAIR)
    finally:
        os.umask(mask)
    assert _modes(folder) == {DOMAIN: "700", "fullchain.pem": "600", "privkey.pem": "600"}
    assert all(mode in ("600", "700") for moment in seen for mode in moment.values())


def test_an_open_folder_is_closed(folder):
    _put(folder, key=OTHER.key_pem)
    folder.chmod(0o755)
    (folder / "privkey.pem").chmod(0o644)
    stored.write(folder, PAIR)
    assert _modes(folder) == {DOMAIN: "700", "fullchain.pem": "600", "privkey.pem": "600"}


def test_a_folder_that_cannot_be_closed_stays_as_it_is(folder, monkeypatch):
    """Who may write in it and does not own it cannot keep its owner from the key."""
    _put(folder, OTHER, key=OTHER.key_pem)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def refuse(path, mode):
        raise PermissionError(1, "Operation not permitted", str(path))

    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(ValueError, match="belongs to another user, who could read the key; make the folder yours: "):
        stored.write(folder, PAIR)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("fails_at", [1, 2])
@pytest.mark.parametrize("there", [False, True])
def test_a_failure_leaves_all_as_it_was(folder, monkeypatch, fails_at, there):
    if there:
        _put(folder, OTHER, key=OTHER.key_pem)
        folder.chmod(0o750)
    before = {path.name: path.read_bytes() for path in folder.glob("*")}
    calls: list[Path] = []
    replace = Path.replace

    def full(path, target):
        calls.append(path)
        if len(calls) == fails_at:
            raise OSError(28, "No space left on device")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        stored.write(folder, PAIR)
    assert {path.name: path.read_bytes() for path in folder.glob("*")} == before
    assert folder.exists() == there
    assert not there or _modes(folder)[DOMAIN] == "750"


@pytest.mark.parametrize("fails_at", [1, 2])
def test_a_full_disk_is_told_and_leaves_no_part_of_a_key(folder, monkeypatch, fails_at):
    calls: list[int] = []

    def full(handle):
        calls.append(handle)
        if len(calls) == fails_at:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        stored.write(folder, PAIR)
    assert not folder.exists()


def test_an_encrypted_key_takes_the_plaintext_ones_place(files, folder, tmp_path):
    _put(folder, OTHER, key=OTHER.key_pem)
    second = pyrage.x25519.Identity.generate()
    stored.write(folder, PAIR, [RECIPIENT, str(second.to_public())])
    assert set(_modes(folder)) == {DOMAIN, "fullchain.pem", "privkey.pem.age"}
    for identity in (IDENTITY, second):
        _identity_file(tmp_path / ".config" / "gateway" / "age.key", str(identity))
        assert _check(files)[0].certs[DOMAIN].key == LEAF.key_pem


def test_a_key_that_is_kept_encrypted_does_not_turn_plain_unasked(folder):
    stored.write(folder, PAIR, [RECIPIENT])
    with pytest.raises(ValueError, match="is kept encrypted here; give --encrypt-to"):
        stored.write(folder, PAIR)
    assert set(_modes(folder)) == {DOMAIN, "fullchain.pem", "privkey.pem.age"}


@pytest.mark.parametrize(
    "recipient",
    ["age1nonsense", "", "\udcff", "\x1b[2J", str(IDENTITY), f" {IDENTITY}"],
    ids=["nonsense", "nothing", "no text", "an escape", "the identity", "the identity after a space"],
)
def test_a_wrong_recipient_changes_nothing_and_an_identity_is_not_quoted(folder, recipient):
    with pytest.raises(ValueError, match=r"right would be age1|public half, which starts with age1") as caught:
        stored.write(folder, PAIR, [recipient])
    assert not folder.exists()
    assert str(IDENTITY)[20:40] not in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_round_trip_through_age_is_not_readable_on_the_way():
    closed = key_store.encrypt(LEAF.key_pem, [RECIPIENT])
    assert b"PRIVATE KEY" not in closed
    assert LEAF.key_pem[40:80] not in closed


def test_days_left_count_whole_days():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert keys.KeyPair(b"", b"", now + timedelta(days=3, hours=23)).days_left(now) == 3
    assert keys.KeyPair(b"", b"", now - timedelta(hours=1)).days_left(now) == -1
