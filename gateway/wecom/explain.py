"""Finds WeCom's errors in what an operator pastes, and the address or domain that each is about.

What is pasted may hold an access_token, a Secret or a login code. So nothing of it is repeated but error codes, IP
addresses of callers and one host name with its port.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from gateway.wecom.bilingual import Text
from gateway.wecom.console import DOMAIN_ERROR
from gateway.wecom.errors import MEANINGS
from gateway.wecom.meaning import Meaning
from gateway.wecom.phrases import said

LOOK_UP = "https://developer.work.weixin.qq.com/devtool/query"

NOTHING_FOUND = f"""no WeCom error and no message of this program found in this
give the code, the whole answer or line, WeCom's words, or the URL of the error page
没有找到企业微信错误，也没有本程序的提示；请输入编码、完整的返回内容或整行提示、企业微信的原文或错误页面的网址
{LOOK_UP}"""

_NUMBERED = re.compile(
    r"""err(?:or)?[ _-]?code["']?\s*[:=]\s*["']?(-?[0-9]{1,9})(?![0-9])|query\?e=([0-9]{1,9})(?![0-9])"""
    r"""|(?:错误码|返回码)["']?\s*[:=]?\s*(-?[0-9]{1,9})(?![0-9])""",
    re.IGNORECASE,
)
_ALONE = re.compile(r"-?[0-9]{1,9}")
_NUMBER = r"(?<![0-9.])([0-9]{5,7})(?![0-9]|\.[0-9])"
_ANYWHERE = re.compile(_NUMBER)
_NO_WORDS = re.compile(r"[0-9\W_]+")
# A number in a sentence is a code where the sentence speaks of an error, and no number of things.
_SPOKEN = re.compile(
    r"(?:错误|报错|出错|代码|提示|显示|出现|返回|失败|说"
    r"|\b(?:errors?|code|fail(?:s|ed|ure)?|says?|said|shows?|gets?|got|returns?|returned))[^0-9]{0,12}"
    + _NUMBER
    + r"(?!\s*(?:[次条个人名位元块份张家秒]|毫秒|字节|(?:bytes?|users?|times|requests?|rows?|lines?|ms|s)\b))",
    re.IGNORECASE,
)
_BROKEN_NUMBER = re.compile(r"(?<=[0-9])[ \t]*[\r\n]\s*(?=[0-9])")
_BROKEN_ADDRESS = re.compile(r"(?<=[0-9])\.\s+(?=[0-9])")
_CALLER = re.compile(r"from ip:?\s*[\"']?([0-9a-f:.]+)", re.IGNORECASE)
# uri= of the error page, or redirect_uri= of the page before it, but not after_redirect_uri=true
_RETURN_URL = re.compile(r"""(?<![A-Za-z0-9_-])(?:redirect_)?uri=([^&\s"'<>]+)""")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")


@dataclass(frozen=True)
class Explanation:
    """One error in what was pasted.

    `code` is WeCom's, or the key of words that have none. `meaning` is None where the code is not known here. `detail`
    is about the addresses or the domain in the paste.
    """

    code: str
    meaning: Meaning | None
    detail: Text | None = None

    @property
    def link(self) -> str:
        """WeCom's own page about the code."""
        return f"{LOOK_UP}?e={self.code}" if self.code.isdigit() else LOOK_UP


def explain(pasted: str) -> list[Explanation]:
    """Every error in `pasted`: a code, an answer, a URL, a line of a log, or a screenshot's text.

    Unknown codes are left out where there is a known one: JavaScript puts codes of its own around WeCom's.
    """
    text = _plain(pasted)
    codes = _codes(text)
    known = [code for code in codes if code in MEANINGS]
    telling = [*filter(_tells, codes)]
    return [Explanation(code, MEANINGS.get(code), _detail(code, text)) for code in telling or known or codes]


def as_text(found: Explanation) -> str:
    """The explanation for people: in English, then in Chinese."""
    meaning = found.meaning
    if not meaning:
        return (
            f"{found.code}: not known here; look it up with WeCom\n"
            f"{found.code}：这里没有收录，请在企业微信官方查询\n{found.link}"
        )
    en, zh = [f"{found.code}: {meaning.what.en}"], [f"{found.code}：{meaning.what.zh}"]
    if meaning.who:
        en.append(f"  whose side: {', '.join(who.en for who in meaning.who)}")
        zh.append(f"  谁来处理：{'、'.join(who.zh for who in meaning.who)}")
    if found.detail:
        en.append(f"  here: {found.detail.en}")
        zh.append(f"  本次：{found.detail.zh}")
    en.append(f"  to change: {meaning.change.en}")
    zh.append(f"  怎么改：{meaning.change.zh}")
    return "\n".join([*en, "", *zh, "", found.link])


def as_data(found: Explanation) -> dict[str, Any]:
    """The explanation for programs, as `explain --json` prints it."""
    known = asdict(found.meaning) if found.meaning else {"what": None, "who": [], "change": None}
    detail = asdict(found.detail) if found.detail else None
    return {"code": found.code, "known": found.meaning is not None, **known, "detail": detail, "link": found.link}


def _plain(pasted: str) -> str:
    """The text without URL encoding, backslashes of JSON in strings, and full-width characters."""
    once = unicodedata.normalize("NFKC", pasted)
    return unquote(unquote(once)).replace("\\", "")


