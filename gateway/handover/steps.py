"""The steps of a sheet, in Chinese and English: who does what, in which order.

They have the order and the numbers of the platforms' own documents: 17wanxiao's for WeCom administrators (create an
app, 1 to 5, then try it) and BlueKing ITSM's (settings, proxy, WeCom, binding, visit). What WeCom has come to demand
since those were written, trusted IPs for example, is added where it belongs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gateway.handover import network, wecom_api
from gateway.handover.parts import Row, Section, Step
from gateway.handover.sheet import Sheet
from gateway.wecom.api_hosts import WECOM_API
from gateway.wecom.bilingual import ADMIN, APPLICATION, NETWORK, OPERATOR, PLATFORM, Text

_HOME = Text("应用主页", "App home URL")
_TRUSTED = Text("可信域名", "Trusted domain")
_OAUTH = Text("网页授权（OAuth2）回调域名", "OAuth callback domain")
_VERIFY = Text("校验文件地址", "Verification file URL")
_IPS = Text("企业可信IP", "Trusted IPs")

_ENVIRONMENTS = {"o": Text("正式环境", "production"), "t": Text("测试环境", "test")}


def glance(sheet: Sheet) -> tuple[tuple[Text, Row], ...]:
    """The values that people ask for first, each with who has to set it up."""
    if sheet.is_wecom_api:
        return wecom_api.glance(sheet)
    return (
        *((ADMIN, row) for row in _home(sheet)),
        (ADMIN, Row(_TRUSTED, (sheet.domain,))),
        (ADMIN, Row(_OAUTH, (sheet.domain,))),
        (ADMIN, Row(_VERIFY, sheet.verify_urls)),
        (ADMIN, Row(_IPS, (sheet.trusted_ips,))),
        (NETWORK, Row(Text("DNS 记录", "DNS record"), sheet.dns)),
        (NETWORK, Row(network.listeners(sheet), sheet.listeners)),
        *((NETWORK, row) for row in network.visitors(sheet)),
    )


def sections(sheet: Sheet) -> tuple[Section, ...]:
    """All steps of a sheet in their order. The network comes first, because WeCom's verification needs it."""
    if sheet.is_wecom_api:
        return wecom_api.sections(sheet)
    steps = _blueking(sheet) if sheet.is_blueking else _self_built_app(sheet)
    return (
        Section(Text("A. 网络准备", "A. Network"), network.steps(sheet)),
        Section(Text("B. 企业微信配置", "B. Setting up WeCom"), steps),
    )


def _home(sheet: Sheet) -> tuple[Row, ...]:
    rows = []
    for entry, url in sheet.home_urls:
        name = _HOME
        if entry and entry.env:
            env = _ENVIRONMENTS[entry.env]
            name = Text(f"{_HOME.zh}（{entry.app}，{env.zh}）", f"{_HOME.en} ({entry.app}, {env.en})")
        rows.append(Row(name, (url,)))
    return tuple(rows)


def _trusted_domain(sheet: Sheet, number: str) -> tuple[Step, ...]:
    """Entering the domain, putting its verification file in place, and having WeCom verify it."""
    port = Text("", "")
    if sheet.other_ports:
        first = sheet.other_ports[0]
        port = Text(
            f"；{first} 等带端口的地址不能用作 JS-SDK 域名",
            f"; an address with a port, such as {first}, can be no JS-SDK domain",
        )
    return (
        Step(
            number,
            (ADMIN,),
            Text(
                "打开应用，进入【开发者接口】→【网页授权及JS-SDK】，填写可信域名和回调域名，都不带 https:// 和端口。"
                f"回调域名只能有一个{port.zh}。"
                "提示备案主体不符时见 https://open.work.weixin.qq.com/wwopen/common/readDocument/40754",
                "Open the app, then Developer interface, Web authorisation and JS-SDK. Enter the trusted domain and "
                "the callback domain, both without https:// and without a port. There is exactly one callback "
                f"domain{port.en}. If WeCom objects to the ICP filing: "
                "https://open.work.weixin.qq.com/wwopen/common/readDocument/40754",
            ),
            (Row(_TRUSTED, (sheet.domain,)), Row(_OAUTH, (sheet.domain,))),
        ),
        Step(
            f"{number}a",
            (ADMIN, OPERATOR),
            Text(
                "点【申请校验域名】，下载校验文件，不改名、不编辑，发给网关运维；网关运维放好并部署后回复。",
                "Click to apply for verification, download the file, neither rename nor edit it, and send it to the "
                "gateway operator, who puts it in place, deploys, and tells you.",
            ),
            (Row(Text("网关运维放到", "The gateway operator puts it in"), (f"files/verify/{sheet.domain}/",)),),
        ),
        Step(
            f"{number}b",
            (ADMIN,),
            Text(
                "用浏览器打开下面的地址，能直接看到 16 个字符的校验码后，再回到企业微信点校验。以后文件一直保留。",
                "Open this URL in a browser. When it shows the 16 characters and nothing else, go back to WeCom and "
                "verify. The file stays in place for good.",
            ),
            (Row(_VERIFY, sheet.verify_urls),),
        ),
    )


