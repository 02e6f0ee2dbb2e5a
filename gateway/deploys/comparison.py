"""A host as it is beside what a deploy or a rollback would make of it: what would be lost, what would be different."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from pyinfra import host

from gateway.deploys import losses, origin, preview, shell
from gateway.deploys.facts import CertificateEnds, Held, HostState, ReleaseHeld, ReleaseTexts
from gateway.deploys.losses import Losses
from gateway.deploys.preview import Line, Side
from gateway.deploys.target import Target
from gateway.nginx import release as releases
from gateway.nginx.release import Change

_EMPTY = hashlib.sha256(b"").hexdigest()
_FULLCHAIN = "fullchain.pem"


def refused(target: Target, allowed: Collection[str]) -> list[str]:
    """Why the host must not be deployed to: each loss that is not `allowed`, then what can be told of how that came.

    Reads nothing more of a host that is as it should be, and at most two things of another.
    """
    texts = _losses(target).refused(allowed)
    return [*texts, origin.compared(target.held().origin, origin.here())] if texts else []


def of_deploy(target: Target, *, whole: bool) -> Iterator[Line]:
    """What a deploy would change, with `whole` in every line of every file that is not secret."""
    known, wanted, found = target.state(), target.wanted(), target.changes()
    domains = frozenset(site.domain for site in target.host.sites)
    new = Side(wanted.id, domains, preview.public(wanted.files))
    if known.current == wanted.id:
        # what was changed by hand: both sides are the same release
        old = Side(wanted.id, domains, _texts(wanted.id, Held(), found) if whole else {})
    else:
        old = _side(known.in_place, target.held(), found, whole=whole)
    return preview.lines(old, new, found, whole=whole)


def of_rollback(known: HostState, *, whole: bool) -> Iterator[Line]:
    """What a rollback to the previous release would change, told in the same way."""
    before, after = known.in_place, known.previous
    old: Held = host.get_fact(ReleaseHeld, release=before) if before else Held()
    new: Held = host.get_fact(ReleaseHeld, release=after) if after else Held()
    found = releases.diff(old.sources, new.sources)
    return preview.lines(
        _side(before, old, found, whole=whole), _side(after, new, _reversed(found), whole=whole), found, whole=whole
    )


def _losses(target: Target) -> Losses:
    found = target.changes()
    verification = tuple(releases.lost_verification(found, target.wanted()))
    if target.state().current == target.wanted().id:
        return Losses(verification=verification)
    gone = tuple(sorted(target.held().domains - {site.domain for site in target.host.sites}))
    others = ((one.name, one.data.get("sites")) for one in host.inventory if one.name != target.host.name)
    unread = "" if target.held().sources else target.state().in_place or ""
    return Losses(
        sites=gone,
        unread=unread,
        verification=verification,
        certificates=_older(target),
        elsewhere=losses.elsewhere(gone, others) if gone else {},
    )


def _older(target: Target) -> dict[str, tuple[datetime, datetime]]:
    """The certificates that would be replaced by one that ends earlier, with the ends of both."""
    changed = {change.path for change in target.changes() if change.kind == "changed"}
    # Sites of one certificate ask for it once: it may be a wildcard's, of a thousand.
    same: dict[str, list[str]] = {}
    for entry in target.held().sources:
        folder, _, name = entry.path.rpartition("/")
        if entry.path in changed and folder.startswith("certs/") and name == _FULLCHAIN:
            same.setdefault(entry.sha256, []).append(folder.removeprefix("certs/"))
    if not same:
        return {}
    asked = {domains[0]: domains for domains in same.values()}
    ends: dict[str, datetime] = host.get_fact(
        CertificateEnds, release=target.state().in_place, _stdin=shell.names(sorted(asked))
    )
    pairs = {
        domain: (end, target.host.certs[domain].not_after)
        for first, end in ends.items()
        for domain in asked.get(first, ())
        if domain in target.host.certs
    }
    return {domain: (held, wanted) for domain, (held, wanted) in pairs.items() if wanted < held}


def _side(release: str | None, held: Held, found: Iterable[Change], *, whole: bool) -> Side:
    return Side(release, held.domains, _texts(release, held, found) if whole and release else {})


def _texts(release: str, held: Held, found: Iterable[Change]) -> dict[str, bytes]:
    """The texts of what goes or changes of a release on the host."""
    paths = {change.path for change in found if change.kind != "added" and not change.path.startswith("certs/")}
    # which the archive leaves out as it leaves out what is no text
    empty = {entry.path: b"" for entry in held.sources if entry.path in paths and entry.sha256 == _EMPTY}
    asked = shell.names(sorted(paths - empty.keys()))
    return empty | (host.get_fact(ReleaseTexts, release=release, _stdin=asked) if asked else {})


def _reversed(found: Iterable[Change]) -> list[Change]:
    kinds = {"added": "removed", "changed": "changed", "removed": "added"}
    return [Change(change.path, kinds[change.kind]) for change in found]
