"""The preview: domains first, every file that differs, text as a unified diff, and never a key."""

from __future__ import annotations

import hashlib

import pytest

from gateway.deploys import preview
from gateway.deploys.preview import Side, Upgrade
from gateway.deploys.versions import News
from gateway.nginx.release import Change, Entry, File, build, diff

from .conftest import make_pair

OLD, NEW = "a" * 16, "b" * 16


def _shown(old, new, *, domains=((), ()), whole=True, has_old=True):
    """The preview between two trees of texts."""

    def entries(texts):
        return frozenset(Entry(path, hashlib.sha256(body).hexdigest(), "644") for path, body in texts.items())

    found = diff(entries(old), entries(new))
    before = Side(OLD if has_old else None, frozenset(domains[0]), old)
    return [line.text for line in preview.lines(before, Side(NEW, frozenset(domains[1]), new), found, whole=whole)]


def test_it_begins_with_the_domains_that_come_and_go():
    shown = _shown(
        {"sites/old.conf": b"x\n"},
        {"sites/new.conf": b"x\n"},
        domains=(["stays.edu.cn", "old.edu.cn"], ["stays.edu.cn", "new.edu.cn"]),
    )
    assert shown[0] == "sites: + new.edu.cn, - old.edu.cn"
    assert shown[1] == f"release {OLD} -> {NEW}, 2 files changed:"


def test_without_the_whole_it_says_the_domains_and_the_number_of_files():
    shown = _shown({"a": b"1\n"}, {"a": b"2\n", "b": b"3\n"}, domains=([], ["new.edu.cn"]), whole=False)
    assert shown == ["sites: + new.edu.cn", f"release {OLD} -> {NEW}, 2 files changed"]


UPGRADE = Upgrade(
    "0.2.0", "0.4.0", (News("unreleased", "To come.", 0), News("0.4.0", "Four.", 2), News("0.3.0", "Three.", 1))
)
MANY = {f"{number:02}": b"x\n" for number in range(23)}


def _of_upgrade(upgrade, new, **more):
    entries = frozenset(Entry(path, "", "644") for path in new)
    shown = preview.lines(Side(OLD), Side(NEW, texts=new), diff(frozenset(), entries), upgrade=upgrade, **more)
    return [line.text for line in shown]


def test_of_an_upgrade_it_says_why_in_a_line_a_version_and_names_the_files():
    assert _of_upgrade(UPGRADE, {"a": b"x\n"}, whole=False) == [
        "the release in force was made by wecom-gateway 0.2.0, this is 0.4.0; CHANGELOG.md says:",
        "  not released yet: To come.",
        "  0.4.0: Four. (2 things to do)",
        "  0.3.0: Three. (1 thing to do)",
        f"release {OLD} -> {NEW}, 1 file changed:",
        "  + a",
    ]
    assert _of_upgrade(UPGRADE, {"a": b"x\n"}, whole=True)[5:] == ["  + a", "      @@ -0,0 +1 @@", "      +x"]


def test_of_an_upgrade_not_more_files_are_named_than_anybody_reads():
    shown = _of_upgrade(UPGRADE, MANY, whole=False)
    assert shown[-2:] == ["  + 19", "  and 3 more files; --diff shows all of them"]


def test_of_a_version_that_was_not_kept_and_of_one_without_news():
    first, *_ = _of_upgrade(Upgrade("", "0.4.0", ()), {}, whole=False)
    assert first == "the release in force was made by wecom-gateway before 0.2.0, this is 0.4.0"


def test_all_domains_that_go_are_named_and_not_more_new_ones_than_anybody_reads():
    many = [f"s{number:03}.edu.cn" for number in range(200)]
    assert _shown({}, {}, domains=([], many))[0].endswith("+ s019.edu.cn, + 180 more")
    gone = _shown({}, {}, domains=(many, []))[0]
    assert all(f"- {domain}" in gone for domain in many)


def test_a_changed_file_is_a_unified_diff():
    shown = _shown({"a.conf": b"one\ntwo\nthree\n"}, {"a.conf": b"one\n2\nthree\n"})
    diff_lines = ("@@ -1,3 +1,3 @@", " one", "-two", "+2", " three")
    assert shown[1:] == ["  ~ a.conf", *(f"      {line}" for line in diff_lines)]


