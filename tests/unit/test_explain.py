"""WeCom's errors as operators paste them: the right one is found, and nothing secret is repeated."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from gateway.cli.main import main
from gateway.wecom.errors import MEANINGS
from gateway.wecom.explain import LOOK_UP, explain
from gateway.wecom.phrases import PHRASES

# As the platform's document quotes it.
ANSWER_60020 = (
    '{"errcode":60020,"errmsg":"not allow to access from your ip, hint: [1669020802500610298213653], '
    'from ip: 120.27.208.144, more info at https://open.work.weixin.qq.com/devtool/query?e=60020"}'
)
ERROR_PAGE = "https://open.work.weixin.qq.com/wwopen/uriconfirm?err_type=domain_err&uri="


def run(*arguments: str, stdin: str | bytes = ""):
    return CliRunner().invoke(main, ["explain", *arguments], input=stdin)


@pytest.mark.parametrize(
    ("pasted", "code"),
    [
        ("60020", "60020"),
        (" 60020\n", "60020"),
        ("６００２０", "60020"),
        ("-1", "-1"),
        ('{"errcode":-1}', "-1"),
        (ANSWER_60020, "60020"),
        # a string in a string, as applications log it
        (json.dumps({"message": ANSWER_60020}), "60020"),
        # what is left when the shell has taken the quotation marks away
        ("{errcode:60020,errmsg:not allow to access from your ip}", "60020"),
        ("error-code: 60011", "60011"),
        ("错误码：50001", "50001"),
        ("https://wx.a.edu.cn/fail?errcode=40029&state=x", "40029"),
        ("https://open.work.weixin.qq.com/devtool/query?e=301002", "301002"),
        # JavaScript's own number stands around WeCom's
        ("{errMsg: 'agentConfig:invalid signature more info at https://x/devtool/query?e=40093', errCode: 2}", "40093"),
        ("{err_msg: 'not match any reliable domain. more info at https://x/query?e=80001', errCode: -1}", "80001"),
        (ERROR_PAGE + "https%3A%2F%2Fwx.a.edu.cn%2Fx", "domain_err"),
        ("redirect_uri需使用应用可信域名", "domain_err"),
        ("redirect_uri unauthorized, hint: [1653998781340381533667778]", "50001"),
        ("the phone says 42022 again", "42022"),
        ("60020.", "60020"),
        ("报错 60020.", "60020"),
        ("报错 60020。", "60020"),
        ("it says 60020. What now?", "60020"),
    ],
)
def test_the_error_is_found(pasted, code):
    assert [one.code for one in explain(pasted)] == [code]


def test_several_errors_of_a_log_are_all_explained_in_order():
    log = 'a {"errcode":42001}\nb {"errcode": 0}\nc {"errcode":"60020"} d {"errcode":42001}'
    assert [one.code for one in explain(log)] == ["42001", "60020"]


@pytest.mark.parametrize(
    "pasted", ["", "hello", "{}", "https://wx.a.edu.cn/?code=123456", "err_type=", "1.2.3.4", "60020.5", "v1.60020"]
)
def test_nothing_is_made_up_where_there_is_no_error(pasted):
    assert explain(pasted) == []
    done = run("-", stdin=pasted)
    assert done.exit_code == 0
    assert done.stdout.startswith("no WeCom error and no message of this program found in this")
    assert LOOK_UP in done.stdout


def test_every_error_is_told_in_both_languages_and_every_phrase_leads_to_one():
    needed = "60020 50001 40029 42022 40093 80001 40001 40014 42001 40013 301002 60011 domain_err"
    assert set(needed.split()) <= MEANINGS.keys()
    assert {code for phrase in PHRASES for code in (phrase.key, *phrase.codes)} <= MEANINGS.keys()
    for code, meaning in MEANINGS.items():
        assert meaning.who or code == "0"
        for text in (meaning.what, meaning.change):
            assert text.en.isprintable()
            assert any("\u4e00" <= letter <= "\u9fff" for letter in text.zh)


def test_english_comes_first_then_chinese_then_where_to_look_up():
    done = run(ANSWER_60020)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("60020: The server that called WeCom")
    assert "  whose side: WeCom administrator, platform" in lines
    assert "  here: The address to add: 120.27.208.144" in lines
    assert "  本次：要添加的地址：120.27.208.144" in lines
    assert lines[-1] == f"{LOOK_UP}?e=60020"


@pytest.mark.parametrize(
    ("address", "english"),
    [
        ("1.2.3.4", "The address to add: 1.2.3.4"),
        ("::ffff:1.2.3.4", "The address to add: 1.2.3.4"),
        ("10.0.0.7", "10.0.0.7 is not a public address and cannot be entered."),
        ("2408:4000::1", "The caller is 2408:4000::1. Trusted IPs are IPv4 only"),
    ],
)
def test_the_address_of_60020_is_judged(address, english):
    (one,) = explain(ANSWER_60020.replace("120.27.208.144", address))
    assert one.detail.en.startswith(english)


def test_every_address_of_60020_is_named_once():
    """Two application servers are the ordinary case."""
    given = ["1.2.3.4", "10.0.0.7", "8.*.70.*", "5.6.7.8", "::ffff:1.2.3.4", "2408:4000::1", "10.0.0.8"]
    log = "\n".join(ANSWER_60020.replace("120.27.208.144", address) for address in given)
    (one,) = explain(log)
    assert one.detail.en == (
        "The caller is 2408:4000::1. Trusted IPs are IPv4 only: let that server reach WeCom over IPv4. "
        "10.0.0.7;10.0.0.8 are not public addresses and cannot be entered. Find the public addresses that these "
        "servers go out with, and enter those. The addresses to add: 1.2.3.4;5.6.7.8"
    )
    assert one.detail.zh == (
        "来源 IP 是 2408:4000::1。企业可信IP 只能填 IPv4，请让该服务器改用 IPv4 访问企业微信。"
        "10.0.0.7;10.0.0.8 不是公网地址，不能填。请查出该服务器访问公网时的出口 IP 再填。"
        "要添加的地址：1.2.3.4;5.6.7.8"
    )


@pytest.mark.parametrize("code", ["50001", "domain_err"])
def test_the_callback_domain_is_entered_without_a_port_and_no_page_with_a_port_matches(code):
    change = MEANINGS[code].change
    assert "without https:// and without a port" in change.en
    assert "opened with a port, like :9001, does not match" in change.en
    assert "不带 https:// 和端口" in change.zh
    assert "用带端口的网址（如 :9001）打开的页面与它不一致" in change.zh
    assert "port included" not in change.en
    assert "包括端口" not in change.zh


def test_an_answer_that_is_logged_twice_names_its_address_once():
    (one,) = explain(ANSWER_60020 + "\n" + ANSWER_60020)
    assert one.detail.en == "The address to add: 120.27.208.144"


def test_the_gateway_may_be_what_wecom_sees():
    change = MEANINGS["60020"].change
    ways = "unless the application goes out through this gateway's egress or its WeCom API path."
    assert f"It is not this gateway's address, {ways}" in change.en
    assert "填的不是本网关的地址，除非应用通过本网关的 egress 或企业微信接口路径访问企业微信。" in change.zh


@pytest.mark.parametrize("address", ["8.*.70.*", "***********", "999.1.1.1", ""])
def test_a_masked_address_is_not_made_up(address):
    (one,) = explain(ANSWER_60020.replace("120.27.208.144", address))
    assert one.detail is None


@pytest.mark.parametrize(
    ("uri", "english"),
    [
        ("https%3A%2F%2Fwx.a.edu.cn%3A9001%2Fx", "wx.a.edu.cn:9001: port 9001 does not match"),
        ("http%3A%2F%2F10.176.20.119%3A5200%2Fx", "10.176.20.119:5200, an inner address"),
        ("https%253A%252F%252Fpaas%252Fx", "paas, an inner address"),
        ("https://wx.a.edu.cn/x", "wx.a.edu.cn. If that is the site's domain"),
    ],
)
def test_the_domain_that_was_refused_is_judged(uri, english):
    (one,) = explain(ERROR_PAGE + uri)
    assert f"would come back to {english}" in one.detail.en


@pytest.mark.parametrize(
    "pasted",
    [
        "https://open.work.weixin.qq.com/wwopen/uriconfirm?after_redirect_uri=true&uri={}&err_type=domain_err",
        "https://open.work.weixin.qq.com/wwopen/uriconfirm?after_redirect_uri=true&amp;uri={}&amp;err_type=domain_err",
        "errcode=50001 https://open.weixin.qq.com/connect/oauth2/authorize?appid=ww1&redirect_uri={}&state=x",
        "err_type=domain_err uri={}",
    ],
)
def test_the_domain_is_found_among_other_parameters(pasted):
    (one,) = explain(pasted.format("http%3A%2F%2Fwx.school.edu.cn%3A9001%2Fcb"))
    assert one.detail is not None
    assert "wx.school.edu.cn:9001: port 9001 does not match" in one.detail.en


@pytest.mark.parametrize("uri", ["https%3A%2F%2F%5B", "https%3A%2F%2Fa:99999", "javascript:x", "https%3A%2F%2Fa%0Ab/"])
def test_a_strange_address_is_no_failure(uri):
    (one,) = explain(ERROR_PAGE + uri)
    assert "\n" not in (one.detail.en if one.detail else "")


SECRETS = (
    '{"errcode":40029,"access_token":"SECRETx1","errmsg":"invalid code"}',
    "https://qyapi.weixin.qq.com/cgi-bin/gettoken?corpid=ww1&corpsecret=SECRETx1&errcode=40001",
    ERROR_PAGE + "https%3A%2F%2Fuser%3ASECRETx1%40wx.a.edu.cn%3A9001%2FSECRETx1%3Fcode%3DSECRETx1",
    "SECRETx1",
    "errcode=60020 from ip: SECRETx1",
    "errcode=SECRETx1",
)


@pytest.mark.parametrize("pasted", SECRETS)
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_nothing_secret_is_repeated(pasted, options):
    for done in (run(*options, pasted), run(*options, "-", stdin=pasted)):
        assert done.exit_code == 0
        assert "SECRETx1" not in done.output


def test_an_unknown_code_says_so_and_where_to_look():
    done = run("99999")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "99999: not known here; look it up with WeCom",
        "99999：这里没有收录，请在企业微信官方查询",
        f"{LOOK_UP}?e=99999",
    ]


@pytest.mark.parametrize("pasted", ["WG9999", "wg204", "[WG20411]"])
def test_a_code_that_no_message_has_says_so(pasted):
    done = run(pasted)
    assert done.exit_code == 0
    assert f"{pasted.strip('[]').upper()}: this version of wecom-gateway has no message with this code" in done.stdout
    assert "no WeCom error" not in done.stdout


def test_json_has_both_languages():
    report = json.loads(run("--json", ANSWER_60020).stdout)
    (error,) = report["errors"]
    assert (error["code"], error["known"]) == ("60020", True)
    assert error["detail"]["en"] == "The address to add: 120.27.208.144"
    assert [who["en"] for who in error["who"]] == ["WeCom administrator", "platform"]
    assert json.loads(run("--json", "99999").stdout)["errors"][0]["known"] is False


def test_input_that_is_no_text_is_no_failure():
    done = run("-", stdin=b"\xff\xfe errcode=60020 \x00\x9b")
    assert done.exit_code == 0
    assert done.stdout.startswith("60020: ")
