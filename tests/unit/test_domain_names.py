"""A domain written as people write it: the message offers their own, corrected."""

from __future__ import annotations

import pytest

from gateway.inventory.domain_names import corrected

GOOD = {"domain": "wx.school.edu.cn", "edge": "slb", "platform": "wanxiao_prod"}


@pytest.mark.parametrize(
    ("written", "meant", "reason"),
    [
        ("清华大学.edu.cn", "xn--xkry9kk1bz66a.edu.cn", "is in Chinese or another script"),
        ("微信.school.edu.cn", "xn--vuqz89a.school.edu.cn", "is in Chinese or another script"),
        ("WX.My-School.edu.cn", "wx.my-school.edu.cn", "has capitals"),
        (" wx.my-school.edu.cn", "wx.my-school.edu.cn", "has a space"),
        ("wx.my-school.edu.cn ", "wx.my-school.edu.cn", "has a space"),
        ("wx. my-school.edu.cn", "wx.my-school.edu.cn", "has a space"),
        ("wx.my-school.edu.cn\t", "wx.my-school.edu.cn", "has a space"),
        ("wx。my-school。edu。cn", "wx.my-school.edu.cn", "has full-width or invisible characters"),
        ("ｗｘ．my-school.edu.cn", "wx.my-school.edu.cn", "has full-width or invisible characters"),
        ("wx.my-school.edu.cn：９００１", "wx.my-school.edu.cn", "has full-width or invisible characters"),
        ("wx.my-school.edu.cn\u200b", "wx.my-school.edu.cn", "has full-width or invisible characters"),
        ("\ufeffwx.my-school.edu.cn", "wx.my-school.edu.cn", "has full-width or invisible characters"),
        ("https://wx.my-school.edu.cn:9001/a?b=c", "wx.my-school.edu.cn", "carries a scheme"),
        ("HTTPS：//wx.my-school.edu.cn", "wx.my-school.edu.cn", "carries a path"),
        ("wx.my-school.edu.cn:9001", "wx.my-school.edu.cn", "carries a port"),
        ("wx.my-school.edu.cn/index.html", "wx.my-school.edu.cn", "carries a path"),
        ("wx.my-school.edu.cn.", "wx.my-school.edu.cn", "ends in a dot"),
        ("wx..my-school.edu.cn", "wx.my-school.edu.cn", "is not a full host name"),
        ("wx.my-school,edu.cn", "wx.my-school.edu.cn", "is not a full host name"),
        ("wx_1.my-school.edu.cn", "wx-1.my-school.edu.cn", "has an underscore"),
        ("*.my-school.edu.cn", "wx.my-school.edu.cn", "is a wildcard"),
    ],
)
def test_the_message_offers_the_domain_that_was_meant(parse, written, meant, reason):
    host, problems = parse({**GOOD, "domain": written})
    assert host is None
    (problem,) = problems
    assert reason in problem
    assert problem.endswith(f'right would be "{meant}"')
    host, problems = parse({**GOOD, "domain": meant})
    assert host, problems


@pytest.mark.parametrize(
    "written",
    ["", "school", "203.0.113.7", "[2001:db8::1]", "https://203.0.113.7/", "...", "*.", "-a.edu.cn", "大" * 99],
)
def test_what_can_be_no_domain_is_not_guessed_at(parse, written):
    assert corrected(written) is None
    _, (problem,) = parse({**GOOD, "domain": written})
    assert 'right would be "wx.school.edu.cn"' in problem
