"""Verification files as operators bring them."""

from __future__ import annotations

import pytest

from gateway import verify_files
from gateway.host import parse_host

from .conftest import PLATFORMS

NAME = "WW_verify_54wuPnLpuTWkAF0Z.txt"
BODY = b"54wuPnLpuTWkAF0Z"


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


def test_a_folder_that_cannot_be_read_is_told_and_is_not_taken_for_an_empty_one(closed):
    files, close = closed
    folder = files / "verify" / "wx.a.edu.cn"
    folder.mkdir(parents=True)
    (folder / NAME).write_bytes(BODY)
    with close(folder):
        host, problems = _check(files)
    assert host is None
    assert [str(one) for one in problems] == [f"h1: wx.a.edu.cn: {folder}: cannot be read: Permission denied"]
