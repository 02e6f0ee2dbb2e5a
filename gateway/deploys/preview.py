"""What would be different on a host, file by file, for an operator to read before it happens. Pure.

No key is ever shown, whatever its file is called: of a file that is not for everybody, or has a key in it, only the
name is.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from gateway.checkout.tracked_keys import KEY_NAME
from gateway.deploys.versions import FIRST_KEPT, TO_COME, News
from gateway.nginx.release import Change, File
from gateway.problems import count, printable

# Lines of text that are shown of one file, and of all files of a host.
_OF_A_FILE, _OF_A_HOST = 200, 1000
# A file with more lines, of both sides together, takes too long to compare.
_COMPARED = 40_000
# So many new domains, and files of an upgrade, are named; domains that go are all named.
_NAMED = 20

# Where a release has nginx directives of the operator's own.
_OPERATORS_OWN = "files/nginx/"

_MARKS = {"added": "+", "changed": "~", "removed": "-"}
_COLORS = {"+": "green", "-": "red", "@": "cyan"}


@dataclass(frozen=True)
class Side:
    """A release on one side of a comparison: its domains, and the texts that may be shown, by path. `id` is None where
    there is no release."""

    id: str | None
    domains: frozenset[str] = frozenset()
    texts: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Upgrade:
    """The version of the product that made the release in force, "" where none was kept, the one that runs here, and
    what is new between them."""

    before: str
    now: str
    news: tuple[News, ...]


@dataclass(frozen=True)
class Line:
    """A line of the preview; `color` is a name of click's, None for the terminal's own."""

    text: str
    color: str | None = None


def public_texts(files: Mapping[str, File]) -> dict[str, bytes]:
    """The bodies of those files that everybody may see, by path."""
    return {path: file.body for path, file in files.items() if not file.secret}


def lines(
    old: Side, new: Side, found: Collection[Change], *, whole: bool, upgrade: Upgrade | None = None
) -> Iterator[Line]:
    """The domains that come and go and the number of files that differ; with `whole` each of these files too. Of an
    upgrade what is new, and which files differ, without their text.

    A file that changed is shown as a unified diff; where no release was in force before, only what the operator wrote
    is. The release's id, which stands in many files, counts as no difference.
    """
    if old.domains != new.domains:
        yield Line(f"sites: {_domains(old.domains, new.domains)}")
    if upgrade:
        yield from _news(upgrade)
    named = whole or upgrade
    yield Line(f"release {old.id or 'none'} -> {new.id}, {count(len(found), 'file')} changed{':' if named else ''}")
    if not whole:
        yield from _names(found) if upgrade else ()
        return
    left, silent = _OF_A_HOST, 0
    for change in found:
        yield _name(change)
        if old.id is None and not change.path.startswith(_OPERATORS_OWN):
            continue
        text = _difference(change, old, new)
        shown = min(left, _OF_A_FILE)
        if text and not shown:
            silent += 1
            continue
        for line in text[:shown]:
            yield Line(f"      {line}", _COLORS.get(line[:1]))
        if len(text) > shown:
            yield Line(f"      ... {count(len(text) - shown, 'more line')} left out")
        left -= min(len(text), shown)
    if silent:
        yield Line(f"  the text of {count(silent, 'more file')} is left out")


def _news(upgrade: Upgrade) -> Iterator[Line]:
    """Why files differ that nobody has touched."""
    before = upgrade.before or f"before {FIRST_KEPT}"
    more = "; CHANGELOG.md says:" if upgrade.news else ""
    yield Line(f"the release in force was made by wecom-gateway {before}, this is {upgrade.now}{more}")
    for one in upgrade.news:
        to_do = f" ({count(one.to_do, 'thing')} to do)" if one.to_do else ""
        version = "not released yet" if one.version == TO_COME else one.version
        yield Line(f"  {version}: {printable(one.headline)}{to_do}")


def _names(found: Collection[Change]) -> Iterator[Line]:
    for change in list(found)[:_NAMED]:
        yield _name(change)
    if len(found) > _NAMED:
        yield Line(f"  and {count(len(found) - _NAMED, 'more file')}; --diff shows all of them")


def _name(change: Change) -> Line:
    return Line(f"  {_MARKS[change.kind]} {printable(change.path)}")


def moved(aside: Collection[str], back: Collection[str]) -> Iterator[Line]:
    """Files of the host's own nginx that are put aside, and those that come back to their place."""
    for word, paths in (("put aside", aside), ("put back", back)):
        if paths:
            yield Line(f"{word}: {printable(', '.join(sorted(paths)))}")


def withdrawal(old: Side, back: Collection[str]) -> Iterator[Line]:
    """What a host loses whose gateway is taken out of nginx, and which files come `back`."""
    yield Line(f"sites: {_domains(old.domains, frozenset())}" if old.domains else "sites: none")
    yield Line(f"release {old.id or 'none'} -> none: the gateway is taken out of nginx")
    yield from moved((), back)


def _domains(old: frozenset[str], new: frozenset[str]) -> str:
    come, gone = sorted(new - old), sorted(old - new)
    parts = [f"+ {domain}" for domain in come[:_NAMED]]
    if len(come) > _NAMED:
        parts.append(f"+ {len(come) - _NAMED} more")
    return printable(", ".join([*parts, *(f"- {domain}" for domain in gone)]))


def _difference(change: Change, old: Side, new: Side) -> list[str]:
    """The lines of a unified diff. None where one side has the file but not its text."""
    before = [] if change.kind == "added" else _text(change.path, old)
    after = [] if change.kind == "removed" else _text(change.path, new)
    if before is None or after is None:
        return []
    if len(before) + len(after) > _COMPARED:
        return [f"{len(before)} lines before, {len(after)} after; too many to compare"]
    # The first two lines would name the file again.
    return list(difflib.unified_diff(before, after, lineterm=""))[2:]


def _text(path: str, side: Side) -> list[str] | None:
    """The lines of the file, with `<release>` in the place of the id. None where it is no text or must not be shown."""
    body = side.texts.get(path)
    if body is None or _is_private(path, body) or b"\0" in body:
        return None
    if not body:
        return []
    text = body.replace(side.id.encode(), b"<release>") if side.id else body
    try:
        return [printable(line.replace("\t", "    ")) for line in text.decode().removesuffix("\n").split("\n")]
    except UnicodeDecodeError:
        return None


def _is_private(path: str, body: bytes) -> bool:
    """Whether a file is not to be shown: for its folder, its name, or a key in it."""
    folder, _, name = path.rpartition("/")
    if folder.split("/")[0] == "certs" or KEY_NAME.fullmatch(name):
        return True
    return b"PRIVATE KEY" in body or b"AGE-SECRET-KEY" in body