def _whose(sheet: Sheet) -> Text:
    """Who has the app's Secret and servers: a platform that hosts schools, or whoever runs a school's own app."""
    return PLATFORM if sheet.has_flag or sheet.is_blueking else APPLICATION


def _subject(whose: Text) -> str:
    return "The platform names" if whose is PLATFORM else "Those who run the application name"


def _opened(sheet: Sheet, step: Step) -> Step:
    """The step that opens the app, which says from where where that is not everywhere."""
    if not sheet.site.allow:
        return step
    text = Text(
        f"{step.text.zh}只能从下列网段打开，不能用手机流量；其他来源返回 403。",
        f"{step.text.en} It opens from these networks alone, not by mobile data: others get 403.",
    )
    return replace(step, text=text, rows=(*step.rows, *network.visitors(sheet)))


def _trusted_ips(sheet: Sheet, number: str) -> Step:
    whose = _whose(sheet)
    return Step(
        number,
        (whose, ADMIN),
        Text(
            f"{whose.zh}提供调用企业微信接口的服务器的出口 IP（固定的公网 IPv4；不是本网关的地址，"
            "除非经本网关的 egress 或企业微信接口路径访问企业微信）；企业微信管理员在【开发者接口】→【企业可信IP】"
            "填写，多个用 ; 分隔，最多 120 个。没有填写时接口报错 60020，报错里的 from ip 就是要加的地址。",
            f"{_subject(whose)} the outgoing addresses of the servers that call WeCom: fixed public IPv4 addresses, "
            "not this gateway's unless they go out through its egress or its WeCom API path. The WeCom administrator "
            "enters them under Developer interface, Trusted IPs, joined by ; and at most 120. Where one is missing "
            "WeCom answers 60020, and its 'from ip' is the address to add.",
        ),
        (Row(_IPS, (sheet.trusted_ips,)),),
    )


def _self_built_app(sheet: Sheet) -> tuple[Step, ...]:
    whose = _whose(sheet)
    identity = (
        Row(Text("企业ID", "CorpID"), (sheet.corp_id,)),
        Row(Text("AgentId", "AgentId"), (sheet.agent_id,)),
    )
    return (
        Step(
            "1",
            (ADMIN,),
            Text(
                "用管理员账号登录企业微信管理后台，【应用管理】→【自建】→【创建应用】。",
                "Log in to the WeCom admin console as an administrator: App management, Self-built, Create app.",
            ),
        ),
        Step(
            "2",
            (ADMIN,),
            Text(
                "上传应用图标，填写名称和介绍，选择可见范围，保存。",
                "Upload a logo, enter name and description, choose who can see the app, save.",
            ),
        ),
        Step(
            "3",
            (ADMIN, whose),
            Text(
                f"企业微信管理员把 AgentId、Secret 和企业ID（【我的企业】→【企业信息】）交给{whose.zh}；Secret 用安全的"
                f"方式单独传送，不要写在本表里。{'平台方据此给出 flag。' if sheet.has_flag else ''}",
                "The WeCom administrator gives AgentId, Secret and CorpID (My company, Company information) to "
                f"{'the platform' if whose is PLATFORM else whose.en}; the Secret travels by itself and safely, and "
                "never stands in this sheet."
                f"{' The platform hands out the flag in return.' if sheet.has_flag else ''}",
            ),
            identity,
        ),
        Step(
            "3a",
            (ADMIN,),
            Text("把下面的地址填为【应用主页】。", "Enter this URL as the app's home page."),
            _home(sheet),
        ),
        *_trusted_domain(sheet, "4"),
        _trusted_ips(sheet, "5"),
        _opened(
            sheet,
            Step(
                "6",
                (ADMIN,),
                Text(
                    "用可见范围内的成员在工作台打开应用，确认能登录。报错时把错误码或整段内容发给网关运维。",
                    "Open the app from the workbench as a member who can see it, and see whether login works. If it "
                    "fails, send the error code or the whole answer to the gateway operator.",
                ),
            ),
        ),
    )


