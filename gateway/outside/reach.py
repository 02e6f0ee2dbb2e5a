"""Whether a load balancer reaches any host at all, by what nobody but the hosts' nginx or the load balancer can say.

Where it reaches none, every request fails in a way of its own; that would be told as many faults of the site.
"""

from __future__ import annotations

from gateway.inventory.site import Site
from gateway.outside.probe import Answer, Client, Door, Unanswered

# What proxies answer for those behind them.
_BAD_GATEWAY = (502, 503, 504)
# Set by the stand-in platforms of the lab: the URL that reached them. Real platforms tell nothing.
ARRIVED = "x-lab-arrived"
# A name that no site has.
NOBODY = "wecom-gateway-check.invalid"


def fault(site: Site, client: Client, door: Door, port: int) -> str | None:
    """How the load balancer's `door` for the site's `port` says that it reaches no host; None where it reaches one.

    Asked twice, as networks hiccup.
    """
    lost = _on_entry if port == site.entry_port else _beside_it
    return lost(site, client, door, port) and lost(site, client, door, port)


def _on_entry(site: Site, client: Client, door: Door, _port: int) -> str | None:
    """nginx answers the health check itself, whatever the platform is like."""
    try:
        answer = client.ask(door, site.domain, "/healthz")
    except Unanswered as why:
        return str(why) if why.kind in ("closed", "slow") else None
    return f"it answers {answer.status}" if is_in_between(answer) else None


def _beside_it(site: Site, client: Client, door: Door, port: int) -> str | None:
    """Other ports have no health check, and a platform's front may say 502 too. A name that no site has never gets as
    far as that: told 502 in other words than the site is, the site's came from the platform. Silence may too."""
    try:
        for path in [route.path for route in site.routes if route.port == port]:
            answer = client.ask(door, site.domain, path, accept="application/json")
            if not is_in_between(answer):
                return None
    except Unanswered as why:
        return str(why) if why.kind == "closed" else None
    try:
        other = client.ask(door, site.domain, "/", host=NOBODY)
    except Unanswered:
        other = answer
    if is_in_between(other) and _voice(other) != _voice(answer):
        return None
    return f"it answers {answer.status}"


def is_in_between(answer: Answer) -> bool:
    """Whether neither the gateway nor a platform says this, but a proxy for those behind it."""
    return answer.status in _BAD_GATEWAY and not answer.is_gateways_own and ARRIVED not in answer.headers


def _voice(answer: Answer) -> tuple[object, ...]:
    return answer.status, answer.body, answer.headers.get("server"), answer.headers.get("content-type")
