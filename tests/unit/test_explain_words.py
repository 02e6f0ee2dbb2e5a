"""What people photograph and type: WeCom's words are told from ordinary text, however they are broken."""

from __future__ import annotations

import json

import pytest

from gateway.wecom.errors import MEANINGS
from gateway.wecom.explain import explain

from .test_explain import ANSWER_60020, run

OWNER = "域名主体校验未通过，需配置备案主体与当前企业主体相同或有关联关系的域名"
# what WeCom's console says on the pages themselves, where nothing is wrong
LABELS = """可信域名
可作为应用OAuth2.0网页授权功能的回调域名
为保障企业数据安全，需配置备案主体与当前企业主体相同或有关联关系的域名。配置指引
配置可信域名需完成域名归属认证
1. 请下载文件 “WW_verify_DDzKZAh4svwfgX39.txt” 下载文件
2. 将下载的文件上传至填写域名根目录下
企业可信IP 仅所配IP可通过接口获取企业数据 多个IP地址请用“;”分隔"""


def codes(pasted: str) -> list[str]:
    return [one.code for one in explain(pasted)]


@pytest.mark.parametrize(
    ("pasted", "code"),
    [
        (OWNER, "domain_owner"),
        ("该域名主体为第三方服务商，请使用企业主体域名", "third_party_domain"),
        ("校验失败，请检查文件是否已放置在域名根目录下", "verification_failed"),
        ("域名所有权验证不通过", "verification_failed"),
        ("配置企业可信IP前，请先 设置可信域名 或 设置接收消息服务器URL", "trusted_ip_before_domain"),
        ("以下IP属于第三方服务商，为保证企业数据安全，请配置本企业服务器的IP", "third_party_ip"),
        ("openapi回调地址请求不通过", "callback_failed"),
        ("请在企业微信客户端打开链接", "open_in_wecom"),
        ("请在微信客户端打开链接", "open_in_wechat"),
        ("链接无法打开", "link_not_opened"),
        ("redirect_uri域名与后台配置不一致，错误码:10003", "10003"),
        ("redirect_uri 域名与后台配置不一致", "10003"),
        ("可信域名未通过所有权校验", "85005"),
        ("agentConfig:fail_nopermission", "jssdk_not_ready"),
        ('{"errmsg":"fail_permission denied","errMsg":"checkJsApi:ok"}', "jssdk_no_permission"),
        ('{"errMsg":"config:fail, the permission value is offline verifying"}', "jssdk_not_ready"),
        ("config:fail,Error: System error, error code:40048,invalid url domain [20200806 11:58:55][]", "40048"),
        ("invalid code", "40029"),
        ('{"errmsg":"invalid code, hint: [1653404719042451250633452]"}', "40029"),
        ("domain_owner", "domain_owner"),
    ],
)
def test_words_without_a_code_are_understood(pasted, code):
    assert codes(pasted) == [code]


@pytest.mark.parametrize(
    ("pasted", "code"),
    [
        # as a screenshot's text comes out: lines that end where the picture ends, other widths, spaces, lost marks
        ("域名主体校\n验未通过,需配置备案主\n体与当前企业主体相同", "domain_owner"),
        ("域 名 主 体 校 验 未 通 过", "domain_owner"),
        ("【域名主体】校验·未通过！", "domain_owner"),
        ("校验失败 请检查文件是否已放\n\n置在域名\n根目录下", "verification_failed"),
        ("配置企业可信ＩＰ前\u3000请先\n设置可信域名或", "trusted_ip_before_domain"),
        ("ＮＳＵＲＬErrorCannotConnect\nToHost", "link_not_opened"),
        ("ｒｅｄｉｒｅｃｔ＿ｕｒｉ需使用应\n用可信域名", "domain_err"),
        ("not allow to acc\ness from your ip", "60020"),
        ("Not Allow To Access From Your IP", "60020"),
        ("errcode： ６００２０", "60020"),
        ("ｅｒｒｃｏｄｅ：６０\n０２０，ｅｒｒｍｓｇ", "60020"),
        ("err\ncode: 40\n029", "40029"),
        ("错误码：６０ ０２０", "60020"),
        ("devtool/query?e=80\n001', errCode: -1}", "80001"),
        ("手机上报错 400\n58", "40058"),
        ("60\n020", "60020"),
    ],
)
def test_a_screenshots_line_breaks_and_widths_do_not_matter(pasted, code):
    assert codes(pasted) == [code]


