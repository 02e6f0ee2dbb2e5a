"""What a deploy or a rollback would change on a host: what would be lost, and what would be different."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from pyinfra import host

from gateway import product
from gateway.deploys import losses, origin, preview, shell, versions
from gateway.deploys.facts import CertificateEnds, ReleaseHeld, ReleaseTexts
from gateway.deploys.held_release import HeldRelease
from gateway.deploys.losses import Losses
from gateway.deploys.preview import Line, Side, Upgrade
from gateway.deploys.state import HostState
from gateway.deploys.target import Target
from gateway.fleet.host import Host
from gateway.nginx import release as releases
from gateway.nginx.release import Change

_EMPTY = hashlib.sha256(b"").hexdigest()
_FULLCHAIN = "fullchain.pem"
_REPLACES = "replaces"
# What people write as the name of a server that no visitor asks for by name.
_NO_NAMES = ("", "_", "localhost", "127.0.0.1")


def refusals(target: Target, allowed: Collection[str]) -> list[str]:
    """Why the host must not be deployed to: a sentence for each kind of loss that is not `allowed`, then one on how
    that may have come about. Empty where nothing speaks against it.

    Sends no further command to a host that is as it should be, and at most two to another one.
    """
    found = _losses(target)
    return told(found, target.held(), allowed) if found.refusals(allowed) else []


def told(found: Losses, held: HeldRelease, allowed: Collection[str]) -> list[str]:
    """A sentence for each kind of loss that is not `allowed`, then one on how that may have come about where a release
    is in force."""
    texts = found.refusals(allowed)
    follows = bool(held.sources or found.unread)
    return [*texts, *([origin.sentence(held.origin, origin.of_checkout())] if texts and follows else [])]


def of_deploy(target: Target, *, whole: bool) -> Iterator[Line]:
    """What a deploy would change, as lines for people; with `whole` every line of every file that is not secret."""
    known, wanted, found = target.state(), target.wanted(), target.changes()
    domains = frozenset(site.domain for site in target.host.sites)
    new = Side(wanted.id, domains, preview.public_texts(wanted.files))
    if known.current == wanted.id:
        # Only what was changed by hand: both sides are the same release.
        old = Side(wanted.id, domains, _texts(wanted.id, HeldRelease(), found) if whole else {})
        return preview.lines(old, new, found, whole=whole)
    old = _side(known.in_place, target.held(), found, whole=whole)
    return preview.lines(old, new, found, whole=whole, upgrade=_upgrade(known))


def _upgrade(known: HostState) -> Upgrade | None:
    """From which version of the product to which a deploy leads. None where it is the same one, or not known."""
    own = product.version()
    if not known.current or not own or known.product == own:
        return None
    return Upgrade(known.product, own, tuple(versions.between(product.changelog(), known.product, own)))


def of_withdrawal(known: HostState, held: HeldRelease) -> Iterator[Line]:
    """What the host loses where the gateway is taken out of its nginx, in the same lines."""
    return preview.withdrawal(Side(known.in_place, held.domains), known.returning)


def of_files(target: Target) -> Iterator[Line]:
    """Which files of the host's own nginx a deploy would put aside, and which back."""
    return _moved(frozenset(target.host.replaces), target.state())


def of_rollback(known: HostState, *, whole: bool) -> Iterator[Line]:
    """What a rollback to the previous release would change, in the same lines, and which files move."""
    before, after = known.in_place, known.previous
    old: HeldRelease = host.get_fact(ReleaseHeld, release=before) if before else HeldRelease()
    new: HeldRelease = host.get_fact(ReleaseHeld, release=after) if after else HeldRelease()
    found = releases.diff(old.sources, new.sources)
    yield from preview.lines(
        _side(before, old, found, whole=whole), _side(after, new, _swapped(found), whole=whole), found, whole=whole
    )
    yield from _moved(_replaced_by(after, new), known)


def _moved(replaced: frozenset[str], known: HostState) -> Iterator[Line]:
    """What comes and goes of the host's own files with a release that takes the place of these."""
    return preview.moved(replaced - known.returning, known.returning - replaced)


