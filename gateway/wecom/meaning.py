"""What is told of an error of WeCom's, and the longer pieces of advice.

The mark in front of each error, in the modules that have them, says where its meaning comes from:

- [17wanxiao] the campus-card platform's document for WeCom administrators
- [codes] WeCom's list of global error codes, https://developer.work.weixin.qq.com/document/path/90313,
  as WxJava quotes it in WxCpErrorMsgEnum, and programs that quote later versions of the list
- [identity] https://developer.work.weixin.qq.com/document/path/96442: who is the visitor, by code
- [jssdk] https://developer.work.weixin.qq.com/document/path/96912: common errors of the JS-SDK
- [wechat] the list of errors of WeChat's own web login, as programs for official accounts quote it
- [community] questions and answers of WeCom's staff on https://developers.weixin.qq.com/community/enterprisewechat
- [reported] the console's words as public issue threads quote them: lyc8503/WechatPush 1, whyiyhw/chatgpt-wechat 2,
  sytpb/chatgpt-wework-robot 10 and 16, easychen/wecomchan 69, jeecgboot/JeecgBoot-vue3 354
- [unconfirmed] as operators tell it; not found in public documents, which its text says too
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.wecom.bilingual import PLATFORM, Text


@dataclass(frozen=True)
class Meaning:
    """One error: what it says, who can change it, and what to change."""

    what: Text
    who: tuple[Text, ...]
    change: Text


AS_DOCUMENTED = Text(
    "由应用的开发者对照企业微信该接口的文档修改请求，errmsg 里有更具体的说明；与本网关无关。",
    "The application's developers have to correct the call by WeCom's documentation of that interface; the errmsg says "
    "more. The gateway has no part in it.",
)

NEW_CODE = Text(
    "让成员退回工作台重新打开应用。经常出现时由平台方检查：同一个 code 不能用两次，超时后不能重试，"
    "也不能有两台服务器同时使用。本网关在超时后不会重发请求。",
    "Let the member go back to the workbench and open the app again. If it happens often, the platform has to check "
    "that a code is never used twice: not after a timeout, not by two servers. This gateway repeats no request after "
    "a timeout.",
)
CALLBACK = Text(
    "应用的网页授权回调域名填站点域名，不带 https:// 和端口，每个应用只能有一个。用带端口的网址"
    "（如 :9001）打开的页面与它不一致：应用主页要用同一个域名和默认端口。",
    "Enter the site's domain as the app's OAuth callback domain, without https:// and without a port; there is one per "
    "app. A page that is opened with a port, like :9001, does not match it: the app's home URL must have that very "
    "domain and the default port.",
)
TOKEN = Text(
    "平台方重新获取 access_token，并按返回的有效期缓存；多台服务器共用同一个，应用之间不能混用。",
    "The platform has to fetch a new access_token and keep it as long as its answer says; servers share one, apps do "
    "not.",
)
RANGE = Text(
    "在应用的【可见范围】里加上该成员或部门；需要通讯录接口时，用有相应权限的 Secret。",
    "Add the member or department to the app's visible range; calls on the address book need a Secret that may make "
    "them.",
)
VERIFY = Text(
    "下载校验文件，由网关运维放进 files/verify/<域名>/ 并部署；浏览器能打开校验文件的地址后，再点校验。"
    "文件要一直保留。",
    "Download the verification file; the gateway operator puts it in files/verify/<domain>/ and deploys. When "
    "a browser shows it, verify. The file stays in place for good.",
)
SIGNED_URL = Text(
    "签名用的网址要是浏览器里的完整地址：https、站点域名、端口和参数都要有，不含 # 之后的部分。"
    "应用在代理后面时不能用内网地址签名，要用 X-Forwarded-Host 里的域名。",
    "Sign the whole URL in the browser: https, the site's domain, port and parameters, without # and what "
    "follows. Behind this gateway an app must not sign its inner URL; the public domain is in X-Forwarded-Host.",
)
MESSAGE_CALLBACK = Text(
    "由应用的开发者确认：填写的网址带完整路径，服务已经启动，Token 和 EncodingAESKey 与后台一致，收到的 echostr "
    "解密后原样返回。网址经过本网关时，网关运维确认有一条路由包含这个路径，并且没有用 allow "
    "把企业微信的服务器挡在外面。",
    "The application's developers have to make sure that the URL has its whole path, the service runs, Token and "
    "EncodingAESKey are the console's, and the decrypted echostr comes back as it is. Where the URL leads through this "
    "gateway, its operator makes sure that a route has that path and that no allow keeps WeCom's servers out.",
)


def of_the_program(zh: str, en: str, change: Text = AS_DOCUMENTED) -> Meaning:
    """An error that only the application's developers can mend."""
    return Meaning(Text(zh, en), (PLATFORM,), change)
