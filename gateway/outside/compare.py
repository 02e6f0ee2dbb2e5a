"""The gateway beside the old server: both are asked alike, and what differs is told.

No redirect is followed, so nobody else is asked. Each site takes at most so many questions and so long; each request is
bounded as in `verify`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from gateway.outside import compare_answers, compare_doors, compare_rules
from gateway.outside.compare_answers import Said
from gateway.outside.compare_difference import Comparison, Difference, unasked
from gateway.outside.compare_questions import Question, questions
from gateway.outside.compare_servers import Server
from gateway.outside.probe import Answer, Client
from gateway.outside.visit import Visit
from gateway.problems import printable

# Questions to a site, and seconds after which no further one is asked.
_MOST, _LONGEST = 300, 180
# Characters of what a server said that are shown.
_LONG = 500


def compare(visit: Visit, old: Server) -> Comparison:
    """Everything that differs between the site at the visit's address and on the old server."""
    gateway = Server(visit.address)
    domain = visit.site.domain
    found: list[Difference] = []
    asked = 0
    if reason := _incomparable(visit, old):
        found.append(unasked(f"https://{domain}", "is not asked", "is not asked", reason))
    else:
        doors, said = compare_doors.usable(visit, gateway, old)
        found += said
        until = time.monotonic() + _LONGEST
        for question in questions(visit, doors):
            if asked == _MOST or time.monotonic() > until:
                reason = f"at most {_MOST} questions, and {_LONGEST} s: what was asked until here is told"
                found.append(unasked(question.subject, "is not asked", "is not asked", reason))
                break
            asked += 1
            found += _differences(question, visit.client, gateway, old)
    return Comparison(domain, visit.target.hosts, visit.address, str(old), asked, tuple(_merged(found)))


def _incomparable(visit: Visit, old: Server) -> str:
    """Why the two cannot be compared at all; "" where they can."""
    if visit.address == old.address and all(public == own for public, own in old.ports.items()):
        return (
            f"{old.address} is where the gateway is asked too: name the gateway's address with --resolve "
            f"{visit.site.domain}:ADDRESS (DNS may still name the old server), or the old server's ports with "
            f"--compare {old.address},443=8443"
        )
    if visit.past_balancer:
        return (
            f"{visit.address} is the host itself, which answers its load balancer alone (proxy_protocol); "
            "name the load balancer with --resolve"
        )
    return ""


def _differences(question: Question, client: Client, gateway: Server, old: Server) -> Iterator[Difference]:
    """Both are asked; where the answers differ, once more. What a server says differently each time does not count."""
    first = _asked(question, client, gateway, old)
    if not _differ(question, *first):
        return
    second = _asked(question, client, gateway, old)
    ours, theirs = second
    faults = question.faults(ours), question.faults(theirs)
    both_serve = all(isinstance(said, Answer) and said.status < 400 for said in second)
    for trait in _stable(question, first, second):
        right, reason = compare_rules.judge(trait, *faults, both_serve)
        mine, other = _harmless(_text(question, ours, trait)), _harmless(_text(question, theirs, trait))
        yield Difference(question.check, question.subject, _harmless(trait), mine, other, right, _harmless(reason))


def _asked(question: Question, client: Client, gateway: Server, old: Server) -> tuple[Said, Said]:
    return question.ask(client, gateway), question.ask(client, old)


def _differ(question: Question, ours: Said, theirs: Said) -> bool:
    same = question.traits(ours, question.url) == question.traits(theirs, question.url)
    return not same or question.faults(ours).keys() != question.faults(theirs).keys()


def _stable(question: Question, first: tuple[Said, Said], second: tuple[Said, Said]) -> list[str]:
    """Traits that differ between the two, and in which each says the same twice, or breaks a rule twice.

    Whether and with which status a server answers is not left to chance: it counts where it differs twice.
    """
    ours, ours_again, theirs, theirs_again = (
        (question.traits(said, question.url), question.faults(said))
        for said in (first[0], second[0], first[1], second[1])
    )
    found = []
    for name in dict.fromkeys(name for traits, _ in (ours, ours_again, theirs, theirs_again) for name in traits):
        texts = [[traits.get(name) for traits, _ in both] for both in ((ours, ours_again), (theirs, theirs_again))]
        wrong = [[name in faults for _, faults in both] for both in ((ours, ours_again), (theirs, theirs_again))]
        changing = name == "answer" and all(mine != other for mine, other in zip(*texts, strict=True))
        if changing or _steadily_differ(*texts) or _steadily_differ(*wrong):
            found.append(name)
    # what else is in answers of different kinds follows from that
    return ["answer"] if "answer" in found else found


def _steadily_differ(ours: Sequence[object], theirs: Sequence[object]) -> bool:
    return ours[0] == ours[1] and theirs[0] == theirs[1] and ours[0] != theirs[0]


def _text(question: Question, said: Said, trait: str) -> str:
    if trait == "answer" and question.traits is not compare_answers.of_service:
        return compare_answers.shown(said, question.url)
    return question.traits(said, question.url).get(trait, "none")


def _harmless(text: str) -> str:
    """What a server said, so that it can neither steer a terminal nor fill it."""
    return printable(text if len(text) <= _LONG else f"{text[:_LONG]}...")


def _merged(found: list[Difference]) -> list[Difference]:
    """Each difference once, with every subject that has it."""
    by_text: dict[Difference, list[str]] = {}
    for one in found:
        by_text.setdefault(replace(one, subject="", check=""), []).append(one.subject)
    merged = []
    for one in found:
        subjects = by_text.pop(replace(one, subject="", check=""), None)
        if subjects:
            merged.append(replace(one, others=tuple(subjects[1:])))
    return merged
