"""Finds errors by the words that WeCom uses, however a screenshot's text breaks them up.

Letters count, in either case; white space, line breaks and punctuation between them do not. What is given has to be in
Unicode's form NFKC, which has no full-width letters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.wecom.console import DOMAIN_ERROR


@dataclass(frozen=True)
class Phrase:
    """Words of WeCom's, all of which stand in the text, and the error that they tell of.

    `common` are words that other programs say too. They count where they are all that is given, or beside a mark that
    WeCom spoke. `codes` are the codes for the same thing: where one of them stands in the text, it is told alone.
    """

    key: str
    words: tuple[str, ...]
    common: bool = False
    codes: tuple[str, ...] = ()


_LOGIN_DOMAIN = ("50001", "10003")

PHRASES = (
    Phrase("60020", ("not allow to access from your ip",)),
    Phrase("50001", ("redirect_uri unauthorized",)),
    Phrase("10003", ("redirect_uri域名与后台配置不一致",)),
    Phrase("80001", ("not match any reliable domain",)),
    Phrase("80001", ("invalid url domain",)),
    Phrase("40093", ("invalid signature",), common=True),
    Phrase("40029", ("invalid code",), common=True),
    Phrase("40013", ("invalid corpid",)),
    Phrase("42001", ("access_token expired",), common=True),
    Phrase("48002", ("api forbidden",), common=True),
    Phrase("60011", ("no privilege to access/modify contact/party/agent",)),
    Phrase("301002", ("not allow operate another agent",)),
    Phrase("85005", ("可信域名未通过所有权校验",)),
    Phrase(DOMAIN_ERROR, ("需使用应用可信域名",), codes=_LOGIN_DOMAIN),
    Phrase(DOMAIN_ERROR, ("需使用可信域名",), codes=_LOGIN_DOMAIN),
    # the page that asks for a domain has the sentence that follows these words at all times
    Phrase("domain_owner", ("域名主体校验未通过",)),
    Phrase("third_party_domain", ("域名主体为第三方服务商",)),
    Phrase("third_party_domain", ("请使用企业主体域名",)),
    # the page that has the file tells of the domain's root at all times
    Phrase("verification_failed", ("校验失败", "域名根目录"), codes=("85005",)),
    Phrase("verification_failed", ("所有权验证不通过",), codes=("85005",)),
    Phrase("verification_failed", ("所有权检验不通过",), codes=("85005",)),
    Phrase("verification_failed", ("所有权校验不通过",), codes=("85005",)),
    Phrase("trusted_ip_before_domain", ("配置企业可信ip前", "请先")),
    Phrase("third_party_ip", ("ip属于第三方服务商",)),
    Phrase("callback_failed", ("openapi回调地址请求不通过",), codes=("40057",)),
    Phrase("open_in_wecom", ("请在企业微信客户端打开链接",)),
    Phrase("open_in_wechat", ("请在微信客户端打开链接",)),
    Phrase("link_not_opened", ("链接无法打开",)),
    Phrase("link_not_opened", ("无法打开链接",)),
    Phrase("link_not_opened", ("NSURLErrorCannotConnectToHost",)),
    Phrase("link_not_opened", ("ERROR_CONNECT",)),
    Phrase("jssdk_not_ready", ("the permission value is offline verifying",)),
    Phrase("jssdk_not_ready", ("fail_nopermission",)),
    Phrase("jssdk_no_permission", ("fail_permission denied",), codes=("48002",)),
    Phrase("jssdk_no_permission", ("permission denied",), common=True, codes=("48002",)),
    Phrase("jssdk_too_old", ("function not exist",), common=True),
)

_NO_LETTERS = r"[\W_]*"
_LETTER = re.compile(r"[^\W_]")
# how WeCom's API and its JS-SDK begin an error, and names that stand in no path and no domain of a gateway
_WECOM = re.compile(r"err_?msg|hint: *\[|config:(?:fail|invalid)|js-?sdk|企业微信|work\.weixin\.qq\.com", re.IGNORECASE)
_BEFORE, _AFTER = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"


def _pattern(words: str) -> re.Pattern[str]:
    """Finds the words with anything but letters and digits in between.

    What begins or ends with a Latin letter is no part of a longer word.
    """
    letters = _NO_LETTERS.join(map(re.escape, _LETTER.findall(words)))
    before, after = (mark if end.isascii() else "" for mark, end in ((_BEFORE, words[0]), (_AFTER, words[-1])))
    return re.compile(before + letters + after, re.IGNORECASE)


_PATTERNS = {words: _pattern(words) for phrase in PHRASES for words in phrase.words}


def said(text: str) -> list[Phrase]:
    """The phrases that stand in the text, in the order of the table."""
    return [phrase for phrase in PHRASES if _stands(phrase, text)]


def _stands(phrase: Phrase, text: str) -> bool:
    found = [_PATTERNS[words].search(text) for words in phrase.words]
    return all(found) and (not phrase.common or bool(_WECOM.search(text)) or _only(phrase.words[0], text))


def _only(words: str, text: str) -> bool:
    """Whether the text is these words and nothing else."""
    return _LETTER.findall(text.casefold()) == _LETTER.findall(words.casefold())