def _codes(text: str) -> list[str]:
    """The codes and keys in the text, each once.

    A code for the same thing goes before words, and what is plainly a code before a number in a sentence.
    """
    named = _named(text)
    if not any(map(_tells, named)):
        # a screenshot's lines end in the middle of words and numbers
        named = [*filter(_tells, _named("".join(text.split())))] or named
    phrases = said(text)
    numbers = [*filter(_tells, named)] or [phrase.key for phrase in phrases if phrase.key.isdigit()]
    words = [phrase.key for phrase in phrases if not phrase.key.isdigit() and not {*phrase.codes} & {*numbers}]
    found = [*named, *numbers, *words]
    return list(dict.fromkeys(found or _alone(text) or _spoken(text) or _spoken(_BROKEN_NUMBER.sub("", text))))


def _tells(code: str) -> bool:
    """Whether something can be said about this code. Success and "busy" stand around WeCom's own in JavaScript."""
    return code in MEANINGS and code not in ("0", "-1")


def _named(text: str) -> list[str]:
    """The numbers that are called error codes, and the key of an error page."""
    found = [number for match in _NUMBERED.findall(text) for number in match if number]
    return [*found, DOMAIN_ERROR] if f"err_type={DOMAIN_ERROR}" in text else found


def _alone(text: str) -> list[str]:
    """The code or key that is all there is, or the codes where there is nothing but numbers."""
    whole, unbroken = text.strip(), "".join(text.split())
    if whole in MEANINGS or _ALONE.fullmatch(whole):
        return [whole]
    if not _NO_WORDS.fullmatch(text):
        return []
    return [unbroken] if _tells(unbroken) else [*filter(_tells, _ANYWHERE.findall(text))]


def _spoken(text: str) -> list[str]:
    """The codes in sentences."""
    return [*filter(_tells, _SPOKEN.findall(text))]


def _detail(code: str, text: str) -> Text | None:
    """What the text says about the addresses or the domain that this error is about."""
    if code == "60020":
        return _callers(_CALLER.findall(text)) or _callers(_CALLER.findall(_BROKEN_ADDRESS.sub(".", text)))
    if code in ("50001", "10003", DOMAIN_ERROR):
        match = _RETURN_URL.search(text)
        return _returned_to(match.group(1)) if match else None
    return None


def _callers(values: list[str]) -> Text | None:
    """The callers' addresses, each once, and whether they can be entered as trusted IPs."""
    found: dict[Callable[[str, bool], Text], dict[str, None]] = {_ipv6: {}, _inner: {}, _to_add: {}}
    for value in values:
        try:
            address = ipaddress.ip_address(value.rstrip(".:"))
        except ValueError:
            continue
        address = getattr(address, "ipv4_mapped", None) or address
        kind = _ipv6 if address.version == 6 else _to_add if address.is_global else _inner
        found[kind][str(address)] = None
    texts = [kind(";".join(addresses), len(addresses) > 1) for kind, addresses in found.items() if addresses]
    return Text("".join(text.zh for text in texts), " ".join(text.en for text in texts)) if texts else None


def _ipv6(addresses: str, several: bool) -> Text:
    who, where = ("The callers are", "those servers") if several else ("The caller is", "that server")
    return Text(
        f"来源 IP 是 {addresses}。企业可信IP 只能填 IPv4，请让该服务器改用 IPv4 访问企业微信。",
        f"{who} {addresses}. Trusted IPs are IPv4 only: let {where} reach WeCom over IPv4.",
    )


def _inner(addresses: str, several: bool) -> Text:
    return Text(
        f"{addresses} 不是公网地址，不能填。请查出该服务器访问公网时的出口 IP 再填。",
        f"{addresses} are not public addresses and cannot be entered. Find the public addresses that these servers go "
        "out with, and enter those."
        if several
        else f"{addresses} is not a public address and cannot be entered. Find the public address that this server "
        "goes out with, and enter that.",
    )


def _to_add(addresses: str, several: bool) -> Text:
    return Text(f"要添加的地址：{addresses}", f"The {'addresses' if several else 'address'} to add: {addresses}")


def _returned_to(url: str) -> Text | None:
    """The domain in `url`, where the login was to come back to, and what is plainly wrong with it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if not _HOST.fullmatch(host):
        return None
    shown = host if port is None else f"{host}:{port}"
    if "." not in host or re.fullmatch(r"[0-9.]+", host):
        return Text(
            f"跳转地址是 {shown}，这是内部地址，不是公网域名。应用要按 X-Forwarded-Host 生成网址（蓝鲸：检查 "
            "BKAPP_WEIXIN_APP_EXTERNAL_HOST），访问也要经过本网关。",
            f"The login would come back to {shown}, an inner address and no public domain. The app must build its URLs "
            "from X-Forwarded-Host (BlueKing: check BKAPP_WEIXIN_APP_EXTERNAL_HOST), and the visit must pass this "
            "gateway.",
        )
    if port not in (None, 80, 443):
        return Text(
            f"跳转地址是 {shown}，带了端口 {port}，与不带端口的回调域名不一致。应用主页要用默认端口的地址；"
            "网址由应用生成时，检查它为什么带上端口。",
            f"The login would come back to {shown}: port {port} does not match a callback domain without a port. The "
            "home URL must be on the default port; if the app builds the URL, see why it adds the port.",
        )
    return Text(
        f"跳转地址的域名是 {host}。它应当就是站点域名；是的话把它填为回调域名，不是的话检查应用主页。",
        f"The login would come back to {host}. If that is the site's domain, enter it as the callback domain; if not, "
        "check the app's home URL.",
    )
