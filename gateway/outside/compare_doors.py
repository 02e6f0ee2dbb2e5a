"""By which of a site's public doors both servers can be asked, and what there is to say of the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gateway.outside import compare_tls, remedies
from gateway.outside.compare_difference import Difference, unasked
from gateway.outside.compare_servers import Server
from gateway.outside.compare_tls import Handshake
from gateway.outside.probe import Client, Door, Unanswered
from gateway.outside.visit import Visit

# How a door opens: with a handshake, without TLS, or not as it should.
_Opened = Handshake | Unanswered | None


@dataclass(frozen=True)
class _Pair:
    """How a public door opens on the gateway and on the old server."""

    door: Door
    gateway: _Opened
    old: _Opened

    @property
    def usable(self) -> bool:
        return not isinstance(self.gateway, Unanswered) and not isinstance(self.old, Unanswered)


def usable(visit: Visit, gateway: Server, old: Server) -> tuple[list[Door], list[Difference]]:
    """The doors by which both can be asked, and what differs in how doors open."""
    doors = [visit.door(port) for port in visit.site.ports()]
    if not visit.target.straight:
        doors.append(Door(visit.address, 80, tls=False))
    pairs = [
        _Pair(door, _opened(visit, gateway.door(door)), _opened_on_old(visit, door, gateway, old)) for door in doors
    ]
    found = list(_silent(visit, pairs))
    for pair in pairs:
        if isinstance(pair.gateway, Handshake) and isinstance(pair.old, Handshake):
            url = pair.door.url(visit.site.domain)
            found += [Difference("TLS", url, *one) for one in compare_tls.differences(pair.gateway, pair.old)]
    return [pair.door for pair in pairs if pair.usable], found


def _opened_on_old(visit: Visit, door: Door, gateway: Server, old: Server) -> _Opened:
    """Where both are on one host, a port that is not said to differ is the gateway's: it would be like itself."""
    if old.door(door) == gateway.door(door):
        return Unanswered("refused", "is not asked: by that port the gateway itself is")
    return _opened(visit, old.door(door))


def _opened(visit: Visit, door: Door) -> _Opened:
    client, domain = visit.client, visit.site.domain
    try:
        if door.tls:
            return compare_tls.look(client, door, domain)
        client.greet(door, domain)
        if _speaks_tls(client, door, domain):
            return Unanswered("handshake", f"speaks TLS on {door.port}, where plain http is expected")
    except Unanswered as why:
        if why.kind == "handshake" and _speaks_http(client, door, domain):
            return Unanswered("handshake", f"speaks plain http on {door.port}, where TLS is expected")
        return why
    return None


def _speaks_http(client: Client, door: Door, domain: str) -> bool:
    """Whether plain http is answered, and not with the 400 of an nginx that speaks TLS there."""
    try:
        return client.ask(replace(door, tls=False), domain, "/").status != 400
    except Unanswered:
        return False


def _speaks_tls(client: Client, door: Door, domain: str) -> bool:
    """Whether plain http is refused and a handshake comes about."""
    try:
        if client.ask(door, domain, "/").status != 400:
            return False
    except Unanswered as why:
        if why.kind not in ("closed", "garbled"):
            return False
    try:
        client.certificate(replace(door, tls=True), domain)
    except Unanswered:
        return False
    return True


def _silent(visit: Visit, pairs: Sequence[_Pair]) -> Iterator[Difference]:
    """What there is to say of doors by which not both can be asked. Of a server that answers nowhere only once."""
    needed = [pair for pair in pairs if not _may_be_closed(visit, pair.door)]
    nowhere = (
        all(isinstance(pair.gateway, Unanswered) for pair in needed),
        all(isinstance(pair.old, Unanswered) for pair in needed),
    )
    for pair in pairs:
        if pair.usable:
            continue
        if pair not in needed:
            yield from _unneeded(visit, pair)
            continue
        yield _needed(visit, pair, old_is_nowhere=nowhere[1])
        if any(nowhere):
            return


def _needed(visit: Visit, pair: _Pair, old_is_nowhere: bool) -> Difference:
    """Of a door that the site has to have."""
    url, gateway, old = pair.door.url(visit.site.domain), _words(pair.gateway), _words(pair.old)
    if isinstance(pair.gateway, Unanswered):
        remedy = remedies.unanswered(visit, pair.door, pair.gateway)
        if isinstance(pair.old, Unanswered):
            return unasked(url, gateway, old, f"neither can be asked; next, for the gateway: {remedy}")
        return Difference("port", url, "answer", gateway, old, "old", f"the gateway: {gateway}; next: {remedy}")
    asked = (
        "the old server can be asked on none of its ports: is that its address, and does it run"
        if old_is_nowhere
        else ("what is behind that port cannot be compared; has the old server it elsewhere")
    )
    return unasked(url, gateway, old, f"{asked}? Other ports: --compare ADDRESS,{pair.door.port}=ITS")


def _unneeded(visit: Visit, pair: _Pair) -> Iterator[Difference]:
    """Of plain http on a load balancer, which needs no listener for it."""
    url, gateway, old = pair.door.url(visit.site.domain), _words(pair.gateway), _words(pair.old)
    if not isinstance(pair.old, Unanswered):
        reason = "whoever types the address without https finds it today, and would not any longer"
        yield Difference("port", url, "answer", gateway, old, "open", reason)
    elif not isinstance(pair.gateway, Unanswered):
        reason = "a load balancer needs no listener for plain http"
        yield Difference("port", url, "answer", gateway, old, "neutral", reason)


def _may_be_closed(visit: Visit, door: Door) -> bool:
    return visit.through_balancer and door.port == 80 and not door.tls


def _words(opened: _Opened) -> str:
    return str(opened) if isinstance(opened, Unanswered) else "answers"
