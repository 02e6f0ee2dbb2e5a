"""README.md and README.zh-CN.md: short, with links that lead somewhere, and three steps that `check` agrees to."""

from __future__ import annotations

import re

import pytest

from gateway.fleet.loading import load
from guide.pairs import headings

from .conftest import REPO

FILES = ("README.md", "README.zh-CN.md")
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


def test_the_entry_of_the_first_step_is_right(tmp_path, monkeypatch):
    monkeypatch.chdir(REPO)
    (entry,) = [code for code in _CODE.findall((REPO / "README.md").read_text()) if "sites" in code]
    inventory = tmp_path / "prod.py"
    inventory.write_text(entry)
    fleet = load(str(inventory))
    assert [problem for problem in fleet.problems if problem.severity == "error"] == []
    assert [site.domain for host in fleet.hosts for site in host.sites] == ["wx.school-a.edu.cn"]
