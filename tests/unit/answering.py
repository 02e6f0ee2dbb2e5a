"""Sites for tests of `verify`: each answers as it must, but for what a test makes wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from gateway.checkout.verify_files import VerifyFile
from gateway.outside import checks
from gateway.outside.findings import Finding
from gateway.outside.places import Target
from gateway.outside.probe import Answer, Client, Door, Tls, Unanswered
from gateway.outside.visit import Visit

BK = {"upstream": "https://paas.inner.example", "apps": ["itsm"], "envs": ["o"]}
SITES: Mapping[str, dict[str, Any]] = {
    "card-slb": {"domain": "wx.school.edu.cn", "edge": "slb", "platform": "wanxiao_prod"},
    "test-tls": {"domain": "wx.school.edu.cn", "edge": "tls", "platform": "wanxiao_test"},
    "itsm-slb": {"domain": "wx.school.edu.cn", "edge": "slb", "platform": "bkitsm", "bk": BK},
    "itsm-tls": {"domain": "wx.school.edu.cn", "edge": "tls", "platform": "bkitsm", "bk": BK},
}
FILE = VerifyFile("WW_verify_54wuPnLpuTWkAF0Z.txt", b"54wuPnLpuTWkAF0Z")
DAY = 86400


def answer(status: int = 200, body: bytes = b"", seconds: float = 0.1, **headers: str) -> Answer:
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body, seconds)


def own_page(status: int) -> Answer:
    return answer(status, json.dumps({"status": status, "message_zh": "x", "request_id": "x"}).encode())


@dataclass
class AnsweringSite:
    """A site, and a Client that it answers as it must. `wrong` is asked before, and may answer or raise instead.

    `days` are left of its certificate. `unopened` has a reason for each port that nothing can be asked on, `hiccups`
    one for each port where the next attempt to connect fails. `asked` is what it was asked so far, `greeted` the ports
    that somebody has connected to.
    """

    target: Target
    days: float = 60.5
    wrong: Callable[..., Answer | None] | None = None
    unopened: dict[int, Unanswered] = field(default_factory=dict)
    hiccups: dict[int, Unanswered] = field(default_factory=dict)
    asked: list[tuple[Door, str, str, str | None]] = field(default_factory=list)
    greeted: list[int] = field(default_factory=list)

    def greet(self, door: Door, domain: str) -> Tls | None:
        self.greeted.append(door.port)
        if door.port in self.hiccups:
            raise self.hiccups.pop(door.port)
        if door.port in self.unopened:
            raise self.unopened[door.port]
        return Tls("TLSv1.3", time.time() + self.days * DAY) if door.tls else None

    def ask(
        self,
        door: Door,
        domain: str,
        target: str,
        *,
        host: str | None = None,
        accept: str = "*/*",
        version: str = "1.1",
        believe: bool = True,
    ) -> Answer:
        self.asked.append((door, domain, target, host))
        if self.wrong and (said := self.wrong(door=door, domain=domain, target=target, host=host)):
            return said
        site = self.target.site
        if target == "/healthz":
            return answer(200, b"ok\n")
        if host or domain != site.domain:
            raise Unanswered("closed", "closed")
        local = {443: site.entry_port}.get(door.port, door.port)
        if target == f"/{FILE.name}" and door.port != 9001:
            return answer(200, FILE.body)
        if door.port == 80 and not self.target.straight:
            return answer(301, location=f"https://{domain}{target}")
        for route in site.routes:
            if route.port == local and target.startswith(route.path):
                url = f"{route.upstream.scheme}://{site.host_header(route)}{route.upstream_path}{target.removeprefix(route.path)}"
                return answer(x_lab_arrived=url)
        return own_page(404)

    def findings(self) -> list[Finding]:
        return list(checks.findings(Visit(self.target, "203.0.113.10", cast(Client, self))))

    def failed(self) -> list[tuple[str, str, str]]:
        return [(one.check, one.reason, one.remedy) for one in self.findings() if one.outcome == "failed"]


def on(predicate: Callable[..., bool], said: Answer) -> Callable[..., Answer | None]:
    """For `wrong`: `said` where the predicate fits what is asked."""
    return lambda **asked: said if predicate(**asked) else None
