"""Verification files and certificates as operators bring them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from gateway import certs, verify_files
from gateway.host import parse_host

from .conftest import PLATFORMS, make_pair

NAME = "WW_verify_54wuPnLpuTWkAF0Z.txt"
BODY = b"54wuPnLpuTWkAF0Z"
NOW = datetime.now(UTC)


@pytest.mark.parametrize("body", [b"\xef\xbb\xbf" + BODY, BODY + b"\r\n", b" " + BODY + b"\n\n", BODY + b"\n"])
def test_what_editors_add_is_dropped_with_a_notice(body):
    file = verify_files.read(NAME, body)
    assert file.body == BODY
    assert file.notice


def test_a_clean_file_is_left_alone():
    assert verify_files.read(NAME, BODY) == verify_files.VerifyFile(NAME, BODY)


def test_files_of_other_families_are_kept_byte_for_byte():
    body = b"\xef\xbb\xbfanything \r\n"
    assert verify_files.read("a1B2c3.txt", body).body == body


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        (NAME, b"<!DOCTYPE html><html>", "web page"),
        (NAME, b"\xef\xbb\xbf\n <html lang=zh>", "web page"),
        ("a1B2c3.txt", b"\n<HTML>", "web page"),
        (NAME, b"", "is empty"),
        (NAME, b" \n", "is empty"),
        (NAME, b"54wuPnLpuTWkAF0z", "name and body disagree"),
        ("MP_verify_54wuPnLpuTWkAF0Z.txt", b"other", "name and body disagree"),
        ("WW_verify_54wuPnLpuTWkAF0Z (1).txt", BODY, "must be letters"),
        ("WW_verify_54wuPnLpuTWkAF0Z-1.txt", BODY, "is not named as WeCom names it"),
        ("ww_verify_54wuPnLpuTWkAF0Z.txt", BODY, "is not named as WeCom names it"),
        ("WW_verify_54wuPnLpuTWkAF0Z.txt.html", BODY, "must be letters"),
        ("a;b.txt", BODY, "must be letters"),
        ("a\n.txt", BODY, "must be letters"),
        ("a.txt", b"x" * 20000, "no verification file"),
    ],
)
def test_a_wrong_file_is_refused_with_its_reason(name, body, reason):
    with pytest.raises(ValueError, match=reason):
        verify_files.read(name, body)


def _check(files, **site):
    entry = {"domain": "wx.a.edu.cn", "edge": "slb", "platform": "wanxiao_prod", **site}
    return parse_host("h1", {"platforms": PLATFORMS, "sites": [entry]}, files)


def test_the_message_names_the_file(files):
    folder = files / "verify" / "wx.a.edu.cn"
    folder.mkdir(parents=True)
    (folder / NAME).write_bytes(b"<html>login</html>")
    (folder / ".gitkeep").touch()
    (folder / "sub").mkdir()
    host, problems = _check(files)
    assert host is None
    assert [one.field for one in problems] == [str(folder / NAME), str(folder / "sub")]
    assert all("\n" not in str(one) for one in problems)


def test_repairs_and_missing_files_are_warnings_only(files):
    host, problems = _check(files)
    assert host
    assert [one.severity for one in problems] == ["warning"]
    folder = files / "verify" / "wx.a.edu.cn"
    folder.mkdir(parents=True)
    (folder / NAME).write_bytes(BODY + b"\r\n")
    host, problems = _check(files)
    assert host.verify["wx.a.edu.cn"][0].body == BODY
    assert [one.severity for one in problems] == ["warning"]


def test_a_matching_pair_is_taken(files, store_pair):
    chain, key = store_pair("wx.a.edu.cn")
    host, _ = _check(files, edge="tls")
    pair = host.certs["wx.a.edu.cn"]
    assert (pair.chain, pair.key) == (chain, key)
    assert "PRIVATE KEY" not in repr(host) + repr(pair)


def test_missing_files_are_named(files):
    host, problems = _check(files, edge="tls")
    wrong = [one for one in problems if one.severity == "error"]
    assert host is None
    assert len(wrong) == 2
    assert all(one.field == "cert" and "is missing" in one.text for one in wrong)


def test_an_expiring_certificate_is_a_warning(files, store_pair):
    store_pair("wx.a.edu.cn", end=timedelta(days=20))
    host, problems = _check(files, edge="tls")
    assert host
    assert any(one.field == "cert" and "expires in 19 days" in one.text for one in problems)


def _encrypted(key: bytes) -> bytes:
    return load_pem_private_key(key, None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )


PAIR = make_pair("wx.a.edu.cn")
OTHER = make_pair("wx.b.edu.cn")


@pytest.mark.parametrize(
    ("chain", "key", "reason"),
    [
        (PAIR[0], OTHER[1], "is not the key of"),
        (OTHER[0], OTHER[1], "is for wx.b.edu.cn, not for wx.a.edu.cn"),
        (b"", PAIR[1], "no readable PEM certificate"),
        (PAIR[1], PAIR[1], "no readable PEM certificate"),
        (PAIR[0], b"", "no readable PEM private key"),
        (PAIR[0], b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no readable PEM"),
        (PAIR[0], _encrypted(PAIR[1]), "protected by a passphrase"),
        (PAIR[0] + OTHER[0], PAIR[1], "is not a chain"),
        (*make_pair("wx.a.edu.cn", end=timedelta(hours=-1)), "expired on"),
        (*make_pair("wx.a.edu.cn", start=timedelta(hours=1)), "not valid before"),
    ],
)
def test_a_pair_that_would_not_work_is_refused_without_quoting_the_key(chain, key, reason):
    with pytest.raises(ValueError, match=reason) as caught:
        certs.check("wx.a.edu.cn", chain, key, NOW)
    secret = b"".join(key.splitlines()[1:-1])[:40].decode()
    assert not secret or secret not in str(caught.value)


@pytest.mark.parametrize(("domain", "covered"), [("wx.a.edu.cn", True), ("a.edu.cn", False), ("b.wx.a.edu.cn", False)])
def test_a_wildcard_covers_one_label(domain, covered):
    chain, key = make_pair("*.a.edu.cn")
    if covered:
        certs.check(domain, chain, key, NOW)
    else:
        with pytest.raises(ValueError, match="is for"):
            certs.check(domain, chain, key, NOW)
