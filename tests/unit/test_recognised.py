"""A message of this program leads to the guide's page, with its code and without, in either language."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from gateway.cli.main import main
from gateway.messages import explained
from gateway.messages.catalogue import chinese
from gateway.messages.recognised import recognised
from gateway.messages.said import CODES

MESSAGES: dict[str, str] = json.loads(CODES.read_text(encoding="utf-8"))["codes"]
VALUES = ["wx.a.edu.cn", "10.0.0.5:443", "x y", "eth0", "q", "r", "s", "t"]
ENGLISH = '203.0.113.11: egress.listen: "10.0.0.5:0" has no valid port; right would be "10.0.0.5:443", an address'
CHINESE = '203.0.113.12: firewal: 这个键不起作用；是不是 "firewall"？'


def run(*arguments: str, stdin: str = ""):
    return CliRunner().invoke(main, ["explain", *arguments], input=stdin)


def codes(pasted: str) -> list[str]:
    return [one.code for one in explained.explain(pasted)]


def shot(text: str) -> str:
    """As a screenshot has it: lines end wherever the window does."""
    return "\n".join(text[start : start + 38] for start in range(0, len(text), 38))


@pytest.mark.parametrize("place", ["", "错误：203.0.113.10: wx.a.edu.cn: edge: "])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_message_is_recognised_in_a_screenshot(language, place):
    told = chinese()
    wrong = []
    for message, code in MESSAGES.items():
        text = message if language == "en" else told[message]
        filled = re.sub(r"\{(\d+)\}", lambda one: VALUES[int(one[1])], text).replace("{{", "{").replace("}}", "}")
        found = recognised(shot(place + filled))
        # its last words may be another finding: "save it as UTF-8"
        if found != code and not any(text.endswith(one[-12:]) for one in MESSAGES if MESSAGES[one] == found):
            wrong.append((code, found, text))
    assert len(wrong) <= 4, wrong


@pytest.mark.parametrize(
    ("pasted", "wanted"),
    [
        (ENGLISH, ["WG1045"]),
        (f"error: {ENGLISH}", ["WG1045"]),
        (shot(ENGLISH), ["WG1045"]),
        (CHINESE, ["WG1004"]),
        (f"警告: {CHINESE}", ["WG1004"]),
        (f"警告：{CHINESE}", ["WG1004"]),
        (f"警告：{shot(CHINESE)}\n错误：{shot(ENGLISH)}", ["WG1004", "WG1045"]),
        (f"{CHINESE} [WG1004]", ["WG1004"]),
        ("[WG10\n04]", ["WG1004"]),
        ("ＷＧ１００４", ["WG1004"]),
        ("wg-1004", ["WG1004"]),
        ("页面打不开", []),
        ("", []),
    ],
)
def test_what_is_pasted_leads_to_the_page(pasted, wanted):
    assert codes(pasted) == wanted


def test_words_of_wecom_are_none_of_ours():
    done = run("--json", '{"errcode":60020,"errmsg":"missing: not allow to access from your ip"}')
    assert json.loads(done.stdout)["messages"] == []


@pytest.mark.parametrize("code", ["WG9999", "WG999", "wg10040"])
def test_a_code_that_there_is_not_is_told(code):
    done = run(code)
    assert done.exit_code == 0
    assert done.stdout.startswith(f"{code.upper()}: this version of wecom-gateway has no message with this code; ")
    assert "docs/messages.md" in done.stdout
    assert f"{code.upper()}：当前版本" in done.stdout
    assert "WeCom error" not in done.stdout
    assert json.loads(run("--json", code).stdout) == {"errors": [], "messages": [], "unknown": [code.upper()]}


def test_known_and_unknown_codes_together():
    done = run("WG1004 WG9999")
    assert "\n\nWG9999: " in done.stdout
    assert done.stdout.startswith("WG1004\n")


def test_lines_of_a_terminal_are_told_apart():
    lines = f"已拒绝：wx.a.edu.cn: domain: 缺少\n错误：{shot(ENGLISH)}"
    assert codes(lines) == ["WG1010", "WG1045"]