def _replaced_by(release: str | None, held: HeldRelease) -> frozenset[str]:
    """The files of the host's own nginx whose place a release on the host takes."""
    if not release or not any(entry.path == _REPLACES for entry in held.sources):
        return frozenset()
    texts = host.get_fact(ReleaseTexts, release=release, _stdin=shell.stdin_lines([_REPLACES]))
    return frozenset(texts.get(_REPLACES, b"").decode().splitlines())


def _losses(target: Target) -> Losses:
    found = target.changes()
    verification = tuple(releases.lost_verification(found, target.wanted()))
    if target.state().current == target.wanted().id:
        return Losses(verification=verification, replaced=replaced_names(target.host, target.state()))
    sites = lost_sites(target.host, target.state(), target.held())
    theirs, own = target.state().product, product.version()
    return replace(
        sites,
        verification=verification,
        certificates=_older_certificates(target),
        newer=theirs if versions.newer(theirs, own) else "",
        own=own,
    )


def replaced_names(wanted: Host, known: HostState) -> dict[str, str]:
    """Names that the host answers to in files whose place its sites take, and that no site has; with the file."""
    domains = {site.domain for site in wanted.sites}
    named = {name.lower(): one.file for one in known.replaced for name in one.names}
    return {name: file for name, file in named.items() if name not in domains and name not in _NO_NAMES}


def lost_sites(wanted: Host, known: HostState, held: HeldRelease) -> Losses:
    """What a deploy of another release would take away of the sites that the host holds."""
    gone = tuple(sorted(held.domains - {site.domain for site in wanted.sites}))
    others = ((one.name, one.data.get("sites")) for one in host.inventory if one.name != wanted.name)
    unread = "" if held.sources else known.in_place or ""
    elsewhere = losses.entries_with(gone, others) if gone else {}
    return Losses(sites=gone, unread=unread, elsewhere=elsewhere, replaced=replaced_names(wanted, known))


def _older_certificates(target: Target) -> dict[str, tuple[datetime, datetime]]:
    """By domain the certificates that would be replaced by one that ends earlier: the end of the one in force, and of
    the other."""
    changed = {change.path for change in target.changes() if change.kind == "changed"}
    # Domains by the digest of their certificate. A wildcard's may be that of a thousand sites, and is asked about once.
    same: dict[str, list[str]] = {}
    for entry in target.held().sources:
        folder, _, name = entry.path.rpartition("/")
        if entry.path in changed and folder.startswith("certs/") and name == _FULLCHAIN:
            same.setdefault(entry.sha256, []).append(folder.removeprefix("certs/"))
    if not same:
        return {}
    asked = {domains[0]: domains for domains in same.values()}
    ends: dict[str, datetime] = host.get_fact(
        CertificateEnds, release=target.state().in_place, _stdin=shell.stdin_lines(sorted(asked))
    )
    pairs = {
        domain: (end, target.host.certs[domain].not_after)
        for first, end in ends.items()
        for domain in asked.get(first, ())
        if domain in target.host.certs
    }
    return {domain: (held, wanted) for domain, (held, wanted) in pairs.items() if wanted < held}


def _side(release: str | None, held: HeldRelease, found: Iterable[Change], *, whole: bool) -> Side:
    return Side(release, held.domains, _texts(release, held, found) if whole and release else {})


def _texts(release: str, held: HeldRelease, found: Iterable[Change]) -> dict[str, bytes]:
    """The texts of those files of a release on the host that go or change, by path; certificates are left out."""
    paths = {change.path for change in found if change.kind != "added" and not change.path.startswith("certs/")}
    # The archive leaves out empty files, as it leaves out what is no text.
    empty = {entry.path: b"" for entry in held.sources if entry.path in paths and entry.sha256 == _EMPTY}
    asked = shell.stdin_lines(sorted(paths - empty.keys()))
    return empty | (host.get_fact(ReleaseTexts, release=release, _stdin=asked) if asked else {})


def _swapped(found: Iterable[Change]) -> list[Change]:
    kinds = {"added": "removed", "changed": "changed", "removed": "added"}
    return [Change(change.path, kinds[change.kind]) for change in found]
