"""A problem is told in the operator's language: what stands before the colon is a place, and no part of a message."""

from __future__ import annotations

import pytest

from gateway.problems import Problem


@pytest.mark.parametrize(
    ("problem", "wanted"),
    [
        (Problem("h", "", "sites", "missing"), "h: sites: 缺少 [WG1010]"),
        (Problem("h", "d", "e.txt", "is empty; download it again"), "h: d: e.txt: 是空的；重新下载 [WG1055]"),
        (
            Problem("h", "d", "bk", 'only for BlueKing sites; platform "x" has its own routes'),
            'h: d: bk: 只用于蓝鲸站点；平台 "x" 有自己的映射 [WG1031]',
        ),
        (Problem("h\x1b[31m", "", "sites", "missing"), "h\\x1b[31m: sites: 缺少 [WG1010]"),
    ],
)
def test_the_place_stays_and_the_text_is_translated(problem, wanted, monkeypatch):
    monkeypatch.setenv("GATEWAY_LANG", "zh")
    assert problem.told() == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "a secret never stands in an inventory; remove it and set it where the app's server keeps its secrets",
            "WG1046",
        ),
        ("-1: input should be greater than or equal to 0", "WG1010"),
        ("99999 is not a port: it must be greater than or equal to 1 and at most 65535", "WG1007"),
    ],
)
def test_the_code_explains_that_very_message(text, wanted):
    assert Problem("h", "d", "field", text).as_data()["code"] == wanted
