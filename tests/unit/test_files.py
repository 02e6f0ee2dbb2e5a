"""Verification files as operators bring them."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc

import pytest

from gateway.checkout import verify_files
from gateway.fleet.parsing import parse_host

from .conftest import PLATFORMS, REPO

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
        ("a.txt", b"x" * 20000, "larger than any verification file"),
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


@pytest.fixture
def folder(files):
    """The folder of a site's verification files."""
    path = files / "verify" / "wx.a.edu.cn"
    path.mkdir(parents=True)
    return path


def _refusal(files) -> str:
    host, problems = _check(files)
    assert host is None
    (problem,) = problems
    return str(problem)


def test_a_huge_file_is_refused_without_being_read(files, folder):
    with (folder / NAME).open("wb") as file:
        file.truncate(1 << 30)  # sparse
    tracemalloc.start()
    try:
        told = _refusal(files)
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()
    assert "is larger than any verification file (at most 16384 bytes); download it again" in told


def test_what_is_no_regular_file_is_refused_and_not_waited_for(files, folder):
    os.mkfifo(folder / NAME)
    code = (
        "import sys; from pathlib import Path; from tests.unit.test_files import _refusal;"
        " print(_refusal(Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", code, str(files)]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=60)
    assert f"{folder / NAME}: is a pipe, no regular file; put the verification file there as downloaded" in done.stdout


@pytest.mark.parametrize("target", ["/etc/passwd", "/dev/null", "../../../beside.txt", "../../certs/k.pem"])
def test_a_link_out_of_the_folder_of_verification_files_is_refused(files, folder, target):
    (files.parent / "beside.txt").write_bytes(BODY)
    (files / "certs").mkdir()
    (files / "certs" / "k.pem").write_bytes(BODY)
    (folder / NAME).symlink_to(target)
    told = f"{folder / NAME}: is a link to {(folder / target).resolve()}, outside of {files / 'verify'}, and would"
    assert f"{told} publish it; put the verification file there itself" in _refusal(files)


def test_a_link_to_another_sites_file_is_followed(files, folder):
    other = files / "verify" / "wx.b.edu.cn"
    other.mkdir()
    (other / NAME).write_bytes(BODY)
    (folder / NAME).symlink_to(f"../wx.b.edu.cn/{NAME}")
    host, _ = _check(files)
    assert host.verify["wx.a.edu.cn"][0].body == BODY


def test_files_itself_may_be_a_link(files, folder):
    (folder / NAME).write_bytes(BODY)
    link = files.parent / "link"
    link.symlink_to(files)
    host, _ = _check(link)
    assert host.verify["wx.a.edu.cn"][0].body == BODY


@pytest.mark.parametrize(("target", "reason"), [("gone", "No such file"), (NAME, "symbolic links")])
def test_a_link_that_leads_nowhere_is_told(files, folder, target, reason):
    (folder / NAME).symlink_to(target)
    told = _refusal(files)
    assert "cannot be read: " in told
    assert reason in told
