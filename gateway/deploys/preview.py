"""What would be different on a host, file by file, for an operator to read before it happens. Pure.

No key shows, whatever its file is called: a file that is not for everybody, or has a key in it, stands there by name.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from gateway.checkout.tracked_keys import KEY_NAME
from gateway.nginx.release import Change, File
from gateway.problems import count, printable

# Lines of text that are shown of one file, and of all files of a host.
_OF_A_FILE, _OF_A_HOST = 200, 1000
# Lines of both sides of a file; to compare more takes too long.
_COMPARED = 40_000
# New domains that are named; what goes is named in any case.
_NAMED = 20

_MARKS = {"added": "+", "changed": "~", "removed": "-"}
_COLORS = {"+": "green", "-": "red", "@": "cyan"}


@dataclass(frozen=True)
class Side:
    """A release: the domains that it serves, and the texts that may be shown, by path. `id` is None for none."""

    id: str | None
    domains: frozenset[str] = frozenset()
    texts: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Line:
    """`color` is a terminal's, None for its own."""

    text: str
    color: str | None = None


def public(files: Mapping[str, File]) -> dict[str, bytes]:
    """The bodies of those files that everybody may see."""
    return {path: file.body for path, file in files.items() if not file.secret}


def lines(old: Side, new: Side, found: Collection[Change], *, whole: bool) -> Iterator[Line]:
    """The domains that come and go, the number of files that differ, and with `whole` each of them.

    Of a file that changed, a unified diff; nothing is compared where nothing was in force before. The release's id,
    which stands in many files, makes no difference.
    """
    if old.domains != new.domains:
        yield Line(f"sites: {_domains(old.domains, new.domains)}")
    yield Line(f"release {old.id or 'none'} -> {new.id}, {count(len(found), 'file')} changed{':' if whole else ''}")
    if not whole:
        return
    left, silent = _OF_A_HOST, 0
    for change in found:
        yield Line(f"  {_MARKS[change.kind]} {printable(change.path)}")
        if old.id is None:
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


def _domains(old: frozenset[str], new: frozenset[str]) -> str:
    come, gone = sorted(new - old), sorted(old - new)
    parts = [f"+ {domain}" for domain in come[:_NAMED]]
    if len(come) > _NAMED:
        parts.append(f"+ {len(come) - _NAMED} more")
    return printable(", ".join([*parts, *(f"- {domain}" for domain in gone)]))


def _difference(change: Change, old: Side, new: Side) -> list[str]:
    """The lines of a unified diff, none where a text is missing on a side that has the file."""
    before = [] if change.kind == "added" else _text(change.path, old)
    after = [] if change.kind == "removed" else _text(change.path, new)
    if before is None or after is None:
        return []
    if len(before) + len(after) > _COMPARED:
        return [f"{len(before)} lines before, {len(after)} after; too many to compare"]
    # without the two lines that would name the file again
    return list(difflib.unified_diff(before, after, lineterm=""))[2:]


def _text(path: str, side: Side) -> list[str] | None:
    """Its lines with the release's id left open, None where they are not to be shown or no text."""
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
    """By where it lies, what it is called or what is in it, whichever says so."""
    folder, _, name = path.rpartition("/")
    if folder.split("/")[0] == "certs" or KEY_NAME.fullmatch(name):
        return True
    return b"PRIVATE KEY" in body or b"AGE-SECRET-KEY" in body
