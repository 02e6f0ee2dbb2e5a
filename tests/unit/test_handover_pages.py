"""Sheets as somebody reads them: on a phone, and counting what is still to be filled in."""

from __future__ import annotations

import re

import pytest

from gateway.handover.sheet import BLANK_START

from .test_handover import SLB, WECOM, handover

__all__ = ["handover"]


@pytest.mark.parametrize("given", [{}, {"wecom": WECOM}])
def test_the_index_counts_the_blanks_that_a_sheet_shows(handover, given):
    site = {"domain": "wx.a.edu.cn", "edge": "slb", **given}
    _, out = handover(wanxiao_prod=[("h1", {"sites": [site]})])
    shown = (out / "wx.a.edu.cn.html").read_text().count("<mark>")
    assert shown == (out / "wx.a.edu.cn.md").read_text().count(BLANK_START) > 0
    assert f"<td>{shown}</td>" in (out / "index.html").read_text()


def test_a_long_url_breaks_wherever_the_screen_ends(handover):
    """A phone shows 390 pixels: a URL without a place to break goes off the screen, in a step's text as in a value."""
    _, out = handover(wanxiao_prod=[("h1", {"sites": [SLB]})])
    for page in out.glob("*.html"):
        rules = dict(re.findall(r"^([^{}\n]+) \{([^}]*)\}", page.read_text(), re.MULTILINE))
        # all that is on the page inherits it; the first is for browsers before 2022, which WeCom's own may be
        assert "word-break: break-word; overflow-wrap: anywhere" in rules["body"]
        assert "nowrap" not in page.read_text()
