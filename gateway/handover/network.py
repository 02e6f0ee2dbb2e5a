"""The steps of a sheet that prepare the network: names, load balancers, ports."""

from __future__ import annotations

from gateway.handover.parts import Row, Step
from gateway.handover.sheet import Sheet
from gateway.wecom.bilingual import NETWORK, OPERATOR, Text


def listeners(sheet: Sheet) -> Text:
    """What the sheet's listeners are, in words."""
    who = Text("应用服务器", "app servers") if sheet.is_wecom_api else Text("公网", "public")
    if sheet.layer_4:
        return Text(f"四层负载均衡监听（{who.zh} → 主机）", f"TCP listeners of the load balancer ({who.en} → hosts)")
    if sheet.site.edge == "slb":
        return Text(f"SLB 监听（{who.zh} → 主机）", f"SLB listeners ({who.en} → hosts)")
    if sheet.is_wecom_api:
        return Text("主机对应用服务器开放的端口", "Ports of the hosts open to application servers")
    return Text("主机对公网开放的端口", "Ports of the hosts open to the public")


def visitors(sheet: Sheet) -> tuple[Row, ...]:
    """The networks of those who may use the site, where that is not everybody."""
    text = Text("只有这些网段可以访问，其余返回 403", "Only these networks may use it, all others get 403")
    return (Row(text, sheet.site.allow),) if sheet.site.allow else ()


def steps(sheet: Sheet) -> tuple[Step, ...]:
    """The steps of the network team, those that come first."""
    if sheet.site.edge == "slb":
        return _behind_slb(sheet)
    return _behind_layer_4(sheet) if sheet.layer_4 else _without_slb(sheet)


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
            "主机出方向放行：下列平台地址、DNS、系统的软件源。",
            "Let the hosts out to these platform servers, to DNS and to the system's package mirror.",
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
            (Row(listeners(sheet), sheet.listeners), Row(Text("后端主机", "Backend hosts"), sheet.host_names)),
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


def _behind_layer_4(sheet: Sheet) -> tuple[Step, ...]:
    return (
        _dns(sheet),
        Step("A2", (NETWORK, OPERATOR), _certificate(sheet)),
        Step(
            "A3",
            (NETWORK,),
            Text(
                "在四层负载均衡上建立 TCP 监听（不是 HTTPS 监听，证书在主机上），后端是下列主机。"
                "标有 PROXY 的监听要开启 PROXY protocol（v1、v2 均可），80 端口的监听不要开启。"
                f"空闲超时不少于 {sheet.site.read_timeout} 秒。",
                "Create TCP listeners on the load balancer of layer 4, not https ones: the certificate is on the hosts "
                "below, which are the backends. Switch the PROXY protocol on, version 1 or 2, for those marked PROXY; "
                f"not for port 80. Idle timeout at least {sheet.site.read_timeout} s.",
            ),
            (Row(listeners(sheet), sheet.listeners), Row(Text("后端主机", "Backend hosts"), sheet.host_names)),
        ),
        Step(
            "A4",
            (NETWORK,),
            Text(
                "健康检查用 TCP 方式，检查监听自己的端口；检查时带不带 PROXY protocol 都可以。",
                "Check health by TCP, each listener its own port; whether the check sends the PROXY protocol makes no "
                "difference.",
            ),
        ),
        Step(
            "A5",
            (NETWORK, OPERATOR),
            Text(
                "主机入方向只对负载均衡放行下列端口：不经负载均衡的 TLS 连接，主机一律关闭。"
                "把负载均衡连接主机所用的网段告诉网关运维，与下面登记的核对；网段以外的连接同样会被关闭。",
                "Open these ports of the hosts to the load balancer alone: the hosts close every TLS connection that "
                "comes past it. Tell the gateway operator the networks from which it connects, and compare with those "
                "noted here; connections from elsewhere are closed as well.",
            ),
            (
                Row(Text("入方向端口", "Inbound ports"), tuple(str(port) for port in sorted(sheet.site.listeners()))),
                Row(Text("已登记的负载均衡网段", "Load balancer's networks noted"), sheet.layer_4),
            ),
        ),
        _outbound(sheet, "A6"),
    )


def _without_slb(sheet: Sheet) -> tuple[Step, ...]:
    return (
        _dns(sheet),
        Step("A2", (NETWORK, OPERATOR), _certificate(sheet)),
        Step(
            "A3",
            (NETWORK,),
            _callers_only() if sheet.is_wecom_api else _everybody(),
            (Row(listeners(sheet), sheet.listeners), Row(Text("主机", "Hosts"), sheet.host_names)),
        ),
        _outbound(sheet, "A4"),
    )


def _everybody() -> Text:
    return Text("主机的下列端口对公网放行。", "Open these ports of the hosts to the public.")


def _callers_only() -> Text:
    return Text("主机的下列端口只对应用服务器放行。", "Open these ports of the hosts to the application servers alone.")


def _certificate(sheet: Sheet) -> Text:
    if sheet.site.acme:
        front = "the load balancer" if sheet.layer_4 else "the host"
        return Text(
            f"{sheet.domain} 的证书由主机自动申请和续期，无需交付证书和私钥。"
            "申请之前，域名解析必须已生效，80 端口必须对公网放行。",
            f"The host gets and renews the certificate for {sheet.domain} itself; there is no key to hand over. Before "
            f"it can, the domain must point to {front} and port 80 must be open to the public.",
        )
    return Text(
        f"把 {sheet.domain} 的证书（含中间证书）和私钥交给网关运维。私钥不要用邮件或聊天工具传送。",
        f"Give the gateway operator the certificate for {sheet.domain}, its intermediates and its key. Never "
        "send a key by mail or chat.",
    )
