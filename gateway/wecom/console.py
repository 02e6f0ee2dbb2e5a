"""What WeCom's console and WeCom on a phone say in words, without a code. The keys are this product's own."""

from __future__ import annotations

from gateway.wecom.bilingual import ADMIN, APPLICATION, NETWORK, OPERATOR, PLATFORM, Text
from gateway.wecom.meaning import CALLBACK, MESSAGE_CALLBACK, Meaning

# WeCom's error page for a refused redirect_uri has no error code; its URL has err_type=domain_err.
DOMAIN_ERROR = "domain_err"

CONSOLE: dict[str, Meaning] = {
    # [17wanxiao], [community]: https://open.work.weixin.qq.com/wwopen/uriconfirm?err_type=domain_err&uri=...
    DOMAIN_ERROR: Meaning(
        Text(
            "redirect_uri 需使用应用可信域名：跳转地址的域名不是该应用的可信域名。",
            "redirect_uri needs a trusted domain: the domain that the login would come back to is not the app's.",
        ),
        (ADMIN, PLATFORM),
        CALLBACK,
    ),
    # [reported], [community]: one was refused for brackets of another width in the organisation's name
    "domain_owner": Meaning(
        Text(
            "域名主体校验未通过：域名的 ICP 备案主体与企业微信的认证主体不同，也没有关联关系。",
            "The domain's owner is not accepted: its ICP filing is neither the company's that WeCom has verified, nor "
            "one's that belongs to it.",
        ),
        (ADMIN, NETWORK),
        Text(
            "学校网络团队在工信部备案系统里查该域名的备案主体，企业微信管理员对照【我的企业】里的认证主体，"
            "两者要逐字相同（括号的全角半角也算）。不同时用本单位备案的域名，或者按 "
            "https://open.work.weixin.qq.com/wwopen/common/readDocument/40754 说明关联关系。"
            "改本网关的配置没有用。",
            "The school's network team looks the domain's filing up with the ministry, the WeCom administrator "
            "compares "
            "it with the verified name under My company, letter by letter: brackets of another width count too. If "
            "they differ, take a domain that your own organisation has filed, or show how the two belong together: "
            "https://open.work.weixin.qq.com/wwopen/common/readDocument/40754. Nothing in the gateway can change it.",
        ),
    ),
    # [reported]
    "third_party_domain": Meaning(
        Text(
            "该域名的主体是第三方服务商，不是本企业。",
            "The domain belongs to a third party, a cloud provider for example, and not to the company.",
        ),
        (ADMIN, NETWORK),
        Text(
            "不要填平台方、云厂商或内网穿透的域名，填站点域名：由本单位备案，解析到本网关。",
            "Enter no domain of the platform, of a cloud or of a tunnel, but the site's: filed by your own "
            "organisation, with a DNS record that leads to this gateway.",
        ),
    ),
    # [reported], [community]
    "verification_failed": Meaning(
        Text(
            "域名归属校验失败：企业微信没有从这个域名的根目录取到校验文件的内容。",
            "Verification failed: WeCom did not get the verification file's content from the domain's root.",
        ),
        (OPERATOR, NETWORK),
        Text(
            "网关运维在外网用 curl -i 打开 https://<域名>/<校验文件名>，要返回 200 和那 16 个字符，不能是网页，也不能"
            "跳转。"
            "没有放好：放进 files/verify/<域名>/ 并部署，文件名和内容都不改。返回网页或 404 而不是本网关：学校网络团"
            "队检查 "
            "DNS 和负载均衡。都正确时再点一次校验。",
            "The gateway operator opens https://<domain>/<file> with curl -i from outside: it has to be 200 and the 16 "
            "characters, no page and no redirect. Where it is not in place: put it in files/verify/<domain>/ and "
            "deploy, name and content untouched. Where something else answers, a page or 404 of another server: the "
            "school's network team has to see to DNS and the load balancer. When all is right, verify again.",
        ),
    ),
    # [reported]
    "trusted_ip_before_domain": Meaning(
        Text(
            "还不能填企业可信IP：要先设置可信域名，或者设置接收消息的服务器网址。",
            "Trusted IPs cannot be entered yet: a trusted domain, or a URL that receives messages, has to come first.",
        ),
        (ADMIN,),
        Text(
            "先在【网页授权及JS-SDK】里填好站点域名并通过校验，再填企业可信IP。交接表里的步骤就是这个顺序。",
            "Enter the site's domain under Web authorisation and JS-SDK and have it verified, then enter the trusted "
            "IPs. The handover sheet's steps have this order.",
        ),
    ),
    # [reported]
    "third_party_ip": Meaning(
        Text(
            "填写的企业可信IP 属于第三方服务商。",
            "The address that is entered as trusted IP belongs to a third party.",
        ),
        (ADMIN, PLATFORM),
        Text(
            "填本企业自己的服务器的出口 IP。应用由平台方的服务器运行、又不能换地址时，可以让它经本网关的 egress 或企"
            "业微信"
            "接口路径访问企业微信，然后填本网关的出口 IP。",
            "Enter the outgoing address of a server of your own organisation. Where the platform's servers run the "
            "app, "
            "they can go out through this gateway's egress or its WeCom API path; then enter this gateway's outgoing "
            "address.",
        ),
    ),
    # [reported]
    "callback_failed": Meaning(
        Text(
            "接收消息的服务器网址没有通过验证（openapi回调地址请求不通过）。",
            "The URL that receives messages did not pass verification.",
        ),
        (APPLICATION, OPERATOR),
        MESSAGE_CALLBACK,
    ),
    # [community]: in a desktop browser, and where WeCom on a computer opens a link outside of itself
    "open_in_wecom": Meaning(
        Text(
            "登录页是在企业微信以外打开的，例如电脑上的浏览器。",
            "The login page was opened outside of WeCom, in a desktop browser for example.",
        ),
        (PLATFORM,),
        Text(
            "让成员在企业微信的工作台里打开应用。网关没有问题：能看到这一页，说明应用已经打开并转到了登录。",
            "Let the member open the app from WeCom's workbench. The gateway is fine: whoever sees this has reached "
            "the "
            "app, which led on to the login.",
        ),
    ),
    # [community]: an appid that begins with wx is not for WeCom
    "open_in_wechat": Meaning(
        Text(
            "应用用公众号的 appid（wx 开头）登录，这种登录只能在微信里打开。",
            "The app logs in by an appid of an official account, beginning with wx: that works inside WeChat alone.",
        ),
        (PLATFORM,),
        Text(
            "在企业微信里登录要用企业ID（ww 开头）：由平台方修改应用的登录配置。",
            "Inside WeCom the login needs the CorpID, which begins with ww. The platform has to change the app's "
            "login.",
        ),
    ),
    # [unconfirmed]; the two names of a connection that failed: [reported]
    "link_not_opened": Meaning(
        Text(
            "手机打不开这个链接。企业微信的公开文档没有说明这句话；以下是要检查的地方。",
            "The phone cannot open the link. WeCom's public documents do not explain these words; here is what to "
            "check.",
        ),
        (OPERATOR, NETWORK, ADMIN),
        Text(
            "先用同一部手机的浏览器打开应用主页。也打不开：网关运维执行 verify，学校网络团队检查 DNS、证书和防火墙。"
            "能打开：企业微信管理员对照交接表检查应用主页，逐字相同，以 https:// 开头。只有个别人打不开：检查可见范围"
            "，升级企业微信。",
            "First open the app's home URL in the same phone's browser. If that fails too: the gateway operator runs "
            "verify, the school's network team sees to DNS, certificate and firewall. If it opens: the WeCom "
            "administrator compares the app's home URL with the handover sheet, letter by letter, from https:// on. If "
            "it fails for some people alone: look at the visible range, and update WeCom.",
        ),
    ),
}
