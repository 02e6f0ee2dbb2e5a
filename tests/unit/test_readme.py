"""README.md and README.zh-CN.md: short, with links that lead somewhere, and a command that writes the entry shown."""

from __future__ import annotations

import re
import shlex
import shutil

import pytest
from click.testing import CliRunner

from gateway.cli.main import main
from guide.pairs import headings

from .conftest import REPO

FILES = ("README.md", "README.zh-CN.md")
VERIFICATION = "WW_verify_xxxxxxxxxxxxxxxx.txt"
_CODE = re.compile(r"^```\w*\n(.*?)^```", re.M | re.S)


@pytest.mark.parametrize("name", FILES)
def test_it_can_be_read_in_one_go(name):
    assert len((REPO / name).read_text().splitlines()) <= 150


@pytest.mark.parametrize("name", FILES)
def test_its_links_lead_to_files_and_to_headings_that_are_there(name):
    links = re.findall(r"\]\((?!https?:)([^)#]+)(?:#([^)]+))?\)", (REPO / name).read_text())
    assert links
    for target, anchor in links:
        assert (REPO / target).exists(), target
        if anchor:
            assert anchor in {one.anchor for one in headings((REPO / target).read_text())}, f"{target}#{anchor}"


def test_both_languages_have_the_same_commands():
    english, chinese = (_CODE.findall((REPO / name).read_text()) for name in FILES)
    assert english == chinese


def test_its_command_writes_its_entry(tmp_path, monkeypatch):
    shutil.copytree(REPO / "group_data", tmp_path / "group_data")
    for folder in ("files", "inventory", "Downloads"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inventory" / "prod.py").touch()
    (tmp_path / "Downloads" / VERIFICATION).write_text("x" * 16)
    codes = _CODE.findall((REPO / "README.md").read_text())
    (entry,) = [code for code in codes if "sites" in code]
    (commands,) = [code for code in codes if "gateway add" in code]
    line = commands.partition("pyinfra")[0].replace("\\\n", "").replace("~", str(tmp_path))
    words = shlex.split(line)
    done = CliRunner().invoke(main, words[words.index("add") :])
    assert done.output.endswith("1 site can be deployed, 0 errors, 0 warnings\n")
    assert (tmp_path / "inventory" / "prod.py").read_text() == entry
    assert (tmp_path / "files/verify/wx.school-a.edu.cn" / VERIFICATION).is_file()