def _blueking(sheet: Sheet) -> tuple[Step, ...]:
    paths = tuple(dict.fromkeys(route.path for route in sheet.site.routes))
    # on PaaS v3 the app may have a name of its own
    has_itsm = any("itsm" in f"{route.upstream.host}{route.upstream_path}" for route in sheet.site.routes)
    settings = (
        ("BKAPP_IS_QY_WEIXIN", "1"),
        ("BKAPP_USE_WEIXIN", "1"),
        ("BKAPP_WEIXIN_APP_ID", sheet.corp_id),
        ("BKAPP_WEIXIN_APP_SECRET", "<WECOM_APP_SECRET>"),
        ("BKAPP_WEIXIN_APP_EXTERNAL_HOST", sheet.domain),
        *_moved(sheet),
    )
    return (
        Step(
            "1",
            (OPERATOR,),
            Text(
                "代理由本网关完成：只发布下列路径，其余一律 404；请求头 X-Forwarded-Host 和 X-Forwarded-Weixin-Host "
                "都是外网域名。",
                "This gateway is the proxy: it publishes these paths alone, all else is 404, and both "
                "X-Forwarded-Host and X-Forwarded-Weixin-Host carry the public domain.",
            ),
            (Row(Text("发布的路径", "Published paths"), paths),),
        ),
        Step(
            "2",
            (ADMIN,),
            Text(
                "登录企业微信管理后台，【应用管理】→【自建】→【创建应用】，选择可见范围，保存。记下 AgentId、Secret 和"
                "企业ID（【我的企业】→【企业信息】），Secret 用安全的方式单独交给平台方。",
                "Log in to the WeCom admin console: App management, Self-built, Create app; choose who can see it, "
                "save. Note AgentId, Secret and CorpID (My company, Company information). The Secret goes to the "
                "platform by itself and safely.",
            ),
            (
                Row(Text("企业ID", "CorpID"), (sheet.corp_id,)),
                Row(Text("AgentId", "AgentId"), (sheet.agent_id,)),
            ),
        ),
        *_trusted_domain(sheet, "2.1"),
        _trusted_ips(sheet, "2.2"),
        Step(
            "2.3",
            (PLATFORM,),
            Text(
                "在蓝鲸应用里设置下列环境变量，然后重新部署应用。<WECOM_APP_SECRET> 换成应用的 Secret，只填在蓝鲸里。"
                "外网域名不带端口、全部小写。",
                "Set these environment variables of the BlueKing app, then deploy it again. Put the app's Secret in "
                "the place of <WECOM_APP_SECRET>, in BlueKing and nowhere else. The external host has no port and "
                "no capitals.",
            ),
            tuple(Row(Text(name, name), (value,)) for name, value in settings),
        ),
        Step(
            "2.4",
            (PLATFORM, NETWORK),
            Text(
                "应用服务器（appo/appt）要能访问下列地址（https）。",
                "The app servers (appo/appt) must reach these by https.",
            ),
            (Row(Text("出方向", "Outbound"), tuple(f"{name}:443" for name in WECOM_API)),),
        ),
        Step(
            "2.5",
            (ADMIN,),
            Text("把下面的地址填为【应用主页】。", "Enter this URL as the app's home page."),
            _home(sheet),
        ),
        Step(
            "3",
            (PLATFORM,),
            Text(
                "每位用户登录蓝鲸个人中心，绑定企业微信，并访问一次应用。",
                "Every user logs in to BlueKing's personal centre, binds WeCom, and visits the app once.",
            ),
        ),
        Step(
            "4",
            (PLATFORM,),
            Text(
                f"在蓝鲸里打开应用，确认能正常使用{'（ITSM：能提单）' if has_itsm else ''}。",
                f"Open the app in BlueKing and see whether it works{' (ITSM: submit a ticket)' if has_itsm else ''}.",
            ),
        ),
        _opened(
            sheet,
            Step(
                "5",
                (ADMIN,),
                Text(
                    "在企业微信工作台找到应用，点击进入。报错时把错误码或整段内容发给网关运维。",
                    "Find the app in the WeCom workbench and open it. If it fails, send the error code or the whole "
                    "answer to the gateway operator.",
                ),
            ),
        ),
    )


def _moved(sheet: Sheet) -> Iterator[tuple[str, str]]:
    """The settings of an app that is published under another path than its own, as monitoring may be."""
    moved = [route for route in sheet.site.routes if route.path != route.upstream_path]
    for route in moved:
        if route.upstream_path.endswith("/static/weixin/"):
            yield "BKAPP_WEIXIN_STATIC_URL", route.path
        elif route.upstream_path.endswith("/weixin/"):
            yield "BKAPP_WEIXIN_SITE_URL", route.path
    if moved:
        yield "BKAPP_WEIXIN_APP_EXTERNAL_SCHEME", "https"
        yield "BKAPP_WEIXIN_AGENT_ID", sheet.agent_id
