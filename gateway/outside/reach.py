"""Whether a load balancer reaches any host at all.

Where it reaches none, every request fails in its own way, and many findings would hide the one cause. So it is looked
for first, by answers that only the hosts' nginx or the load balancer itself can give.
"""

from __future__ import annotations

from gateway.inventory.site import Site
from gateway.outside.probe import UNKNOWN_NAME, Answer, Client, Door, Unanswered

# What a proxy answers when the servers behind it do not.
_BAD_GATEWAY = (502, 503, 504)
# Set by the stand-in platforms of the lab: the URL that reached them. Real platforms do not send it.
ARRIVED = "x-lab-arrived"


def why_no_host(site: Site, client: Client, door: Door, port: int) -> str | None:
    """What shows that the load balancer reaches no host from `door` to the site's `port`; None where it reaches one.

    Asked twice, as networks hiccup.
    """
    ask = _on_entry_port if port == site.entry_port else _on_another_port
    return ask(site, client, door, port) and ask(site, client, door, port)


def _on_entry_port(site: Site, client: Client, door: Door, _port: int) -> str | None:
    """By the health check, which nginx answers itself, whatever the platform is like."""
    try:
        answer = client.ask(door, site.domain, "/healthz")
    except Unanswered as why:
        return str(why) if why.kind in ("closed", "slow") else None
    return f"it answers {answer.status}" if is_bad_gateway(answer) else None


def _on_another_port(site: Site, client: Client, door: Door, port: int) -> str | None:
    """By comparing two answers, as other ports have no health check and a platform's own front may answer 502 too.

    nginx never passes a request for an unknown name on to a platform. So where such a request gets another 502 than
    the site's routes do, theirs came from the platform, and a host was reached. Silence may come from the platform
    too, so only a closed connection counts.
    """
    try:
        for path in [route.path for route in site.routes if route.port == port]:
            answer = client.ask(door, site.domain, path, accept="application/json")
            if not is_bad_gateway(answer):
                return None
    except Unanswered as why:
        return str(why) if why.kind == "closed" else None
    try:
        other = client.ask(door, site.domain, "/", host=UNKNOWN_NAME)
    except Unanswered:
        other = answer
    if is_bad_gateway(other) and _signature(other) != _signature(answer):
        return None
    return f"it answers {answer.status}"


def is_bad_gateway(answer: Answer) -> bool:
    """Whether it is a 502, 503 or 504 of some proxy, neither the gateway's own page nor from a stand-in platform."""
    return answer.status in _BAD_GATEWAY and not answer.is_gateways_own and ARRIVED not in answer.headers


def _signature(answer: Answer) -> tuple[object, ...]:
    """What tells one proxy's error page from another's."""
    return answer.status, answer.body, answer.headers.get("server"), answer.headers.get("content-type")