def test_the_release_s_id_is_no_difference():
    body = "include /etc/nginx/wecom-gateway/releases/%s/x;\nlisten %d;\n"
    shown = _shown({"a.conf": (body % (OLD, 80)).encode()}, {"a.conf": (body % (NEW, 81)).encode()})
    assert [line.strip() for line in shown if line.strip().startswith(("+", "-"))] == ["-listen 80;", "+listen 81;"]


def test_a_first_deploy_shows_what_the_operator_wrote():
    shown = _shown({}, {"a.conf": b"x\n", "files/nginx/a.edu.cn.conf": b"gzip on;\n"}, has_old=False)
    assert shown[1:] == ["  + a.conf", "  + files/nginx/a.edu.cn.conf", "      @@ -0,0 +1 @@", "      +gzip on;"]


def test_a_first_deploy_lists_files_without_their_text():
    assert _shown({}, {"a.conf": b"x\n"}, has_old=False) == [f"release none -> {NEW}, 1 file changed:", "  + a.conf"]


KEY = make_pair("a.edu.cn")[1]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("sites/a.conf", b"server {\n" + KEY + b"}\n"),
        ("verify/a.edu.cn/WW_verify_x.txt", KEY),
        ("verify/a.edu.cn/age.txt", b"AGE-SECRET-KEY-1QQQ\n"),
        ("units/x.conf", KEY.replace(b"PRIVATE KEY", b"OPENSSH PRIVATE KEY")),
        ("privkey.pem", b"secret in another form"),
        ("snippets/a.key", b"secret in another form"),
        ("certs/a.edu.cn/fullchain.pem", b"secret in another form"),
    ],
)
def test_what_is_a_key_by_place_name_or_content_shows_by_name_alone(path, body):
    other = {path: b"harmless\n"}
    for old, new, mark in (
        ({path: body}, other, "~"),
        (other, {path: body}, "~"),
        ({path: body}, {}, "-"),
        ({}, {path: body}, "+"),
    ):
        assert _shown(old, new)[1:] == [f"  {mark} {path}"]


def test_a_secret_file_of_a_release_is_never_among_the_texts():
    files = {"a.conf": File(b"x"), "b.conf": File(b"y", secret=True), "c.conf": File(b"z", secret=True, group="www")}
    assert preview.public_texts(files) == {"a.conf": b"x"}
    assert "b.conf" not in preview.public_texts(build(files).files)


@pytest.mark.parametrize("body", [b"\0\1\2", b"\xff\xfe\xfa"])
def test_what_is_no_text_shows_by_name(body):
    assert _shown({"a": b"x\n"}, {"a": body})[1:] == ["  ~ a"]


def test_a_text_that_was_not_fetched_shows_by_name():
    found = [Change("a", "changed")]
    shown = [line.text for line in preview.lines(Side(OLD), Side(NEW, texts={"a": b"x"}), found, whole=True)]
    assert shown[1:] == ["  ~ a"]


def test_no_control_character_reaches_the_terminal():
    shown = "\n".join(_shown({"a": b"x\n"}, {"a": "\x1b[2Jboo\r\u202e\n".encode(), "b\x1bc": b""}))
    assert all(one.isprintable() or one == "\n" for one in shown)
    assert "boo" in shown


def test_long_files_and_many_files_are_cut_and_the_cut_is_told():
    shown = _shown({"a": b""}, {"a": b"x\n" * 1000})
    assert shown[-1].strip() == "... 801 more lines left out"
    assert len(shown) < 220
    many = {f"{number:03}": b"x\n" * 300 for number in range(20)}
    shown = _shown(dict.fromkeys(many, b""), many)
    assert len(shown) < 1050
    assert shown[-1].strip() == "the text of 15 more files is left out"
    assert all(f"  ~ {name}" in shown for name in many)


def test_huge_files_are_not_compared_line_by_line():
    body = "".join(f"{number}\n" for number in range(30_000)).encode()
    shown = _shown({"a": body}, {"a": body[::-1]})
    assert "too many to compare" in shown[-1]


def test_colors_are_those_of_a_diff():
    lines = preview.lines(
        Side(OLD, texts={"a": b"1\n"}), Side(NEW, texts={"a": b"2\n"}), [Change("a", "changed")], whole=True
    )
    assert [line.color for line in lines if line.color] == ["cyan", "red", "green"]
