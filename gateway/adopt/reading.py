"""Reads a configuration with nginx's own grammar: server blocks, upstreams, and what counts for all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import crossplane

from gateway.adopt.directives import Finding, Placed, at
from gateway.adopt.source import Source, SourceError
from gateway.problems import shown

# Files that say nothing about what a server does.
_BESIDE = frozenset(
    ("mime.types", "fastcgi_params", "fastcgi.conf", "uwsgi_params", "scgi_params", "options-ssl-nginx.conf")
)
# So many directives are read at most, those of a file that is included many times counted each time.
_MOST = 500_000
_DEEPEST = 20
# What stands in nginx.conf alone.
_MAIN = re.compile(r"^\s*(?:http|events|stream|mail)\b", re.MULTILINE)
# How the parser says that a directive does not end where it should.
_NO_END = ('is not terminated by ";"', 'has no opening "{"')


@dataclass(frozen=True)
class Configuration:
    """What a source says. `http` is what stands beside server blocks and counts for all of them.

    `other` are servers that serve no web pages. `unread` tells what could not be read.
    """

    servers: tuple[Placed, ...]
    upstreams: Mapping[str, Placed]
    http: tuple[Placed, ...]
    other: tuple[Placed, ...]
    unread: tuple[Finding, ...]


def read(source: Source) -> Configuration:
    """The configuration of a source. Raises SourceError where no server block is in it."""
    reader = _Reader(source)
    whole = reader.whole()
    http: list[Placed] = []
    other: list[Placed] = []
    for one in whole:
        if one.name == "http":
            http += one.inner
        elif one.name in ("stream", "mail"):
            other += (inner for inner in one.inner if inner.name == "server")
        else:
            http.append(one)
    servers = tuple(one for one in http if one.name == "server" and one.block is not None)
    if not servers and not other:
        faults = "".join(f"; {one}" for one in sorted(set(reader.unread))[:3])
        right = "right would be all of nginx's files: what `sudo nginx -T` prints"
        raise SourceError(f"{source.tops[0]}: no server block in it{faults}; {right}")
    upstreams = {one.first: one for one in http if one.name == "upstream"}
    rest = tuple(one for one in http if one.name not in ("server", "upstream"))
    return Configuration(servers, upstreams, rest, tuple(other), tuple(sorted(set(reader.unread))))


class _Reader:
    """Parses each file once, and puts its directives in the place of every include of it."""

    def __init__(self, source: Source) -> None:
        self.unread: list[Finding] = []
        self._source = source
        self._made: dict[str, tuple[Placed, ...]] = {}
        self._open: list[str] = []
        self._included: set[str] = set()
        self._read = 0

    def whole(self) -> list[Placed]:
        """All directives, those of files that others include in their place alone."""
        tops = {name: self._file(name) for name in self._source.tops}
        return [one for name, made in tops.items() if name not in self._included for one in made]

    def _file(self, name: str, around: tuple[str, ...] = ()) -> tuple[Placed, ...]:
        """The directives of a file that stands in these blocks."""
        if name not in self._made:
            self._open.append(name)
            raw = self._parsed(name, around)
            self._made[name] = tuple(self._directives(raw, name, around))
            self._open.pop()
        return self._made[name]

    def _parsed(self, name: str, around: tuple[str, ...]) -> list[Mapping[str, Any]]:
        try:
            text = self._source.text(name)
        except OSError as error:
            self.unread.append(Finding(name, 0, f"cannot be read: {error.strerror}"))
            return []
        except SourceError as error:
            if name in self._source.tops and len(self._source.tops) == 1:
                raise
            self.unread.append(Finding(name, 0, str(error).removeprefix(f"{name}: ")))
            return []
        if not around and not _MAIN.search(text):
            around = ("http",)  # a file of server blocks
        parsed, faults = _parse(text, name, around)
        for fault in faults:
            text = f"{fault.text}; nothing of this file was read, nginx reads it neither"
            self.unread.append(Finding(name, fault.line, text))
        return [] if faults else parsed

    def _directives(self, raw: Iterable[Mapping[str, Any]], name: str, around: tuple[str, ...]) -> Iterator[Placed]:
        for one in raw:
            if one["directive"] == "#":  # a comment between arguments comes even where none is asked for
                continue
            if one["directive"] == "include":
                yield from self._include(Placed("include", tuple(one["args"]), one["line"], None, name), around)
            elif len(around) == _DEEPEST:
                self.unread.append(Finding(name, one["line"], "blocks in blocks, deeper than anybody means"))
            else:
                inside = (*around, one["directive"])
                block = tuple(self._directives(one["block"], name, inside)) if "block" in one else None
                yield Placed(one["directive"], tuple(one["args"]), one["line"], block, name)

    def _include(self, one: Placed, around: tuple[str, ...]) -> Iterator[Placed]:
        if not one.first or PurePosixPath(one.first).name in _BESIDE:
            return
        names = self._source.included(one.first)
        if names is None:
            self.unread.append(at(one, f"{shown(one.first)} is not there, so nobody knows what is in it"))
            # it stays where it stands: what the file says is missing there
            yield one
            return
        for name in names:
            if name in self._open:
                self.unread.append(at(one, f"{shown(name)} includes itself"))
                yield one
            else:
                self._included.add(name)
                made = self._file(name, around)
                self._read += sum(map(_size, made))
                if self._read > _MOST:
                    raise SourceError(
                        f"{one.file}:{one.line}: more than {_MOST} directives are included; take some out"
                    )
                yield from made


def _parse(text: str, name: str, around: tuple[str, ...]) -> tuple[list[Mapping[str, Any]], list[Finding]]:
    """The directives of a text that stands in these blocks, and where it is no configuration: brackets without a
    partner, and directives that do not end. What an nginx of another version may know is not judged."""
    # in its blocks on the same line, so that lines keep their numbers
    before = "".join("location /{" if block == "location" else f"{block}{{" for block in around)
    whole = f"{before}{text}\n{'}' * len(around)}"
    (config,) = crossplane.parse_string(whole, filename=name, single=True, check_ctx=False)["config"]
    faults = []
    for wrong in config["errors"]:
        line = wrong["line"] or 0
        fault = wrong["error"].removesuffix(f" in {name}:{line}")
        if not line or fault.endswith(_NO_END) or fault.startswith("unexpected"):
            faults.append(Finding(name, min(line, text.count("\n") + 1), shown(fault)))
    parsed: list[Mapping[str, Any]] = config["parsed"]
    for _ in () if faults else around:
        if len(parsed) != 1:
            return [], [Finding(name, 0, 'has a "}" without its "{"')]
        parsed = parsed[0].get("block", [])
    return parsed, faults


def _size(one: Placed) -> int:
    return 1 + sum(map(_size, one.inner))
