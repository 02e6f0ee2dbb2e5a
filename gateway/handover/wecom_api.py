"""The sheet of a site that is a way to WeCom's API: for application servers, where others are for an app's visitors."""

from __future__ import annotations

from dataclasses import replace

from gateway.handover import network
from gateway.handover.parts import Row, Section, Step
from gateway.handover.sheet import Sheet, blank
from gateway.wecom.bilingual import ADMIN, APPLICATION, NETWORK, Text

_BASE = Text("接口地址（base URL）", "Base URL of the API")
_IPS = Text("企业可信IP", "Trusted IPs")
_HOSTS = Text("应用服务器的 /etc/hosts（有多行时只用一行）", "/etc/hosts of application servers (one line of several)")


def glance(sheet: Sheet) -> tuple[tuple[Text, Row], ...]:
    """The values that people ask for first, each with who has to set it up."""
    return (
        (APPLICATION, Row(_BASE, _base_urls(sheet))),
        (APPLICATION, Row(_HOSTS, _hosts_lines(sheet))),
        (ADMIN, Row(_IPS, (_trusted_ips(sheet),))),
        (NETWORK, Row(network.listeners(sheet), sheet.listeners)),
        *((NETWORK, row) for row in network.visitors(sheet)),
    )


def sections(sheet: Sheet) -> tuple[Section, ...]:
    """All steps of the sheet in their order."""
    return (
        Section(Text("A. 网络准备", "A. Network"), _network(sheet)),
        Section(Text("B. 企业微信和应用服务器", "B. WeCom and application servers"), _calls(sheet)),
    )


def _base_urls(sheet: Sheet) -> tuple[str, ...]:
    return tuple(sheet.site.public_origin(route.port) + route.path for route in sheet.site.routes)


def _hosts_lines(sheet: Sheet) -> tuple[str, ...]:
    """What application servers need to find the inner address, whatever DNS says: one line for each host."""
    if sheet.site.edge == "slb" or sheet.layer_4:
        balancer = blank("负载均衡的内网地址 load balancer's inner address")
        return (f"{balancer} {sheet.domain}",)
    return tuple(f"{one.inner or blank(f'{one} 的内网地址 inner address')} {sheet.domain}" for one in sheet.hosts)


def _trusted_ips(sheet: Sheet) -> str:
    return ";".join(sheet.wecom.trusted_ips) or blank("本主机的出口公网 IP outgoing public address of this host")


def _network(sheet: Sheet) -> tuple[Step, ...]:
    callers = Step(
        "",
        (NETWORK, APPLICATION),
        Text(
            "只有下列网段的应用服务器可以调用。这里写的是网关看到的来源地址，经过 NAT 的写 NAT 之后的地址。",
            "Application servers of these networks alone may call. They are the addresses that the gateway sees: "
            "behind a NAT, those of the NAT.",
        ),
        network.visitors(sheet),
    )
    # a record in DNS is for automatic certificates alone: servers find the name in their /etc/hosts
    steps = network.steps(sheet)[0 if sheet.site.acme else 1 :]
    if sheet.site.allow:
        steps = (callers, *steps)
    return tuple(replace(step, number=f"A{number}") for number, step in enumerate(steps, 1))


def _calls(sheet: Sheet) -> tuple[Step, ...]:
    tries = tuple(f"curl -s '{url}cgi-bin/gettoken?corpid=x&corpsecret=x'" for url in _base_urls(sheet))
    return (
        Step(
            "1",
            (ADMIN,),
            Text(
                "在每个要调用接口的应用的【开发者接口】→【企业可信IP】填写网关主机访问外网的公网 IPv4，不是应用服务器的"
                "地址：企业微信看到的调用都来自网关主机。多个用 ; 分隔。报错 60020 里的 from ip 就是要加的地址。",
                "For every app whose servers call, enter under Developer interface, Trusted IPs, the public IPv4 "
                "addresses by which the gateway's hosts go out, not those of the application servers: to WeCom every "
                "call comes from the gateway. Several are joined by ;. In an error 60020, 'from ip' is the address to "
                "add.",
            ),
            (Row(_IPS, (_trusted_ips(sheet),)),),
        ),
        Step(
            "2",
            (APPLICATION,),
            Text(
                "在每台应用服务器的 /etc/hosts 里加上这一行，让域名指向内网地址。走公网地址会经过 NAT，来源地址变了，"
                "返回 403。",
                "Add this line to /etc/hosts of each application server, so that the name leads to the inner address. "
                "By the public one they would come out of NAT with another address and get 403.",
            ),
            (Row(_HOSTS, _hosts_lines(sheet)),),
        ),
        Step(
            "3",
            (APPLICATION,),
            Text(
                "在应用里把企业微信接口地址改成下面的地址，代替 https://qyapi.weixin.qq.com/。",
                "Set this as the base URL of WeCom's API in the application, in place of https://qyapi.weixin.qq.com/.",
            ),
            (Row(_BASE, _base_urls(sheet)),),
        ),
        Step(
            "4",
            (APPLICATION,),
            Text(
                '在应用服务器上执行。返回 {"errcode":40013,...} 说明应答来自企业微信，链路已通；返回 403 说明来源地址'
                "不在允许的网段里，请告诉网关运维。",
                'Run this on an application server. {"errcode":40013,...} is WeCom\'s own answer, so the way is right. '
                "403 means that the address it comes from is in none of the networks that may call: tell the gateway "
                "operator.",
            ),
            (Row(Text("命令", "Command"), tries),),
        ),
    )
