"""What a Chinese operator reads on a terminal has one form of colon, and places that stay as they are written."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import REPO


def run(*arguments: str, folder=REPO) -> str:
    """What is printed, on both outputs."""
    environ = {**os.environ, "GATEWAY_LANG": "zh", "PYTHONPATH": str(REPO)}
    call = [sys.executable, "-m", "gateway", *arguments]
    done = subprocess.run(call, capture_output=True, text=True, cwd=folder, env=environ, check=False)
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["check", "nowhere.py"], "错误：nowhere.py: 没有这个文件"),
        (["check"], "错误：缺少参数"),
        (["check", "inventory/test.py"], "警告：203.0.113."),
        (["import-cert", "wx.A.edu.cn", "x.pem"], "已拒绝：wx.A.edu.cn: domain: "),
        (["add", "missing", "--host", "h", "--edge", "slb"], "已拒绝：missing: domain: "),
    ],
)
def test_a_label_has_a_full_width_colon_and_a_place_its_own(arguments, wanted):
    text = run(*arguments)
    assert wanted in text
    assert not any(f"{label}:" in text for label in ("错误", "警告", "拒绝", "用法"))


def test_the_help_is_all_of_it_chinese():
    text = run("add", "--help")
    assert "用法：" in text
    assert "\n选项：\n" in text
    assert "[必填]" in text
    assert "required" not in text
