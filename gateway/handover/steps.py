"""The steps of a sheet, in Chinese and English: who does what, in which order.

They have the order and the numbers of the platforms' own documents: 17wanxiao's for WeCom administrators (create an
app, 1 to 5, then try it) and BlueKing ITSM's (settings, proxy, WeCom, binding, visit). What WeCom has come to demand
since those were written, trusted IPs for example, is added where it belongs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.handover.sheet import Sheet
from gateway.wecom.bilingual import ADMIN, NETWORK, OPERATOR, PLATFORM, Text


@dataclass(frozen=True)
class Row:
    """A named value, or several, to copy as they stand."""

    name: Text
    values: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """Whose job, what to do, and the values for it."""

    number: str
    who: tuple[Text, ...]
    text: Text
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Section:
    """Steps that belong together."""

    title: Text
    steps: tuple[Step, ...]


_HOME = Text("应用主页", "App home URL")
_TRUSTED = Text("可信域名", "Trusted domain")
_OAUTH = Text("网页授权（OAuth2）回调域名", "OAuth callback domain")
_VERIFY = Text("校验文件地址", "Verification file URL")
_IPS = Text("企业可信IP", "Trusted IPs")

_ENVIRONMENTS = {"o": Text("正式环境", "production"), "t": Text("测试环境", "test")}


def glance(sheet: Sheet) -> tuple[tuple[Text, Row], ...]:
    """The values that people ask for first, each with who has to set it up."""
    return (
        *((ADMIN, row) for row in _home(sheet)),
        (ADMIN, Row(_TRUSTED, (sheet.domain,))),
        (ADMIN, Row(_OAUTH, (sheet.domain,))),
        (ADMIN, Row(_VERIFY, sheet.verify_urls)),
        (ADMIN, Row(_IPS, (sheet.trusted_ips,))),
        (NETWORK, Row(Text("DNS 记录", "DNS record"), sheet.dns)),
        (NETWORK, Row(_listeners(sheet), sheet.listeners)),
    )


def sections(sheet: Sheet) -> tuple[Section, ...]:
    """All steps of a sheet in their order. The network comes first, because WeCom's verification needs it."""
    steps = _blueking(sheet) if sheet.is_blueking else _self_built_app(sheet)
    return (
        Section(Text("A. 网络准备", "A. Network"), _network(sheet)),
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


def _listeners(sheet: Sheet) -> Text:
    if sheet.site.edge == "slb":
        return Text("SLB 监听（公网 → 主机）", "SLB listeners (public → hosts)")
    return Text("主机对公网开放的端口", "Ports of the hosts open to the public")


def _network(sheet: Sheet) -> tuple[Step, ...]:
    return _behind_slb(sheet) if sheet.site.edge == "slb" else _without_slb(sheet)


def _dns(sheet: Sheet) -> Step:
    return Step(
        "A1",
        (NETWORK,),
        Text(
            "确认域名已由本单位完成 ICP 备案，然后添加解析。其他单位备案的域名，企业微信不允许保存。",
            "Make sure that the domain's ICP filing is your own organisation's, then create the record. WeCom does "
            "not accept a domain that another organisation has filed.",
        ),
        (Row(Text("DNS 记录", "DNS record"), sheet.dns),),
    )


def _outbound(sheet: Sheet, number: str) -> Step:
    return Step(
        number,
        (NETWORK,),
        Text(
            "主机出方向放行：下列平台地址、DNS、Debian 软件源。",
            "Let the hosts out to these platform servers, to DNS and to the Debian mirror.",
        ),
        (Row(Text("出方向", "Outbound"), sheet.outbound),),
    )


def _behind_slb(sheet: Sheet) -> tuple[Step, ...]:
    site = sheet.site
    networks = site.trusted_proxies or ("slb_cidrs: []",)
    return (
        _dns(sheet),
        Step(
            "A2",
            (NETWORK,),
            Text(
                f"在 SLB 上建立监听，每个 https 监听都配上 {sheet.domain} 的证书（含中间证书），后端是下列主机。"
                f"Host 保持不变，客户端地址写入 X-Forwarded-For，允许 WebSocket，读超时不少于 {site.read_timeout} 秒，"
                f"请求体上限不小于 {site.max_body}。",
                f"Create the listeners on the SLB, each https one with the certificate for {sheet.domain} and its "
                "intermediates; the hosts below are the backends. Leave Host unchanged, write the client's address "
                f"to X-Forwarded-For, allow WebSocket, read timeout at least {site.read_timeout} s, request bodies "
                f"up to {site.max_body}.",
            ),
            (Row(_listeners(sheet), sheet.listeners), Row(Text("后端主机", "Backend hosts"), sheet.host_names)),
        ),
        Step(
            "A3",
            (NETWORK,),
            Text(
                "健康检查用 80 端口，返回 200，Host 任意；其他端口的监听也检查 80 端口，或者改用 TCP 检查。",
                "Check health on port 80: it answers 200 to any Host. Let listeners of other ports check port 80 as "
                "well, or by TCP.",
            ),
            (Row(Text("健康检查", "Health check"), ("GET http://<host>:80/healthz",)),),
        ),
        Step(
            "A4",
            (NETWORK, OPERATOR),
            Text(
                "主机入方向只对 SLB 放行下列端口。把 SLB 连接主机所用的网段告诉网关运维，与下面登记的核对。",
                "Open these ports of the hosts to the SLB alone. Tell the gateway operator the networks from which "
                "the SLB connects, and compare with those noted here.",
            ),
            (
                Row(Text("入方向端口", "Inbound ports"), tuple(str(port) for port in sorted(site.listeners()))),
                Row(Text("已登记的 SLB 网段", "SLB networks noted"), networks),
            ),
        ),
        _outbound(sheet, "A5"),
    )


def _without_slb(sheet: Sheet) -> tuple[Step, ...]:
    return (
        _dns(sheet),
        Step("A2", (NETWORK, OPERATOR), _certificate(sheet)),
        Step(
            "A3",
            (NETWORK,),
            Text("主机的下列端口对公网放行。", "Open these ports of the hosts to the public."),
            (Row(_listeners(sheet), sheet.listeners), Row(Text("主机", "Hosts"), sheet.host_names)),
        ),
        _outbound(sheet, "A4"),
    )


def _certificate(sheet: Sheet) -> Text:
    if sheet.site.acme:
        return Text(
            f"{sheet.domain} 的证书由主机自动申请和续期，无需交付证书和私钥。"
            "申请之前，域名解析必须已生效，80 端口必须对公网放行。",
            f"The host gets and renews the certificate for {sheet.domain} itself; there is no key to hand over. Before "
            "it can, the domain must point to the host and port 80 must be open to the public.",
        )
    return Text(
        f"把 {sheet.domain} 的证书（含中间证书）和私钥交给网关运维。私钥不要用邮件或聊天工具传送。",
        f"Give the gateway operator the certificate for {sheet.domain}, its intermediates and its key. Never "
        "send a key by mail or chat.",
    )


def _trusted_domain(sheet: Sheet, number: str) -> tuple[Step, ...]:
    """Entering the domain, putting its verification file in place, and having WeCom verify it."""
    return (
        Step(
            number,
            (ADMIN,),
            Text(
                "打开应用，进入【开发者接口】→【网页授权及JS-SDK】，填写可信域名和回调域名，都不带 https:// 和端口。"
                "回调域名只能有一个；9001 等带端口的地址不能用作 JS-SDK 域名。"
                "提示备案主体不符时见 https://open.work.weixin.qq.com/wwopen/common/readDocument/40754",
                "Open the app, then Developer interface, Web authorisation and JS-SDK. Enter the trusted domain and "
                "the callback domain, both without https:// and without a port. There is exactly one callback "
                "domain; an address with a port, such as 9001, can be no JS-SDK domain. If WeCom objects to the "
                "ICP filing: https://open.work.weixin.qq.com/wwopen/common/readDocument/40754",
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


def _trusted_ips(sheet: Sheet, number: str) -> Step:
    return Step(
        number,
        (PLATFORM, ADMIN),
        Text(
            "平台方提供调用企业微信接口的服务器的出口 IP（固定的公网 IPv4；不是本网关的地址，除非经本网关的 egress "
            "访问企业微信）；企业微信管理员在【开发者接口】→【企业可信IP】填写，多个用 ; 分隔，最多 120 个。没有填写时"
            "接口报错 60020，报错里的 from ip 就是要加的地址。",
            "The platform names the outgoing addresses of its servers that call WeCom: fixed public IPv4 addresses, "
            "not this gateway's unless they go out through its egress. The WeCom administrator enters them under "
            "Developer interface, Trusted IPs, joined by ; and at most 120. Where one is missing WeCom answers 60020, "
            "and its 'from ip' is the address to add.",
        ),
        (Row(_IPS, (sheet.trusted_ips,)),),
    )


def _self_built_app(sheet: Sheet) -> tuple[Step, ...]:
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
            (ADMIN, PLATFORM),
            Text(
                "企业微信管理员把 AgentId、Secret 和企业ID（【我的企业】→【企业信息】）交给平台方；Secret 用安全的"
                "方式单独传送，不要写在本表里。平台方据此给出 flag。",
                "The WeCom administrator gives AgentId, Secret and CorpID (My company, Company information) to the "
                "platform; the Secret travels by itself and safely, and never stands in this sheet. The platform "
                "hands out the flag in return.",
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
        Step(
            "6",
            (ADMIN,),
            Text(
                "用可见范围内的成员在工作台打开应用，确认能登录。报错时把错误码或整段内容发给网关运维。",
                "Open the app from the workbench as a member who can see it, and see whether login works. If it "
                "fails, send the error code or the whole answer to the gateway operator.",
            ),
        ),
    )


def _blueking(sheet: Sheet) -> tuple[Step, ...]:
    paths = tuple(dict.fromkeys(route.path for route in sheet.site.routes))
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
            (Row(Text("出方向", "Outbound"), ("qyapi.weixin.qq.com:443", "api.weixin.qq.com:443")),),
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
                "在蓝鲸里打开应用，确认能正常使用（ITSM：能提单）。",
                "Open the app in BlueKing and see whether it works (ITSM: submit a ticket).",
            ),
        ),
        Step(
            "5",
            (ADMIN,),
            Text(
                "在企业微信工作台找到应用，点击进入。报错时把错误码或整段内容发给网关运维。",
                "Find the app in the WeCom workbench and open it. If it fails, send the error code or the whole "
                "answer to the gateway operator.",
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
