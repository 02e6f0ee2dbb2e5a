"""Which of two answers is right: the rules of `verify`, and those for what only a comparison shows.

A rule names what is wrong with one answer, by the trait (compare_answers) in which it is seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from gateway.inventory.site import Route
from gateway.outside import compare_answers, faults, locations, remedies
from gateway.outside.compare_answers import Said
from gateway.outside.compare_difference import Right
from gateway.outside.findings import Doubt, Fault, Refusal
from gateway.outside.probe import Answer, Door, Unanswered
from gateway.outside.visit import Visit

Faults = Mapping[str, Fault]

# What to think of where no rule says which is right, by trait.
_OPEN = {
    "answer": "what do visitors need? the platform's staff know; a path that is to stay can be a route of the platform "
    "(group_data/all.py) or a directive of the site's own (files/nginx/)",
    "HSTS": "phones keep to the last one they saw; `hsts` in the entry is the gateway's max-age",
    "Location": "where a redirect has to lead, the platform's staff know; try the login by hand",
    "content type": "open the page by both and see whether it is the same",
    "content": "open the page by both and see whether it is the same; do both ask the same upstream?",
    "arrived at": "do both ask the same upstream?",
}
_OPEN_COOKIE = "does the login, and whatever else needs this cookie, go on working?"


def file_faults(said: Said, body: bytes, visit: Visit, door: Door) -> Faults:
    """Of a verification file, which has to be `body`."""
    if isinstance(said, Unanswered):
        return _silence(said, visit, door)
    fault = faults.file_fault(_at_once(said), body, visit)
    return {"answer" if said.status != 200 else "content": fault} if fault else {}


def route_faults(said: Said, url: str, route: Route, rest: str, visit: Visit, door: Door) -> Faults:
    """Of a page that the route's upstream has to give, for the `url` that has `rest` below the route's path."""
    if isinstance(said, Unanswered):
        return _silence(said, visit, door)
    found = {
        "answer": faults.status_fault(said, route, visit),
        "arrived at": faults.arrival_fault(said, route, visit, rest),
        "Location": _location_fault(said, url, visit),
        "HSTS": _hsts_fault(said, visit),
        **dict(_cookie_faults(said, route, visit)),
    }
    return {trait: fault for trait, fault in found.items() if fault}


def redirect_faults(said: Said, expected: str, visit: Visit, door: Door) -> Faults:
    """Of plain http, which has to lead to the URL `expected`."""
    if isinstance(said, Unanswered):
        return _silence(said, visit, door)
    fault = faults.redirect_fault(said, expected, visit)
    return {"Location" if 300 <= said.status < 400 else "answer": fault} if fault else {}


def bare_faults(said: Said, url: str, visit: Visit, door: Door) -> Faults:
    """Of a route's path without its last slash: whatever comes, it is no redirect that breaks login."""
    if isinstance(said, Unanswered):
        return _silence(said, visit, door)
    fault = _location_fault(said, url, visit)
    return {"Location": fault} if fault else {}


def unpublished_faults(said: Said, target: str, visit: Visit, door: Door) -> Faults:
    """Of a path beside what is published: 404 where an inner network lies behind, or where a prefix is run on.

    Elsewhere an old server may have pages of its own, which the inventory knows nothing of.
    """
    if isinstance(said, Unanswered):
        return _silence(said, visit, door)
    run_on = any(target.startswith(route.path[:-1]) for route in visit.site.routes if route.path != "/")
    must = run_on or any(route.guarded for route in visit.site.routes)
    fault = faults.unpublished_fault(said, target, visit) if must else None
    return {"answer": fault} if fault else {}


def stranger_faults(said: Said) -> Faults:
    """Of a request for a name that nobody entered."""
    if isinstance(said, Unanswered) or said.status >= 400:
        return {}
    reason = f"serves a name that nobody entered ({said.status}): anybody could point a domain here and verify it"
    return {"answer": Fault(reason, "see other sites on the host, or the load balancer's default rule")}


