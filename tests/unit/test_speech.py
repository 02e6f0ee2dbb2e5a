"""A printed text is put into the operator's language: messages in it are found again, everything else stays."""

from __future__ import annotations

import time

import pytest

from gateway.messages import language
from gateway.messages.said import said
from gateway.messages.speech import Codes, Translation

CHINESE = {
    "port {0} is held by {1}": "端口 {0} 被 {1} 占用",
    "port {0} is held by nginx": "端口 {0} 是自己占用的",
    "free the port": "请释放端口",
    "nginx does not run": "nginx 没有运行",
    "{0} site": "{0} 个站点",
    "{0} sites": "{0} 个站点",
    "{0} can be deployed": "{0}可以部署",
    "deployed by {0}, {1}": "{1}由 {0} 部署",
    "host": "主机",
    '"{0}" is no name': '"{0}" 不是名称',
    "{0} is not possible": "不能写 {0}",
    "wants {{domain}} in {0}": "{0} 里要有 {{domain}}",
}
CODES = {"port {0} is held by {1}": "WG0001", "nginx does not run": "WG0002"}

chinese = Translation(CHINESE, {"{0} site", "{0} sites"})
code = Codes(CODES)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("nginx does not run", "nginx 没有运行"),
        ("port 80 is held by apache2", "端口 80 被 apache2 占用"),
        ("203.0.113.10: wx.a.edu.cn: port 80 is held by apache2", "203.0.113.10: wx.a.edu.cn: 端口 80 被 apache2 占用"),
        ("port 80 is held by apache2; free the port", "端口 80 被 apache2 占用；请释放端口"),
        ("nginx does not run; free the port; see journalctl", "nginx 没有运行；请释放端口；see journalctl"),
        ("1 site can be deployed, nginx does not run", "1 个站点可以部署，nginx 没有运行"),
        ("12 sites can be deployed", "12 个站点可以部署"),
        ("deployed by ops, 3 sites", "3 个站点由 ops 部署"),
        ("a line of its own (nginx does not run)", "a line of its own (nginx 没有运行)"),
        ("wants {domain} in headers", "headers 里要有 {domain}"),
        ("port 80 is held by {0}", "端口 80 被 {0} 占用"),
        ("wx.a.edu.cn and 3 other sites", "wx.a.edu.cn and 3 other sites"),
        ("a note (nginx does not run; free the port)", "a note (nginx 没有运行；请释放端口)"),
        (
            "h: wx.a.edu.cn: a; deployed by ops, nginx does not run; free the port",
            "h: wx.a.edu.cn: a; nginx 没有运行由 ops 部署；请释放端口",
        ),
        ("nginx does not run:", "nginx 没有运行："),
        ("host", "主机"),
        ("host: nginx does not run", "host: nginx 没有运行"),
        ("nothing that is known: 3 x, 4 y; z", "nothing that is known: 3 x, 4 y; z"),
        # the operator's own words, though a message says the same
        ('"nginx does not run, host" is no name', '"nginx does not run, host" 不是名称'),
        ("x: {'a': {}} is not possible; free the port", "x: 不能写 {'a': {}}；请释放端口"),
        ("", ""),
    ],
)
def test_every_message_in_a_text_is_translated(text, wanted):
    assert chinese(text) == wanted


def test_of_two_messages_that_fit_the_one_that_says_more_is_meant():
    assert chinese("port 80 is held by nginx") == "端口 80 是自己占用的"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("port 80 is held by apache2", "WG0001"),
        ("gw-a: nginx does not run", "WG0002"),
        ("nginx does not run; port 80 is held by x", "WG0002"),
        # what stands within a message is not what was found
        ("gw-a: port 80 is held by nginx does not run", "WG0001"),
        ("free the port; nginx does not run", "WG0002"),
        ('gw-a: bk: "http://x.example" nginx does not run', "WG0002"),
        ("anything else, １: x", None),
        ("", None),
    ],
)
def test_a_finding_has_the_code_of_the_first_message_in_it(text, wanted):
    assert code(text) == wanted


def test_a_long_list_of_names_is_left_alone():
    names = ", ".join(f"wx{number}.school.edu.cn" for number in range(500))
    assert (chinese(names), code(names)) == (names, None)


@pytest.mark.parametrize(
    "pasted",
    ["a: b; c, d (x) \n" * 20_000, "port again" + " of 2 is held by 3 for 4" * 300],
    ids=["a megabyte of a log", "words of a message, time after time"],
)
def test_a_long_text_is_read_at_once(pasted):
    """`explain -` takes what is pasted, and what a host or a visitor says stands in messages."""
    began = time.monotonic()
    assert Codes({"port {0} of {1} is held by {2} of {3} for {4} again": "WG0003"})(pasted) is None
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN"}, "zh"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": ""}, "en"),
        ({"LC_ALL": "C", "GATEWAY_LANG": "zh"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "GATEWAY_LANG": "en"}, "en"),
        ({"GATEWAY_LANG": "zh_CN.UTF-8"}, "zh"),
    ],
)
def test_the_language_is_the_variables_else_the_locales(environ, wanted):
    assert language.chosen(environ) == wanted


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        (
            "unreachable: nothing listens at h, port 22; is sshd running there, and is `ssh_port` right?",
            "连不上：h, port 22 上",
        ),
        ("no answer within 300 seconds; look there whether it is busy", "300 秒内没有应答；"),
    ],
)
def test_a_host_that_does_not_answer_is_told_in_chinese(monkeypatch, text, begins):
    monkeypatch.setenv("GATEWAY_LANG", "zh")
    assert said(text).startswith(begins)
