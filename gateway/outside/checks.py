"""What a site must do as seen from outside (docs/reference/deployed-site.md): which requests, in which order.

Every request is a harmless GET without anything secret in it. A port that cannot be used is one finding; what would
have to go through it is not asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import gevent

from gateway.certificates.judging import WARN_BELOW
from gateway.inventory.site import Route
from gateway.outside import faults, reach, remedies
from gateway.outside.findings import Doubt, Expected, Fault, Finding, Outcome, Refusal
from gateway.outside.probe import UNKNOWN_NAME, Answer, Door, Kind, Tls, Unanswered
from gateway.outside.visit import Visit

# Part of paths that no site publishes.
NOWHERE = "wecom-gateway-check"

# Where connecting fails in these ways, it is tried once more after so many seconds.
_MAY_PASS: tuple[Kind, ...] = ("refused", "unreachable", "handshake")
_PAUSE = 1


def findings(visit: Visit) -> Iterator[Finding]:
    """Every check of the site at this address: port by port, then what lies beside them."""
    if visit.past_balancer:
        yield _past_balancer(visit)
        yield from _plain_http(visit, dead=False)
        return
    open_ports: list[int] = []
    # what the load balancer says on ports by which it reaches no host
    unreached: dict[int, str] = {}
    # whether no port can be connected to, so that port 80 needs no closer look either
    dead = True
    for port in visit.site.ports():
        door = visit.door(port)
        # where the first port is dead, nobody waits twice for each of the others
        greeting = _greeting(visit, door, again=not dead or port == visit.site.ports()[0])
        yield greeting
        dead = dead and greeting.outcome == "failed" and greeting.check == "port"
        if greeting.outcome == "failed":
            continue
        open_ports.append(port)
        why = reach.why_no_host(visit.site, visit.client, door, port) if visit.through_balancer else None
        if why:
            unreached[port] = why
        else:
            yield from _through(visit, door, port)
    yield from _unreached(visit, unreached, everywhere=open_ports == list(unreached))
    dead = dead or visit.site.entry_port in unreached
    if visit.target.straight:
        yield _health(visit)
        yield Finding(
            "certificate",
            visit.site.domain,
            "skipped",
            f"{visit.address} is the host itself, where plain http is spoken",
            "run verify again through the load balancer",
        )
    else:
        yield from _plain_http(visit, dead)


def _past_balancer(visit: Visit) -> Finding:
    """Where TLS is spoken the host closes every connection that does not come by its load balancer of layer 4."""
    reason = f"{visit.address} is the host itself, which answers its load balancer alone (proxy_protocol)"
    if visit.target.address is None:
        return Finding("address", visit.site.domain, "failed", reason, remedies.DNS_PAST_BALANCER)
    return Finding("address", visit.site.domain, "skipped", reason, "run verify again through the load balancer")


def _through(visit: Visit, door: Door, port: int) -> Iterator[Finding]:
    """What is asked through one port of the site."""
    routes = [route for route in visit.site.routes if route.port == port]
    if port == visit.site.entry_port:
        yield from _files(visit, door)
    for route in routes:
        yield _route(visit, door, route)
    yield from _unpublished(visit, door, [route.path for route in routes])
    yield _other_name(visit, door)


def _unreached(visit: Visit, ports: Mapping[int, str], everywhere: bool) -> Iterator[Finding]:
    """Ports by which the load balancer reaches no host, and why. One finding for all where it reaches none by any."""
    for port, why in ports.items():
        public = visit.door(port)
        subject = public.url(visit.site.domain)
        if everywhere:
            reason, remedy = f"the load balancer reaches no host: {why}", remedies.BALANCER_REACHES_NO_HOST
            yield Finding("hosts", subject, "failed", reason, remedy)
            return
        reason = f"the load balancer reaches no host by this port: {why}"
        yield Finding("hosts", subject, "failed", reason, remedies.balancer_port(public.port, port))


def _greeting(visit: Visit, door: Door, *, again: bool) -> Finding:
    """Whether the port is open and, with TLS, whether a phone would believe the certificate that is shown there.

    `again` is as for _greeted.
    """
    check, subject = ("certificate" if door.tls else "port"), door.url(visit.site.domain)
    try:
        tls = _greeted(visit, door, again=again)
    except Unanswered as why:
        if why.kind == "certificate":
            return Finding(check, subject, "failed", str(why), remedies.untrusted_certificate(visit, why.code))
        check = "TLS" if why.kind in ("handshake", "outdated") else "port"
        return Finding(check, subject, "failed", str(why), remedies.unanswered(visit, door, why))
    if tls is None:
        return Finding(check, subject, "passed")
    if tls.not_after is None:
        return Finding(check, subject, "passed", tls.protocol)
    days = int((tls.not_after - time.time()) // 86400)
    shown = f"{tls.protocol}, {days} days left"
    if days < WARN_BELOW.days:
        return Finding(check, subject, "warning", shown, remedies.renewal(visit), days)
    return Finding(check, subject, "passed", shown, days=days)


def _greeted(visit: Visit, door: Door, *, again: bool) -> Tls | None:
    """What connecting shows (Client.greet). With `again` there is a second attempt where the first one failed as a
    restart of nginx or a lost packet make it fail. Raises Unanswered."""
    try:
        return visit.client.greet(door, visit.site.domain)
    except Unanswered as why:
        if not again or why.kind not in _MAY_PASS:
            raise
    gevent.sleep(_PAUSE)
    return visit.client.greet(door, visit.site.domain)


def _files(visit: Visit, door: Door) -> Iterator[Finding]:
    """The domain's verification files, asked for with HTTP/1.0 as WeCom's primitive fetcher would."""
    check, domain = "verification file", visit.site.domain
    if not visit.target.files:
        yield Finding(
            check, door.url(domain), "warning", "there is none yet", f"put WeCom's file in files/verify/{domain}/"
        )
    for file in visit.target.files:
        target = f"/{file.name}"

        def fetch(target: str = target) -> Answer:
            return visit.client.ask(door, domain, target, version="1.0")

        def judge(answer: Answer, body: bytes = file.body) -> Fault | None:
            return faults.file_fault(answer, body, visit)

        yield _request(visit, door, check, door.url(domain, target), fetch, judge)


def _route(visit: Visit, door: Door, route: Route) -> Finding:
    domain = visit.site.domain

    def fetch() -> Answer:
        return visit.client.ask(door, domain, route.path, accept="application/json")

    def judge(answer: Answer) -> Fault | None:
        return faults.route_fault(answer, route, visit)

    return _request(visit, door, "route", door.url(domain, route.path), fetch, judge)


def _unpublished(visit: Visit, door: Door, prefixes: list[str]) -> Iterator[Finding]:
    """Paths beside the published `prefixes`: nothing may answer there, an inner platform lies behind them."""
    for target in beside(prefixes):

        def fetch(target: str = target) -> Answer:
            return visit.client.ask(door, visit.site.domain, target, accept="application/json")

        def judge(answer: Answer, target: str = target) -> Fault | None:
            return faults.unpublished_fault(answer, target, visit)

        yield _request(visit, door, "allow-list", door.url(visit.site.domain, target), fetch, judge)


def beside(prefixes: Sequence[str]) -> tuple[str, ...]:
    """Paths that lie beside these prefixes. None where everything is published, or nothing."""
    if not prefixes or "/" in prefixes:
        return ()
    return ("/", f"/{NOWHERE}", f"{prefixes[0][:-1]}-{NOWHERE}")


def _other_name(visit: Visit, door: Door) -> Finding:
    """A name that no site has must get no page: else anybody could point a domain here, and verify it as theirs."""
    check, subject = "other names", f"{door.url(visit.site.domain)} asked for {UNKNOWN_NAME}"
    behind_balancer = visit.site.edge == "slb"
    try:
        if door.tls and not behind_balancer:
            answer = visit.client.ask(door, UNKNOWN_NAME, "/", believe=False)
        else:
            answer = visit.client.ask(door, visit.site.domain, "/", host=UNKNOWN_NAME)
    except Unanswered as why:
        if why.kind == "slow":
            return Finding(check, subject, "failed", str(why), remedies.not_served(visit))
        return Finding(check, subject, "passed")
    if answer.status >= 400:
        return Finding(check, subject, "passed")
    where = "the load balancer's default rule" if behind_balancer else "other sites on the host"
    return Finding(check, subject, "failed", f"is served (answer {answer.status})", f"see {where}, then deploy")


def _plain_http(visit: Visit, dead: bool) -> Iterator[Finding]:
    """Port 80 as the public sees it: verification files and the redirect to https.

    A load balancer needs no such listener. Where it has one, nobody may log in by it; verification files are not asked
    for there, as WeCom is not known to need them.
    Where no other port answers (`dead`), only whether port 80 is open: every request would end in the same silence.
    """
    door, domain = Door(visit.address, 80, tls=False), visit.site.domain
    try:
        # a load balancer may well have no listener there
        _greeted(visit, door, again=visit.site.edge == "tls" and not dead)
    except Unanswered as why:
        if visit.site.edge == "tls":
            yield Finding("port", door.url(domain), "failed", str(why), remedies.unanswered(visit, door, why))
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
    """An OAuth callback may come back as http: the redirect must keep its one-shot code, and add no port."""
    target = f"/{NOWHERE}?a=%2F&b=1"

    def fetch() -> Answer:
        return visit.client.ask(door, visit.site.domain, target)

    def judge(answer: Answer) -> Fault | None:
        return faults.redirect_fault(answer, f"https://{visit.site.domain}{target}", visit)

    return _request(visit, door, "redirect", door.url(visit.site.domain, f"/{NOWHERE}"), fetch, judge)


def _health(visit: Visit) -> Finding:
    """The health check of a host itself, asked by its address as load balancers do."""
    door = Door(visit.address, visit.site.entry_port, tls=False)

    def fetch() -> Answer:
        return visit.client.ask(door, visit.site.domain, "/healthz", host=visit.address)

    return _request(visit, door, "health check", f"http://{visit.address}/healthz", fetch, faults.health_fault)


def _request(
    visit: Visit,
    door: Door,
    check: str,
    subject: str,
    fetch: Callable[[], Answer],
    judge: Callable[[Answer], Fault | None],
) -> Finding:
    """Fetches an answer and judges it. Where it is wrong, once more, as networks hiccup; but not after silence."""
    fault: Fault | None = None
    for _ in range(2):
        try:
            fault = judge(fetch())
        except Unanswered as why:
            fault = Fault(str(why), remedies.unanswered(visit, door, why))
            if why.kind == "slow":
                break
        if fault is None:
            return Finding(check, subject, "passed")
    reason, remedy = fault or ("", "")
    outcomes: dict[type[Fault], Outcome] = {Refusal: "skipped", Expected: "skipped", Doubt: "warning"}
    outcome = outcomes.get(type(fault), "failed") if fault else "failed"
    return Finding(check, subject, outcome, reason, remedy, expected=isinstance(fault, Expected))
