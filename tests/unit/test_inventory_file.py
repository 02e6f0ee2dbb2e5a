"""Files that are no inventory, or end the run: told with their place, and never taken for an inventory in order."""

from __future__ import annotations

import json
import os

import pytest

from gateway.fleet.loading import InventoryError, load

from .conftest import REPO
from .forked import gateway

HOSTS = 'wanxiao_prod = [("a1", {"sites": [{"domain": "wx.a.edu.cn", "edge": "slb"}]})]\n'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = [\n", "was never closed"),
        ("\n\nx = [1 / 0]\n", ":3: ZeroDivisionError"),
        ("", "no hosts"),
        ("import nonsense_module\n", "nonsense_module"),
    ],
)
def test_an_inventory_that_is_no_python_names_the_line(inventory, text, reason):
    with pytest.raises(InventoryError, match=reason):
        load(inventory(text))


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"x = 1\0\n", "null bytes"), ("x = '大学'".encode("gbk"), "is not UTF-8 text; save it as UTF-8")],
)
@pytest.mark.parametrize("name", ["bytes.py", "group_data/wanxiao_prod.py"])
def test_a_file_that_is_no_text_is_named(tmp_path, monkeypatch, name, content, reason):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "group_data").mkdir()
    (tmp_path / "bytes.py").write_text(HOSTS)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InventoryError) as told:
        load(str(tmp_path / "bytes.py"))  # pyinfra keeps compiled files by name
    message = str(told.value)
    assert name in message.partition(": ")[0]
    assert reason in message
    assert "None" not in message


def test_an_imported_file_that_is_no_text_is_told_at_the_import(inventory, tmp_path, monkeypatch):
    (tmp_path / "imported_bytes.py").write_bytes(b"x = 1\0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(InventoryError, match=r":2: SyntaxError: .*null bytes"):
        load(inventory("\nimport imported_bytes\n"))


def test_a_missing_inventory_is_an_error():
    with pytest.raises(InventoryError, match="no such file"):
        load("inventory/nothing.py")


@pytest.mark.parametrize("name", ["marked.py", "group_data/wanxiao_prod.py"])
def test_a_byte_order_mark_is_called_by_its_name(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "group_data").mkdir()
    (tmp_path / "marked.py").write_text(HOSTS)
    (tmp_path / name).write_text("x = 1\n" if "/" in name else HOSTS, encoding="utf-8-sig")
    with pytest.raises(InventoryError) as told:
        load(str(tmp_path / "marked.py"))
    assert str(told.value) == f"{tmp_path / name}: starts with a byte order mark; save it as UTF-8 without BOM"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('x = ["h"，]', "(U+FF0C); type it with an English keyboard: ,"),
        ('x = ["h"、]', "(U+3001); type it with an English keyboard: ,"),
        ("x = “h”", '(U+201C); type it with an English keyboard: "'),
        ("x ＝ 1", "(U+FF1D); type it with an English keyboard: ="),
        ("x = 【1】", "(U+3010); type it with an English keyboard: ["),
        ("x =\u3000[]", "a space of a Chinese keyboard or a web page; delete it and type it anew"),
        ("x =\u00a0[]", "a space of a Chinese keyboard or a web page; delete it and type it anew"),
        ("x = \u200b[]", "a space of a Chinese keyboard or a web page; delete it and type it anew"),
        ("x = €", "invalid character '€' (U+20AC)"),
    ],
)
def test_what_a_chinese_keyboard_writes_is_told_with_the_right_sign(inventory, text, wanted):
    with pytest.raises(InventoryError) as told:
        load(inventory(f"{text}\n"))
    assert str(told.value).endswith(wanted)


def test_links_in_a_circle_and_pipes_beside_an_inventory_are_left_alone(inventory, tmp_path):
    (tmp_path / "loop.py").symlink_to("loop.py")
    os.mkfifo(tmp_path / "pipe.py")
    assert load(inventory(HOSTS)).hosts


def test_an_invisible_character_inside_a_file_is_told_with_its_line(inventory):
    with pytest.raises(InventoryError, match=r":2: invalid non-printable character U\+FEFF"):
        load(inventory("x = 1\n\ufeffy = 2\n"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("inventory", "inventory: is a folder; name a file, for example inventory/prod.py"),
        ("inventory/", "inventory/: is a folder; name a file, for example inventory/prod.py"),
        ("inventory/prod", "inventory/prod: no such file; did you mean inventory/prod.py?"),
    ],
)
def test_what_is_almost_an_inventory_leads_to_it(monkeypatch, name, message):
    monkeypatch.chdir(REPO)
    with pytest.raises(InventoryError) as told:
        load(name)
    assert str(told.value) == message


@pytest.mark.parametrize("name", ["ending.py", "group_data/wanxiao_prod.py"])
@pytest.mark.parametrize("end", ["sys.exit()", "sys.exit(0)", "sys.exit('no vault token')", "raise SystemExit"])
def test_a_file_that_ends_the_run_is_an_error_and_no_clean_check(tmp_path, name, end):
    (tmp_path / "group_data").mkdir()
    (tmp_path / "ending.py").write_text(HOSTS)
    (tmp_path / name).write_text(f"import sys\n\n{end}\n")
    done = gateway("check", "--json", "ending.py", folder=tmp_path)
    assert done.returncode == 1
    message = json.loads(done.stdout)["error"]
    assert f"{name}:3: ends the run" in message
    assert ("no vault token" in message) == ("no vault token" in end)


def test_an_import_that_ends_the_run_is_told_at_the_import(inventory, tmp_path, monkeypatch):
    (tmp_path / "imported_exit.py").write_text("raise SystemExit(0)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(InventoryError, match=r":2: ends the run"):
        load(inventory("\nimport imported_exit\n"))
