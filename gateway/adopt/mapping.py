"""Which prefixes a location is, and which prefix of its upstream each of them goes to."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from gateway.adopt.directives import Finding, Placed, at, named
from gateway.checkout.own_directives import location_of

# A prefix as a regular expression says it: characters, and alternatives of characters.
_PART = re.compile(r"\((?:\?:)?([A-Za-z0-9_~/|-]+)\)|\\([./_~-])|([A-Za-z0-9_~/-])")
_REST = re.compile(r"(?:\.\*|\(\.\*\))?\$?")
_MOST_PREFIXES = 64
_REWRITE = re.compile(r"\^(/[^()$?*+\\]*?)/?\??\(\.\*\)\$?")


class LeftAloneError(Exception):
    """A server block cannot be carried over because of what is told here."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


def prefixes(location: Placed) -> list[str]:
    """The prefixes that a location means. Raises LeftAloneError where it means something else."""
    kind, text = location_of(location.arguments)
    if kind == "":
        return [text]
    if kind == "~":
        if found := _of_expression(text):
            return found
        raise LeftAloneError(at(location, "passes on what a regular expression matches; routes are prefixes"))
    raise LeftAloneError(at(location, "passes on one single page; routes are prefixes"))


def _of_expression(text: str) -> list[str]:
    """The prefixes that an expression matches, empty where it matches anything else."""
    if not text.startswith("^/"):
        return []
    parts: list[Sequence[str]] = []
    rest = text[1:]
    while rest and (found := _PART.match(rest)):
        parts.append(found[1].split("|") if found[1] else [found[2] or found[3]])
        rest = rest[found.end() :]
    if not _REST.fullmatch(rest) or rest == "$":
        return []
    combined = itertools.islice(itertools.product(*parts), _MOST_PREFIXES + 1)
    found_prefixes = ["".join(one) for one in combined]
    return found_prefixes if len(found_prefixes) <= _MOST_PREFIXES else []


def whole(location: Placed, path: str, uri: str | None, instead: str | None) -> tuple[str, str, list[Finding]]:
    """A prefix of a location and its upstream's, both ending in a slash, and what is different by that.

    `uri` is the path that `proxy_pass` has, None where it has none; `instead` is what rewritten() says.
    Raises LeftAloneError where the prefix is a page.
    """
    if "." in path.rpartition("/")[2]:
        raise LeftAloneError(at(location, f"passes on {path}, which looks like a page; routes are prefixes"))
    upstream = instead or (path if uri is None else uri)
    told = []
    if not path.endswith("/"):
        if not instead and uri is not None and upstream.endswith("/"):
            text = f"{path}/x went out as {upstream}/x; the double slash is mended, it goes out as {upstream}x"
            told.append(at(location, text))
        told.append(at(location, f"{path}/ and what is below it is passed on, {path}x no longer"))
        path += "/"
    elif not upstream.endswith("/"):
        told.append(at(location, f"{path}x went out as {upstream}x; the missing slash is mended: {upstream}/x"))
    return path, upstream if upstream.endswith("/") else f"{upstream}/", told


def rewritten(location: Placed, block: Sequence[Placed]) -> str | None:
    """The upstream's path where a single `rewrite ... break` puts it in the place of the location's own.

    None where there is no rewrite. Raises LeftAloneError for any other.
    """
    rewrites = named(block, "rewrite")
    if not rewrites:
        return None
    one = rewrites[0]
    if len(rewrites) == 1 and len(one.arguments) == 3 and one.arguments[2] == "break":
        pattern, replacement, _ = one.arguments
        found = _REWRITE.fullmatch(pattern)
        kind, path = location_of(location.arguments)
        if found and kind == "" and found[1].rstrip("/") == path.rstrip("/") and replacement.endswith("/$1"):
            return replacement.removesuffix("$1")
    raise LeftAloneError(at(one, f'"{one.words}": no key of an entry rewrites paths'))
