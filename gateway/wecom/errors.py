"""WeCom's errors that stop a login or a page: what each means, who can change it, and what to change.

The mark in front of each says where its meaning comes from:

- [17wanxiao] the campus-card platform's document for WeCom administrators
- [codes] WeCom's list of global error codes, https://developer.work.weixin.qq.com/document/path/90313,
  as WxJava quotes it in WxCpErrorMsgEnum
- [identity] https://developer.work.weixin.qq.com/document/path/96442: who is the visitor, by code
- [jssdk] https://developer.work.weixin.qq.com/document/path/96912: common errors of the JS-SDK
- [community] answers of WeCom's staff on https://developers.weixin.qq.com/community/enterprisewechat
- [unconfirmed] as operators tell it; not found in WeCom's public documents
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.wecom.bilingual import ADMIN, OPERATOR, PLATFORM, Text


@dataclass(frozen=True)
class Meaning:
    """One error: what it says, who can change it, and what to change."""

    what: Text
    who: tuple[Text, ...]
    change: Text


# WeCom's error page for a refused redirect_uri has no error code; its URL has err_type=domain_err.
DOMAIN_ERROR = "domain_err"

_NEW_CODE = Text(
    "让成员退回工作台重新打开应用。经常出现时由平台方检查：同一个 code 不能用两次，超时后不能重试，"
    "也不能有两台服务器同时使用。本网关在超时后不会重发请求。",
    "Let the member go back to the workbench and open the app again. If it happens often, the platform has to check "
    "that a code is never used twice: not after a timeout, not by two servers. This gateway repeats no request after "
    "a timeout.",
)
_CALLBACK = Text(
    "应用的网页授权回调域名填站点域名，不带 https:// 和端口，每个应用只能有一个。用带端口的网址"
    "（如 :9001）打开的页面与它不一致：应用主页要用同一个域名和默认端口。",
    "Enter the site's domain as the app's OAuth callback domain, without https:// and without a port; there is one per "
    "app. A page that is opened with a port, like :9001, does not match it: the app's home URL must have that very "
    "domain and the default port.",
)
_TOKEN = Text(
    "平台方重新获取 access_token，并按返回的有效期缓存；多台服务器共用同一个，应用之间不能混用。",
    "The platform has to fetch a new access_token and keep it as long as its answer says; servers share one, apps do "
    "not.",
)
_RANGE = Text(
    "在应用的【可见范围】里加上该成员或部门；需要通讯录接口时，用有相应权限的 Secret。",
    "Add the member or department to the app's visible range; calls on the address book need a Secret that may make "
    "them.",
)

MEANINGS: dict[str, Meaning] = {
    # [codes]
    "-1": Meaning(
        Text("企业微信系统繁忙。", "WeCom is busy."),
        (PLATFORM,),
        Text("稍后重试，不超过三次。", "Try again later, three times at most."),
    ),
    # [codes]
    "0": Meaning(
        Text("成功，不是错误。", "Success, no error."),
        (),
        Text("不用改。", "Nothing."),
    ),
    # [codes]
    "40001": Meaning(
        Text("Secret 不正确。", "The Secret is wrong."),
        (PLATFORM, ADMIN),
        Text(
            "平台方换上这个应用自己的 Secret（应用详情页可查看，由企业微信管理员用安全的方式提供）。",
            "The platform has to use this app's own Secret. It is on the app's page; the WeCom administrator hands it "
            "over safely.",
        ),
    ),
    # [codes]
    "40013": Meaning(
        Text("企业ID（CorpID）不正确。", "The CorpID is wrong."),
        (PLATFORM, ADMIN),
        Text(
            "对照【我的企业】→【企业信息】里的企业ID。蓝鲸是环境变量 BKAPP_WEIXIN_APP_ID。",
            "Compare with My company, Company information. For BlueKing it is the variable BKAPP_WEIXIN_APP_ID.",
        ),
    ),
    # [codes]
    "40014": Meaning(
        Text("access_token 不合法。", "The access_token is not valid."),
        (PLATFORM,),
        _TOKEN,
    ),
    # [identity], [community]
    "40029": Meaning(
        Text(
            "登录用的 code 无效：已经用过，或者超过五分钟，或者不是这个企业的。",
            "The login code is not valid: used before, older than five minutes, or another company's.",
        ),
        (PLATFORM,),
        _NEW_CODE,
    ),
    # [codes]
    "40056": Meaning(
        Text("AgentId 不正确。", "The AgentId is wrong."),
        (PLATFORM, ADMIN),
        Text("对照应用详情页的 AgentId。", "Compare with the AgentId on the app's page."),
    ),
    # [codes]
    "40091": Meaning(
        Text("Secret 不正确，可能是别的企业的。", "The Secret is wrong, possibly another company's."),
        (PLATFORM, ADMIN),
        Text("企业ID 和 Secret 要来自同一个企业。", "CorpID and Secret must be the same company's."),
    ),
    # [codes], [jssdk]
    "40093": Meaning(
        Text(
            "JS-SDK 签名不对：jsapi_ticket 失效，或者签名用的网址与页面不一致。",
            "The JS-SDK signature is wrong: the jsapi_ticket is out of date, or the signed URL is not the page's.",
        ),
        (PLATFORM,),
        Text(
            "签名用的网址要是浏览器里的完整地址：https、站点域名、端口和参数都要有，不含 # 之后的部分。"
            "应用在代理后面时不能用内网地址签名，要用 X-Forwarded-Host 里的域名。",
            "Sign the whole URL in the browser: https, the site's domain, port and parameters, without # and what "
            "follows. Behind this gateway an app must not sign its inner URL; the public domain is in "
            "X-Forwarded-Host.",
        ),
    ),
    # [codes]
    "42001": Meaning(
        Text("access_token 已过期。", "The access_token has expired."),
        (PLATFORM,),
        _TOKEN,
    ),
    # [unconfirmed]
    "42022": Meaning(
        Text(
            "登录用的 code 已经用过或已过期（五分钟内只能用一次）。",
            "The login code is used up or expired: it is good for one use within five minutes.",
        ),
        (PLATFORM,),
        _NEW_CODE,
    ),
    # [codes]
    "45009": Meaning(
        Text("接口调用次数超过限制。", "Too many calls of this interface."),
        (PLATFORM,),
        Text(
            "平台方缓存 access_token 和 jsapi_ticket，减少调用。",
            "The platform has to keep access_token and jsapi_ticket instead of fetching them each time.",
        ),
    ),
    # [codes]
    "48002": Meaning(
        Text("应用没有调用这个接口的权限。", "The app may not call this interface."),
        (PLATFORM, ADMIN),
        Text(
            "确认用的是这个应用自己的 Secret；需要时由企业微信管理员给应用开通该接口的权限。",
            "Make sure that it is this app's own Secret; if so, the WeCom administrator has to give the app the right.",
        ),
    ),
    # [identity], [codes]
    "50001": Meaning(
        Text(
            "跳转地址的域名不是该应用的可信域名。",
            "The domain that the login comes back to is not this app's trusted domain.",
        ),
        (ADMIN, PLATFORM),
        _CALLBACK,
    ),
    # [codes]
    "50002": Meaning(
        Text("成员不在应用的权限范围内。", "The member is outside what the app may see."),
        (ADMIN,),
        _RANGE,
    ),
    # [codes]
    "50003": Meaning(
        Text("应用已停用。", "The app is switched off."),
        (ADMIN,),
        Text("在【应用管理】里启用该应用。", "Switch it on under App management."),
    ),
    # [codes], [community]
    "60011": Meaning(
        Text("对指定的成员、部门或标签没有权限。", "No right to this member, department or tag."),
        (ADMIN, PLATFORM),
        _RANGE,
    ),
    # [17wanxiao], [codes]
    "60020": Meaning(
        Text(
            "调用企业微信接口的服务器，出口 IP 不在该应用的企业可信IP里。",
            "The server that called WeCom has an address that is not among the app's trusted IPs (企业可信IP).",
        ),
        (ADMIN, PLATFORM),
        Text(
            "在应用的【开发者接口】→【企业可信IP】里填写平台方服务器的出口 IP：固定的公网 IPv4，多个用 ; 分隔，"
            "最多 120 个，不能填网段。填的不是本网关的地址，除非应用通过本网关的 egress 或企业微信接口路径"
            "访问企业微信。获取 access_token 不受此限制，能获取不代表已经填好。",
            "Enter the outgoing address of the platform's server under the app's Developer interface, Trusted IPs: "
            "fixed public IPv4 addresses, joined by ;, at most 120, no ranges. It is not this gateway's address, "
            "unless the application goes out through this gateway's egress or its WeCom API path. Fetching an "
            "access_token is exempt, so that it works proves nothing.",
        ),
    ),
    # [codes], [jssdk]
    "80001": Meaning(
        Text(
            "可信域名不正确，或者域名没有 ICP 备案。",
            "The trusted domain is wrong, or the domain has no ICP filing.",
        ),
        (ADMIN,),
        Text(
            "JS-SDK 可信域名要与页面的域名一致，由本单位备案，不带端口；9001 等带端口的页面不能用 JS-SDK。",
            "The JS-SDK's trusted domain must be the page's, filed by your own organisation, without a port. A page "
            "on a port such as 9001 cannot use the JS-SDK.",
        ),
    ),
    # [codes]
    "85004": Meaning(
        Text(
            "本月设置的可信域名超过 20 个。",
            "The company has set more than 20 trusted domains this month.",
        ),
        (ADMIN,),
        Text("下个月再设置。", "Set it next month."),
    ),
    # [codes]
    "85005": Meaning(
        Text("可信域名没有通过所有权校验。", "The trusted domain's ownership is not verified."),
        (ADMIN, OPERATOR),
        Text(
            "下载校验文件，由网关运维放进 files/verify/<域名>/ 并部署；浏览器能打开校验文件的地址后，再点校验。"
            "文件要一直保留。",
            "Download the verification file; the gateway operator puts it in files/verify/<domain>/ and deploys. When "
            "a browser shows it, verify. The file stays in place for good.",
        ),
    ),
    # [codes], [community]
    "301002": Meaning(
        Text(
            "没有权限操作指定的应用：access_token 是用另一个应用的 Secret 获取的。",
            "No right to this app: the access_token was fetched with another app's Secret.",
        ),
        (PLATFORM,),
        Text(
            "AgentId 和 Secret 要来自同一个应用；每个应用用自己的 access_token。",
            "AgentId and Secret must be the same app's; each app has its own access_token.",
        ),
    ),
    # [17wanxiao], [community]: https://open.work.weixin.qq.com/wwopen/uriconfirm?err_type=domain_err&uri=...
    DOMAIN_ERROR: Meaning(
        Text(
            "redirect_uri 需使用应用可信域名：跳转地址的域名不是该应用的可信域名。",
            "redirect_uri needs a trusted domain: the domain that the login would come back to is not the app's.",
        ),
        (ADMIN, PLATFORM),
        _CALLBACK,
    ),
}

# Error codes by the words, in lower case, that WeCom uses where it gives no code.
PHRASES: dict[str, str] = {
    "not allow to access from your ip": "60020",
    "redirect_uri unauthorized": "50001",
    "需使用应用可信域名": DOMAIN_ERROR,
    "需使用可信域名": DOMAIN_ERROR,
    "not match any reliable domain": "80001",
    "invalid url domain": "80001",
    "invalid signature": "40093",
    "invalid code": "40029",
    "invalid corpid": "40013",
    "access_token expired": "42001",
    "api forbidden": "48002",
    "no privilege to access/modify contact/party/agent": "60011",
    "not allow operate another agent": "301002",
}
