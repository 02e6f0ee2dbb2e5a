"""What is wrong with a site's answer to one request, and the next step. Nothing is asked here."""

from __future__ import annotations

from http import HTTPStatus

from gateway.inventory.site import Route
from gateway.outside import locations, reach, remedies
from gateway.outside.findings import Doubt, Expected, Fault, Refusal
from gateway.outside.probe import Answer
from gateway.outside.visit import Visit

# Seconds in which a verification file must be there.
_SOON = 1.0


def file_fault(answer: Answer, body: bytes, visit: Visit) -> Fault | None:
    """The answer must be the verification file `body`, byte for byte, without a redirect and soon."""
    if 300 <= answer.status < 400:
        return Fault(
            f"{answer.status}, a redirect, which WeCom does not follow",
            f"have the {visit.front} pass the file's path without a redirect",
        )
    if answer.status != 200:
        return Fault(f"the answer is {answer.status}, not 200", remedies.not_served(visit))
    if answer.body != body:
        size = f"{len(answer.body)} bytes came, {len(body)} are in the checkout"
        return Fault(f"other bytes than in the checkout ({size})", remedies.not_served(visit))
    if answer.seconds > _SOON:
        return Fault(
            f"came after {answer.seconds:.1f} s, later than {_SOON:.0f} s",
            "see whether the host is overloaded or the way to it is slow; try again from another network",
        )
    return None


def route_fault(answer: Answer, route: Route, visit: Visit) -> Fault | None:
    """The answer must come from the route's upstream, and a redirect must leave login working."""
    if fault := arrival_fault(answer, route, visit) or status_fault(answer, route, visit):
        return fault
    if 300 <= answer.status < 400:
        return locations.location_fault(answer.headers.get("location", ""), visit.site)
    return None


def arrival_fault(answer: Answer, route: Route, visit: Visit, rest: str = "") -> Fault | None:
    """The request must have arrived under the route's upstream, where the answer tells. `rest` was asked below it."""
    expected = f"{route.upstream.scheme}://{visit.site.host_header(route)}{route.upstream_path}{rest}"
    arrived = answer.headers.get(reach.ARRIVED)
    if arrived is None or arrived == expected:
        return None
    where = expected.partition("?")[0]
    return Fault(f"arrived at {arrived.partition('?')[0]}, not at {where}", "deploy; is this the right host?")


def status_fault(answer: Answer, route: Route, visit: Visit) -> Fault | None:
    """The answer must be an upstream's: no error page of the gateway or of another proxy on the way."""
    if answer.status == HTTPStatus.EARLY_HINTS:
        return Fault(
            "sends 103 Early Hints, which this nginx does not know: what follows is not mapped, and fails over HTTP/2",
            remedies.EARLY_HINTS,
        )
    if answer.is_gateways_own and (stranger := _stranger(answer, visit)):
        return stranger
    if answer.is_gateways_own:
        return Fault(f"the gateway itself answers {answer.status}", remedies.gateway_error(visit, route, answer.status))
    if reach.is_bad_gateway(answer):
        return Fault(f"{answer.status}, not from the gateway", remedies.bad_gateway(visit))
    if answer.status == HTTPStatus.BAD_REQUEST and route.own_host:
        return Doubt(f"the upstream itself answers 400, when asked for {visit.site.domain}", remedies.UNKNOWN_HOST)
    return None


def unpublished_fault(answer: Answer, target: str, visit: Visit) -> Fault | None:
    """A path beside the allow-list, `target`, must be answered with 404."""
    if answer.status == 404:
        return None
    own = visit.target.directives
    if own and own.may_answer(target, answer.status):
        return Expected(
            f"{own.path} may answer there, and the answer is {answer.status}",
            "right where that is what its directives say",
        )
    if answer.is_gateways_own and (stranger := _stranger(answer, visit)):
        return stranger
    if reach.is_bad_gateway(answer):
        return Fault(f"{answer.status}, not from the gateway", remedies.bad_gateway(visit))
    return Fault(
        f"answers {answer.status} instead of 404: more is published than the inventory says",
        "deploy; if it stays, see whether this address is the right host",
    )


def redirect_fault(answer: Answer, expected: str, visit: Visit) -> Fault | None:
    """Plain http must be redirected to the URL `expected`: by nginx with 301, by a load balancer with any redirect."""
    if visit.through_balancer and (stranger := _stranger(answer, visit)):
        return stranger
    remedy = remedies.BALANCER_KEEPS_HTTP if visit.through_balancer else remedies.REDEPLOY
    location = answer.headers.get("location", "")
    redirects = answer.status == 301 or (visit.through_balancer and answer.status in (302, 303, 307, 308))
    if not redirects:
        return Fault(f"the answer is {answer.status}, not a 301 to https", remedy)
    if location == expected:
        return None
    return locations.location_fault(location, visit.site) or Fault(
        f"redirects to another URL than https://{visit.site.domain}/... with path and query", remedy
    )


def health_fault(answer: Answer) -> Fault | None:
    """The load balancer's health check must be answered with 200."""
    return None if answer.status == 200 else Fault(f"the answer is {answer.status}, not 200", remedies.REDEPLOY)


def _stranger(answer: Answer, visit: Visit) -> Refusal | None:
    """The gateway's refusal of who may not use the site, which is right wherever that is the asking machine."""
    if answer.status != 403 or not visit.site.allow:
        return None
    kind = Expected if visit.is_stranger else Refusal
    return kind(
        'the site is for its "allow" alone, and answers 403 to this machine',
        f"right if its address is in none of {', '.join(visit.site.allow)}; run verify from there to see the routes",
    )