def test_an_address_that_a_line_break_divides_is_told_whole():
    (one,) = explain(ANSWER_60020.replace("120.27.208.144", "120.27.\n208.144"))
    assert one.detail.en == "The address to add: 120.27.208.144"


@pytest.mark.parametrize(
    "pasted",
    [
        LABELS,
        "域名已备案，备案主体是学校，校验文件已放在域名根目录下",
        "主体校验通过",
        "请先设置可信域名，再填企业可信IP",
        "本企业的IP不属于第三方服务商",
        "这个链接可以打开",
        "Permission denied (publickey).",
        "open() /etc/nginx/wecom-gateway/current failed (13: Permission denied)",
        '[error] GET /o/itsm/weixin/ failed (13: Permission denied), host: "wx.a.edu.cn"',
        "the certificate has an invalid signature",
        '{"errmsg":"an invalid codec"}',
        "your access_token expired, log in again",
        "bash: function not exist",
        "共 40003 条记录",
        "共返回 40003 条记录",
        "it returned 60020 rows",
        "学号 40058 的同学",
        "2026-11-28 10003 visitors",
        "listen 9001; worker_connections 40016;",
        "访问失败，请求编号 3f2a40029c71",
    ],
)
def test_ordinary_text_is_no_error(pasted):
    assert codes(pasted) == []


@pytest.mark.parametrize(
    ("pasted", "told"),
    [
        ("redirect_uri需使用应用可信域名 errcode=50001", ["50001"]),
        ("域名所有权验证不通过（85005）错误码：85005", ["85005"]),
        ("openapi回调地址请求不通过 errcode: 40057", ["40057"]),
        # two things that went wrong are two
        (f"errcode: 60020\n{OWNER}", ["60020", "domain_owner"]),
        # JavaScript's own number says nothing beside words
        ("{errMsg: 'not match any reliable domain', errCode: -1}", ["80001"]),
    ],
)
def test_what_words_and_code_both_say_is_told_once(pasted, told):
    assert codes(pasted) == told


def test_words_have_a_stable_key_in_json():
    (error,) = json.loads(run("--json", OWNER).stdout)["errors"]
    assert (error["code"], error["known"], error["detail"]) == ("domain_owner", True, None)
    assert error["link"] == "https://developer.work.weixin.qq.com/devtool/query"
    assert set(error) == {"code", "known", "what", "who", "change", "detail", "link"}


def test_what_no_document_says_is_marked():
    what = MEANINGS["link_not_opened"].what
    assert "documents do not explain these words" in what.en
    assert "公开文档没有说明这句话" in what.zh


@pytest.mark.parametrize(
    ("code", "side"),
    [
        ("domain_owner", {"WeCom administrator", "school's network team"}),
        ("third_party_domain", {"WeCom administrator", "school's network team"}),
        ("verification_failed", {"gateway operator", "school's network team"}),
        ("trusted_ip_before_domain", {"WeCom administrator"}),
        ("10003", {"WeCom administrator", "platform"}),
        ("40058", {"platform"}),
        ("40016", {"platform"}),
        ("40054", {"platform"}),
        ("81013", {"WeCom administrator", "platform"}),
        ("42012", {"platform"}),
    ],
)
def test_whose_side_it_is_on(code, side):
    assert {who.en for who in MEANINGS[code].who} == side


def test_the_codes_of_login_jssdk_menus_and_messages_are_known():
    """As WeCom's list has them for what an app behind the gateway does."""
    login = (
        "40001 40003 40013 40014 40029 40056 40058 41001 41008 42001 42022 48002 50001 50002 50003 60011 60020 84014"
    )
    jssdk = "40048 40093 42012 80001 85004 85005 91040"
    menus = (
        "40016 40017 40018 40019 40020 40022 40023 40024 40025 40026 40027 40054 40055 40059 40094 41102 46003 60028"
    )
    messages = (
        "40004 40007 40008 40031 40032 40066 40068 41006 41016 41033 42014 44004 45002 45008 81013 82001 82002 93000"
    )
    assert {*login.split(), *jssdk.split(), *menus.split(), *messages.split()} <= MEANINGS.keys()
