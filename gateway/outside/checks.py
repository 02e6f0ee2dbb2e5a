"""What a site must do as seen from outside (docs/reference/deployed-site.md), check by check.

Every request is a harmless GET without anything secret in it. A port that cannot be used is told once; what
would have to go through it is not asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.certificates.judging import WARN_BELOW
from gateway.inventory.site import Route, Site
from gateway.outside import locations, reach
from gateway.outside.findings import Finding
from gateway.outside.places import Target
from gateway.outside.probe import EXPIRED, Answer, Client, Door, Unanswered

# Seconds in which a verification file must be there.
_SOON = 1.0
_NOWHERE = "wecom-gateway-check"

# OpenSSL's X509_V_ERR_...
_NOT_YET_VALID, _SELF_SIGNED, _WRONG_NAME = 9, 18, 62
_UNKNOWN_ISSUER = (19, 20, 21)


@dataclass(frozen=True)
class Visit:
    """One site at one address."""

    target: Target
    address: str
    client: Client

    @property
    def site(self) -> Site:
        return self.target.site

    @property
    def edge(self) -> str:
        """Who has to be looked after where TLS or a port is wrong."""
        return "load balancer" if self.site.edge == "slb" and not self.target.straight else "host"

    def door(self, port: int) -> Door:
        """The public counterpart of a port of the site."""
        if self.target.straight:
            return Door(self.address, port, tls=False)
        return Door(self.address, 443 if port == self.site.entry_port else port, tls=True)

    def findings(self) -> Iterator[Finding]:
        open_ports, unreached, dead = [], {}, True
        for port in self.site.ports():
            door = self.door(port)
            greeting = _greeting(self, door)
            yield greeting
            dead = dead and greeting.outcome == "failed" and greeting.check == "port"
            if greeting.outcome == "failed":
                continue
            open_ports.append(port)
            why = reach.fault(self.site, self.client, door, port) if self.edge == "load balancer" else None
            if why:
                unreached[port] = why
            else:
                yield from _through(self, door, port)
        yield from _unreached(self, unreached, everywhere=open_ports == list(unreached))
        dead = dead or self.site.entry_port in unreached
        if self.target.straight:
            yield _health(self)
            yield Finding(
                "certificate",
                self.site.domain,
                "skipped",
                f"{self.address} is the host itself, where plain http is spoken",
                "run verify again through the load balancer",
            )
        else:
            yield from _plain(self, dead)


def _through(visit: Visit, door: Door, port: int) -> Iterator[Finding]:
    routes = [route for route in visit.site.routes if route.port == port]
    if port == visit.site.entry_port:
        yield from _files(visit, door)
    for route in routes:
        yield _route(visit, door, route)
    yield from _unpublished(visit, door, [route.path for route in routes])
    yield _other_name(visit, door)


def _unreached(visit: Visit, ports: dict[int, str], everywhere: bool) -> Iterator[Finding]:
    """Hosts that the load balancer does not reach: once, or for each of those ports where it reaches them by others."""
    for port, why in ports.items():
        subject = visit.door(port).url(visit.site.domain)
        if everywhere:
            yield Finding("hosts", subject, "failed", f"the load balancer reaches no host: {why}", _NO_HOST)
            return
        yield Finding(
            *("hosts", subject, "failed", f"the load balancer reaches no host by this port: {why}"),
            f"see that its listener on {visit.door(port).port} sends to the hosts' {port}, that their security group "
            "or firewall lets it in there, and its health check for that port; else the platform's own front says so",
        )


def _greeting(visit: Visit, door: Door) -> Finding:
    """Whether the port is open and, with TLS, whether a phone would believe what is shown there."""
    check, subject = ("certificate" if door.tls else "port"), door.url(visit.site.domain)
    try:
        tls = visit.client.greet(door, visit.site.domain)
    except Unanswered as why:
        if why.kind == "certificate":
            return Finding(check, subject, "failed", str(why), _certificate_remedy(visit, why.code))
        check = "TLS" if why.kind in ("handshake", "outdated") else "port"
        return Finding(check, subject, "failed", str(why), _port_remedy(visit, door, why))
    if tls is None:
        return Finding(check, subject, "passed")
    if tls.not_after is None:
        return Finding(check, subject, "passed", tls.protocol)
    days = int((tls.not_after - time.time()) // 86400)
    shown = f"{tls.protocol}, {days} days left"
    if days < WARN_BELOW.days:
        return Finding(check, subject, "warning", shown, _renew(visit), days)
    return Finding(check, subject, "passed", shown, days=days)


def _files(visit: Visit, door: Door) -> Iterator[Finding]:
    """The domain's verification files, as WeCom's primitive fetcher would get them."""
    check, domain = "verification file", visit.site.domain
    if not visit.target.files:
        yield Finding(
            check, door.url(domain), "warning", "there is none yet", f"put WeCom's file in files/verify/{domain}/"
        )
    for file in visit.target.files:
        subject = door.url(domain, f"/{file.name}")

        def fetch(target: str = f"/{file.name}") -> Answer:
            return visit.client.ask(door, domain, target, version="1.0")

        def judge(answer: Answer, body: bytes = file.body) -> tuple[str, str] | None:
            return _file_fault(answer, body, visit)

        yield _asked(visit, door, check, subject, fetch, judge)


def _file_fault(answer: Answer, body: bytes, visit: Visit) -> tuple[str, str] | None:
    if 300 <= answer.status < 400:
        return (
            f"{answer.status}, a redirect, which WeCom does not follow",
            f"have the {visit.edge} pass the file's path without a redirect",
        )
    if answer.status != 200:
        return f"the answer is {answer.status}, not 200", _not_served(visit)
    if answer.body != body:
        size = f"{len(answer.body)} bytes came, {len(body)} are in the checkout"
        return f"other bytes than in the checkout ({size})", _not_served(visit)
    if answer.seconds > _SOON:
        return (
            f"came after {answer.seconds:.1f} s, later than {_SOON:.0f} s",
            "see whether the host is overloaded or the way to it is slow; try again from another network",
        )
    return None


def _route(visit: Visit, door: Door, route: Route) -> Finding:
    domain = visit.site.domain
    expected = f"https://{route.upstream.authority}{route.upstream_path}"

    def judge(answer: Answer) -> tuple[str, str] | None:
        arrived = answer.headers.get(reach.ARRIVED)
        if arrived is not None and arrived != expected:
            return f"arrived at {arrived.partition('?')[0]}, not at {expected}", "deploy; is this the right host?"
        if answer.is_gateways_own:
            return f"the gateway itself answers {answer.status}", _gateway_remedy(visit, route, answer.status)
        if reach.is_in_between(answer):
            return f"{answer.status}, not from the gateway", _bad_gateway_remedy(visit)
        if 300 <= answer.status < 400:
            return locations.fault(answer.headers.get("location", ""), visit.site)
        return None

    def fetch() -> Answer:
        return visit.client.ask(door, domain, route.path, accept="application/json")

    return _asked(visit, door, "route", door.url(domain, route.path), fetch, judge)


def _unpublished(visit: Visit, door: Door, prefixes: list[str]) -> Iterator[Finding]:
    """Beside an allow-list there must be nothing: an inner platform lies behind it."""
    if not prefixes or "/" in prefixes:
        return
    for target in ("/", f"/{_NOWHERE}", f"{prefixes[0][:-1]}-{_NOWHERE}"):

        def fetch(target: str = target) -> Answer:
            return visit.client.ask(door, visit.site.domain, target, accept="application/json")

        def judge(answer: Answer) -> tuple[str, str] | None:
            if answer.status == 404:
                return None
            if reach.is_in_between(answer):
                return f"{answer.status}, not from the gateway", _bad_gateway_remedy(visit)
            text = f"answers {answer.status} instead of 404: more is published than the inventory says"
            return text, "deploy; if it stays, see whether this address is the right host"

        yield _asked(visit, door, "allow-list", door.url(visit.site.domain, target), fetch, judge)


def _other_name(visit: Visit, door: Door) -> Finding:
    """A server that answers for any name lets anybody point a domain here, and verify it as theirs."""
    check, subject = "other names", f"{door.url(visit.site.domain)} asked for {reach.NOBODY}"
    behind = visit.site.edge == "slb"
    try:
        if door.tls and not behind:
            answer = visit.client.ask(door, reach.NOBODY, "/", believe=False)
        else:
            answer = visit.client.ask(door, visit.site.domain, "/", host=reach.NOBODY)
    except Unanswered as why:
        if why.kind == "slow":
            return Finding(check, subject, "failed", str(why), _not_served(visit))
        return Finding(check, subject, "passed")
    if answer.status >= 400:
        return Finding(check, subject, "passed")
    where = "the load balancer's default rule, then deploy" if behind else "other sites on the host, then deploy"
    return Finding(check, subject, "failed", f"is served (answer {answer.status})", f"see {where}")


def _plain(visit: Visit, dead: bool) -> Iterator[Finding]:
    """Port 80 as the public sees it: verification files and the redirect to https.

    A load balancer needs no such listener; where it has one, nobody may log in by it. Whether it sends verification
    files to https too is its own affair: WeCom is not known to need them there.
    Of a `dead` place, where no other port answers, only whether it is open: the rest would be silence after silence.
    """
    door, domain = Door(visit.address, 80, tls=False), visit.site.domain
    try:
        visit.client.greet(door, domain)
    except Unanswered as why:
        if visit.site.edge == "tls":
            yield Finding("port", door.url(domain), "failed", str(why), _port_remedy(visit, door, why))
        else:
            yield Finding("redirect", door.url(domain), "passed", "the load balancer has no listener for plain http")
        return
    if dead:
        return
    if visit.site.edge == "slb":
        yield _redirect(visit, door)
        return
    if visit.target.files:
        yield from _files(visit, door)
    yield _redirect(visit, door)
    yield _other_name(visit, door)


def _redirect(visit: Visit, door: Door) -> Finding:
    """An OAuth callback may come back as http and must not lose its one-shot code, nor gain a port."""
    target = f"/{_NOWHERE}?a=%2F&b=1"
    expected = f"https://{visit.site.domain}{target}"
    remedy = _LISTENER if visit.edge == "load balancer" else _REDEPLOY

    def judge(answer: Answer) -> tuple[str, str] | None:
        location = answer.headers.get("location", "")
        redirects = answer.status == 301 or (visit.edge == "load balancer" and answer.status in (302, 303, 307, 308))
        if redirects and location == expected:
            return None
        if redirects:
            why = locations.fault(location, visit.site)
            return why or (f"redirects to another URL than https://{visit.site.domain}/... with path and query", remedy)
        return f"the answer is {answer.status}, not a 301 to https", remedy

    def fetch() -> Answer:
        return visit.client.ask(door, visit.site.domain, target)

    return _asked(visit, door, "redirect", door.url(visit.site.domain, f"/{_NOWHERE}"), fetch, judge)


def _health(visit: Visit) -> Finding:
    door = Door(visit.address, visit.site.entry_port, tls=False)

    def fetch() -> Answer:
        return visit.client.ask(door, visit.site.domain, "/healthz", host=visit.address)

    def judge(answer: Answer) -> tuple[str, str] | None:
        return None if answer.status == 200 else (f"the answer is {answer.status}, not 200", _REDEPLOY)

    return _asked(visit, door, "health check", f"http://{visit.address}/healthz", fetch, judge)


def _asked(
    visit: Visit,
    door: Door,
    check: str,
    subject: str,
    fetch: Callable[[], Answer],
    judge: Callable[[Answer], tuple[str, str] | None],
) -> Finding:
    """One request and what is thought of its answer. A fault is asked for again, as networks hiccup; silence is not."""
    fault: tuple[str, str] | None = None
    for _ in range(2):
        try:
            fault = judge(fetch())
        except Unanswered as why:
            fault = (str(why), _port_remedy(visit, door, why))
            if why.kind == "slow":
                break
        if fault is None:
            return Finding(check, subject, "passed")
    reason, remedy = fault or ("", "")
    return Finding(check, subject, "failed", reason, remedy)


_NO_HOST = "see its health check (GET /healthz on 80), and on the hosts that nginx runs: systemctl status nginx"
_LISTENER = (
    "remove the load balancer's listener for plain http, or have it redirect to https with path and query, or pass on "
    "X-Forwarded-Proto: http from a network in slb_cidrs and deploy"
)
_REDEPLOY = "deploy; if it stays, see whether the domain's address is the right host"


def _not_served(visit: Visit) -> str:
    if visit.edge == "load balancer":
        return "deploy; if it stays, see that the load balancer sends this domain to these hosts with Host unchanged"
    return _REDEPLOY


def _renew(visit: Visit) -> str:
    if visit.edge == "load balancer":
        return "renew it and put it on the load balancer's listeners, 443 and the others"
    return f"renew it, python -m gateway import-cert {visit.site.domain} FILE..., and deploy"


def _certificate_remedy(visit: Visit, code: int) -> str:
    if code == EXPIRED:
        return _renew(visit)
    if code == _NOT_YET_VALID:
        return "see this machine's clock, and that of who made the certificate"
    if code == _WRONG_NAME:
        return (
            f"the {visit.edge} shows another site's certificate: see that the domain's address is the right one, and "
            f"which certificate is set for {visit.site.domain} there"
        )
    if code == _SELF_SIGNED or code in _UNKNOWN_ISSUER:
        return (
            f"phones refuse it too unless they know its CA: give the {visit.edge} the intermediate certificates behind "
            "the site's own; for a CA of your own run with --ca FILE"
        )
    return f"put a certificate that is valid for {visit.site.domain} on the {visit.edge}"


def _port_remedy(visit: Visit, door: Door, why: Unanswered) -> str:
    if why.kind == "refused":
        if visit.edge == "load balancer":
            return f"give the load balancer a listener on {door.port}"
        return "see whether nginx runs (python -m gateway status), then systemctl status nginx on the host"
    if why.kind == "unreachable":
        return f"open port {door.port} in the firewall or security group of the {visit.edge}; is it up?"
    if why.kind == "outdated":
        return f"allow TLS 1.2 and 1.3 on the {visit.edge}'s listener on {door.port}"
    if why.kind == "handshake":
        if visit.edge == "load balancer":
            return f"see that its listener on {door.port} speaks https and has this domain's certificate"
        return "deploy: nginx refuses names that it has no site for; is the address the right host?"
    if visit.edge == "load balancer":
        return "see its backends: is the host in it, is its health check green, does nginx run?"
    return "see python -m gateway status, and /var/log/nginx/error.log on the host"


def _gateway_remedy(visit: Visit, route: Route, status: int) -> str:
    if status in (500, 502, 503, 504):
        return (
            f"{route.upstream.authority} does not answer the gateway: on the host, tail /var/log/nginx/error.log and "
            "cat /etc/nginx/wecom-gateway/upstreams/*"
        )
    if status == 429:
        return "the site's rate_limit is used up; try again, or raise it"
    return _not_served(visit)


def _bad_gateway_remedy(visit: Visit) -> str:
    if visit.edge == "load balancer":
        return f"the load balancer reaches no host: {_NO_HOST}"
    return "the platform's own front answers so: ask its staff"