def echo_faults(said: Said, token: bytes) -> Faults:
    """Of a verification file that there is not, whose text would be `token`."""
    if isinstance(said, Unanswered) or said.status != 200 or said.body.strip() != token:
        return {}
    reason = "makes up a verification file for every name: anybody can verify this domain for a company of their own"
    return {"answer": Fault(reason, "have only the domain's own files answered")}


def judge(trait: str, gateway: Faults, old: Faults, both_serve: bool) -> tuple[Right, str]:
    """Who is right where the two differ in `trait`, and why; else what to think of.

    `both_serve` is True where neither answer is an error: a page is right where the other one redirects wrongly.
    """
    ours, theirs = gateway.get(trait), old.get(trait)
    for one in (ours, theirs):
        if isinstance(one, Refusal | Doubt):
            return "open", f"{one.reason}; {one.remedy}"
    if ours and theirs:
        return "neither", f"the gateway: {ours.reason}; the old server: {theirs.reason}; next: {ours.remedy}"
    if theirs:
        return "gateway", f"the old server: {theirs.reason}"
    if ours:
        return "old", f"the gateway: {ours.reason}; next: {ours.remedy}"
    if trait == "answer" and both_serve and "Location" in {*gateway, *old}:
        return judge("Location", gateway, old, both_serve)
    said = _OPEN_COOKIE if trait.startswith("cookie") else _OPEN[trait]
    for who, found in (("gateway", gateway), ("old server", old)):
        if trait == "answer" and "Location" in found:
            said = f"the {who}: {found['Location'].reason}; {said}"
    return "open", said


def _silence(why: Unanswered, visit: Visit, door: Door) -> Faults:
    return {"answer": Fault(str(why), remedies.unanswered(visit, door, why))}


def _at_once(answer: Answer) -> Answer:
    """How long it took is no property of the server alone."""
    return replace(answer, seconds=0)


def _location_fault(answer: Answer, url: str, visit: Visit) -> Fault | None:
    if not 300 <= answer.status < 400:
        return None
    text = answer.headers.get("location", "")
    if fault := locations.location_fault(text, visit.site):
        return fault
    parts = urlsplit(urljoin(url, text))
    # what a path means elsewhere is not the gateway's to say
    if "//" in parts.path and parts.hostname == visit.site.domain:
        return Fault(
            f"redirects to {compare_answers.location(text, url)}, with a double slash: a prefix put together wrongly",
            "ask the platform's staff whether it sends it so",
        )
    return None


def _hsts_fault(answer: Answer, visit: Visit) -> Fault | None:
    wanted = visit.site.hsts
    if not wanted or f"max-age={wanted}" in answer.headers.get("strict-transport-security", "").lower():
        return None
    return Fault(f"lacks HSTS with max-age={wanted}, which the entry asks for", "deploy")


def _cookie_faults(answer: Answer, route: Route, visit: Visit) -> Iterator[tuple[str, Fault]]:
    """A browser drops a cookie for a stranger's name, and never sends one back for a path that nobody asks for."""
    domain = visit.site.domain
    for trait, text in compare_answers.cookies(answer):
        attributes = dict(part.split("=", 1) for part in text.split(", ") if "=" in part)
        owner, path = attributes.get("Domain", ""), attributes.get("Path", "/")
        if owner and owner != domain and not domain.endswith(f".{owner}"):
            reason = f"{trait} is for {owner}, not for {domain}: browsers drop it, and login fails"
            yield trait, Fault(reason, "see that the upstream's name is the route's, or ask the platform's staff")
        elif not any(_reaches(path, one.path) for one in visit.site.routes if one.port == route.port):
            reason = f"{trait} is for {path}, below which nothing is published: browsers never send it back"
            yield trait, Fault(reason, "see the routes of the platform, or ask its staff")


def _reaches(path: str, prefix: str) -> bool:
    """Whether a cookie for `path` comes back with some request below the route's `prefix`."""
    return prefix.startswith(path.rstrip("/") + "/") or path.startswith(prefix)
