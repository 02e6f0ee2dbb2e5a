"""Codes of logging in: tokens, login codes, who the member is, and from where WeCom is called."""

from __future__ import annotations

from gateway.wecom.bilingual import ADMIN, OPERATOR, PLATFORM, Text
from gateway.wecom.meaning import CALLBACK, MESSAGE_CALLBACK, NEW_CODE, RANGE, TOKEN, Meaning, of_the_program

LOGIN: dict[str, Meaning] = {
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
    # [wechat], [community]
    "10003": Meaning(
        Text(
            "登录的回调域名与后台配置的不一致。这是在微信里打开时的说法，在企业微信里是“redirect_uri 需使用应用可信"
            "域名”。",
            "The domain that the login would come back to is not the configured one. WeChat says it so; inside "
            "WeCom it is that redirect_uri needs a trusted domain.",
        ),
        (ADMIN, PLATFORM),
        Text(
            "网址里 appid 以 ww 开头（企业微信）：与 50001 相同，在应用的【网页授权及JS-SDK】里把回调域名填为站点域"
            "名，不带 https:// 和端口，应用主页用默认端口的地址。appid 以 wx 开头（公众号）：在公众号的【网页授权域"
            "名】里填写，企业微信后台里没有这一项。",
            "Where the URL's appid begins with ww, which is WeCom: as with 50001, enter the site's domain as the "
            "app's OAuth callback domain, without https:// and without a port, and open the app by its default "
            "port. Where it begins with wx, which is an official account of WeChat: enter it among that account's "
            "web login domains; WeCom's console has no such field.",
        ),
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
    "40003": of_the_program(
        "UserID 无效：不在通讯录里，或者格式不对。",
        "The UserID is not valid: not in the address book, or of a wrong form.",
        Text(
            "UserID 是通讯录里的账号，1 到 64 个字符；不是姓名、手机号或 openid。",
            "The UserID is the account in the address book, 1 to 64 characters, and no name, phone number or openid.",
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
        TOKEN,
    ),
    # [identity], [community]
    "40029": Meaning(
        Text(
            "登录用的 code 无效：已经用过，或者超过五分钟，或者不是这个企业的。",
            "The login code is not valid: used before, older than five minutes, or another company's.",
        ),
        (PLATFORM,),
        NEW_CODE,
    ),
    # [codes]
    "40035": of_the_program("请求的参数不合法。", "A parameter of the call is not valid."),
    # [codes]
    "40056": Meaning(
        Text("AgentId 不正确。", "The AgentId is wrong."),
        (PLATFORM, ADMIN),
        Text("对照应用详情页的 AgentId。", "Compare with the AgentId on the app's page."),
    ),
    # [codes]
    "40057": Meaning(
        Text(
            "接收消息的服务器网址（回调 URL）不合法，或者没有通过验证。",
            "The URL that receives messages (callback) is not valid, or did not pass verification.",
        ),
        (PLATFORM, OPERATOR),
        MESSAGE_CALLBACK,
    ),
    # [codes]
    "40058": of_the_program(
        "请求的参数不符合接口要求，errmsg 里通常写明是哪一个。",
        "A parameter of the call is not as the interface demands; the errmsg mostly names it.",
    ),
    # [codes]
    "40063": of_the_program(
        "缺少必填的参数，或者请求方法、格式不对。",
        "A parameter is missing, or the call has the wrong method or format.",
        Text(
            "接口要求 POST 加 JSON 时，不能用 GET 或表单。",
            "Where the interface wants JSON by POST, neither GET nor a form will do.",
        ),
    ),
    # [codes]
    "40078": of_the_program(
        "授权码 auth_code 无效：来源不对，或者已经用过。",
        "The auth_code is not valid: from elsewhere, or used before.",
        Text("授权码只能用一次，重新取得后再用。", "It is good for one use; get a new one."),
    ),
    # [codes]
    "40091": Meaning(
        Text("Secret 不正确，可能是别的企业的。", "The Secret is wrong, possibly another company's."),
        (PLATFORM, ADMIN),
        Text("企业ID 和 Secret 要来自同一个企业。", "CorpID and Secret must be the same company's."),
    ),
    # [codes]
    "41001": of_the_program("请求里没有 access_token。", "The call has no access_token.", TOKEN),
    # [codes]
    "41002": of_the_program("请求里没有 corpid。", "The call has no corpid."),
    # [codes]
    "41004": of_the_program("请求里没有 secret。", "The call has no secret."),
    # [codes]
    "41008": of_the_program(
        "请求里没有登录用的 code。",
        "The call has no login code.",
        Text(
            "应用要从回调网址的参数里取 code。本网关原样转发参数；用户直接打开回调网址时也会没有 code。",
            "The application takes it from the parameters of the callback URL, which this gateway hands on "
            "untouched. It is missing too where somebody opens the callback URL directly.",
        ),
    ),
    # [codes]
    "41009": of_the_program("请求里没有 userid。", "The call has no userid."),
    # [codes]
    "41011": of_the_program("请求里没有 agentid。", "The call has no agentid."),
    # [codes]
    "41024": of_the_program("请求里没有应用的 Secret。", "The call has no Secret of the app."),
    # [codes]
    "42001": Meaning(
        Text("access_token 已过期。", "The access_token has expired."),
        (PLATFORM,),
        TOKEN,
    ),
    # [codes]
    "42013": of_the_program(
        "小程序没有登录，或者登录已经过期。",
        "The mini program is not logged in, or its login has expired.",
        Text("小程序要重新登录。", "The mini program has to log in again."),
    ),
    # [codes]
    "42022": Meaning(
        Text("登录用的 code 已经用过，只能用一次。", "The login code has been used before; it is good for one use."),
        (PLATFORM,),
        NEW_CODE,
    ),
    # [codes]
    "43004": Meaning(
        Text("该成员没有绑定微信，取不到 openid。", "The member has not bound WeChat, so there is no openid."),
        (ADMIN,),
        Text(
            "让成员用微信登录企业微信，或者关注微信插件（微工作台）。",
            "Let the member log in to WeCom by WeChat, or follow the company in WeChat (微信插件).",
        ),
    ),
    # [codes]
    "43009": Meaning(
        Text("企业还没有验证主体。", "The company is not verified."),
        (ADMIN,),
        Text("在【我的企业】里完成企业的验证或认证。", "Have the company verified under My company."),
    ),
    # [codes]
    "43012": Meaning(
        Text("应用需要先配置接收消息的服务器（回调 URL）。", "The app needs a callback that receives messages first."),
        (ADMIN, PLATFORM),
        MESSAGE_CALLBACK,
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
    "45033": of_the_program(
        "对同一份内容的并发调用太多。",
        "Too many calls of one thing at the same time.",
        Text(
            "一般是程序不停地重复请求，由开发者排查。",
            "Mostly a program that repeats a call without end; its developers have to look into it.",
        ),
    ),
    # [codes]
    "46004": Meaning(
        Text("指定的成员不在通讯录里。", "The member is not in the address book."),
        (ADMIN, PLATFORM),
        Text(
            "由企业微信管理员确认该账号在通讯录里；账号由应用填写的，由平台方核对。",
            "The WeCom administrator makes sure that the address book has the account; the platform compares it "
            "with what the app sends.",
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
    # [codes]
    "48004": Meaning(
        Text("授权关系无效：没有授权，或者授权已经取消。", "There is no authorisation, or it was taken back."),
        (ADMIN, PLATFORM),
        Text(
            "由企业微信管理员重新授权安装该第三方应用或代开发应用。",
            "The WeCom administrator has to authorise the third party's app again.",
        ),
    ),
    # [codes]
    "48005": of_the_program(
        "接口已经废弃。",
        "The interface is no longer there.",
        Text("由应用的开发者改用新的接口。", "The application's developers have to use its successor."),
    ),
    # [codes]
    "48006": Meaning(
        Text(
            "接口权限被收回：企业很久没有使用该应用。",
            "The right to call the interface was taken back, because the company did not use the app for long.",
        ),
        (ADMIN,),
        Text("由企业微信管理员重新启用该应用。", "The WeCom administrator has to switch the app on again."),
    ),
    # [identity], [codes]
    "50001": Meaning(
        Text(
            "跳转地址的域名不是该应用的可信域名。",
            "The domain that the login comes back to is not this app's trusted domain.",
        ),
        (ADMIN, PLATFORM),
        CALLBACK,
    ),
    # [codes]
    "50002": Meaning(
        Text("成员不在应用的权限范围内。", "The member is outside what the app may see."),
        (ADMIN,),
        RANGE,
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
        RANGE,
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
    # [codes]
    "60021": Meaning(
        Text("成员不在应用的可见范围里。", "The member is outside the app's visible range."), (ADMIN,), RANGE
    ),
    # [codes]
    "60111": Meaning(
        Text(
            "UserID 不存在：参数为空，或者不在通讯录里。",
            "There is no such UserID: the parameter is empty, or the address book does not have it.",
        ),
        (PLATFORM, ADMIN),
        Text(
            "由平台方核对应用传的账号，由企业微信管理员确认通讯录里有这个成员。",
            "The platform compares what the app sends; the WeCom administrator makes sure that the address book "
            "has the member.",
        ),
    ),
    # [codes]
    "84014": of_the_program("成员票据 user_ticket 已过期。", "The user_ticket has expired.", NEW_CODE),
    # [codes]
    "84015": of_the_program(
        "成员票据 user_ticket 无效。",
        "The user_ticket is not valid.",
        Text(
            "user_ticket 要用登录 code 换取，由应用的开发者核对来源。",
            "It comes in exchange for the login code; the application's developers have to see where theirs is from.",
        ),
    ),
    # [codes]
    "84090": of_the_program("请求里没有 user_ticket。", "The call has no user_ticket."),
    # [codes]
    "92000": Meaning(
        Text("成员不在应用的可见范围里。", "The member is outside the app's visible range."), (ADMIN,), RANGE
    ),
    # [codes]
    "92001": Meaning(
        Text("应用没有读取成员敏感信息的权限。", "The app may not read the member's sensitive data."),
        (ADMIN, PLATFORM),
        Text(
            "由企业微信管理员在应用里开通。",
            "The WeCom administrator has to allow it in the app; the login asks for scope snsapi_privateinfo, and "
            "the member agrees.",
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
    # [codes]
    "2000002": Meaning(
        Text("企业ID（CorpID）无效：没有这个企业。", "The CorpID is not valid: there is no such company."),
        (PLATFORM, ADMIN),
        Text("对照【我的企业】→【企业信息】里的企业ID。", "Compare with My company, Company information."),
    ),
}
