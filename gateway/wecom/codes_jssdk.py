"""Codes and words of the JS-SDK, and codes of the trusted domains that it needs."""

from __future__ import annotations

from gateway.wecom.bilingual import ADMIN, OPERATOR, PLATFORM, Text
from gateway.wecom.meaning import SIGNED_URL, VERIFY, Meaning, of_the_program

JSSDK: dict[str, Meaning] = {
    # [community]
    "40048": Meaning(
        Text(
            "页面的域名不是应用的 JS-SDK 可信域名。", "The page's domain is not a trusted domain of the app's JS-SDK."
        ),
        (ADMIN,),
        Text(
            "在应用的【网页授权及JS-SDK】里把站点域名填为可信域名并通过校验，不带 https:// 和端口；9001 等带端口的"
            "页面不能用 JS-SDK。",
            "Enter the site's domain as the app's JS-SDK trusted domain, without https:// and without a port, and "
            "have it verified. A page on a port such as 9001 cannot use the JS-SDK.",
        ),
    ),
    # [codes], [jssdk]
    "40093": Meaning(
        Text(
            "JS-SDK 签名不对：jsapi_ticket 失效，或者签名用的网址与页面不一致。",
            "The JS-SDK signature is wrong: the jsapi_ticket is out of date, or the signed URL is not the page's.",
        ),
        (PLATFORM,),
        SIGNED_URL,
    ),
    # [codes]
    "41010": of_the_program("请求里没有 url。", "The call has no url."),
    # [codes]
    "42012": of_the_program(
        "jsapi_ticket 不可用：取它的接口不对。",
        "The jsapi_ticket is of no use: it was fetched by the wrong interface.",
        Text(
            "agentConfig 要用应用的 jsapi_ticket，config 要用企业的 jsapi_ticket，两者不能混用。",
            "agentConfig needs the app's own jsapi_ticket, config the company's; one will not do for the other.",
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
        VERIFY,
    ),
    # [codes]
    "91040": of_the_program("取 ticket 时的 type 参数无效。", "The type of ticket that was asked for is not valid."),
    # [jssdk]
    "jssdk_no_permission": Meaning(
        Text("应用没有使用这个 JS-SDK 接口的权限。", "The app may not use this interface of the JS-SDK."),
        (ADMIN, PLATFORM),
        Text(
            "由平台方确认这个接口需要什么权限，由企业微信管理员给应用开通。",
            "The platform has to say which right the interface needs, and the WeCom administrator has to give it "
            "to the app.",
        ),
    ),
    # [jssdk]
    "jssdk_not_ready": of_the_program(
        "调用的 JS-SDK 接口没有注册：config 没有成功，或者 jsApiList 里没有它。",
        "The JS-SDK's interface is not registered: config did not succeed, or the jsApiList does not have it.",
        Text(
            "由应用的开发者确认 config 成功之后再调用，并把接口写进 jsApiList。config 因签名失败时，先看 40093。",
            "The application's developers have to call it after config has succeeded, and put it into the "
            "jsApiList. Where config fails for its signature, see 40093.",
        ),
    ),
    # [jssdk]
    "jssdk_too_old": of_the_program(
        "成员的企业微信版本太低，没有这个 JS-SDK 接口。",
        "The member's WeCom is too old to have this interface of the JS-SDK.",
        Text("让成员升级企业微信。", "Let the member update WeCom."),
    ),
}
