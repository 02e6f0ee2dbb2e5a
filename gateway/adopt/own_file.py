"""files/nginx/<domain>.conf: what no key says, as far as it may stand there."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import crossplane
from crossplane import analyzer

from gateway.adopt.directives import Finding, Placed, at, every
from gateway.adopt.parts import Part
from gateway.checkout import own_directives
from gateway.checkout.own_directives import location_of
from gateway.checkout.verify_files import VerifyFile
from gateway.fleet import undone_promises
from gateway.inventory.site import Site
from gateway.problems import printable, shown

_MADE_OF_OTHERS = ("map", "geo", "split_clients", "perl_set", "js_set")
_VARIABLE = re.compile(r"\$\{?(\w+)")
_CAPTURE = re.compile(r"\(\?P?<(\w+)>")
_LIMITS = ("limit_req", "limit_conn", "limit_req_status", "limit_conn_status", "limit_req_log_level")
# Of its warnings the one that is no reason to leave a location out.
_EXPRESSION = "a regular expression goes before every prefix"


@dataclass
class OwnFile:
    """The text of a domain's file, "" for none, and what is told of it. `left` says why the site cannot be one."""

    text: str = ""
    told: list[Finding] = field(default_factory=list)
    left: list[Finding] = field(default_factory=list)


def made(site: Site, verify: Collection[VerifyFile], parts: Sequence[Part]) -> OwnFile:
    """The file for a site that these server blocks become."""
    found = OwnFile()
    path = f"files/nginx/{site.domain}.conf"
    unknown = _unknown(parts)
    seen: set[str] = set()
    for one in _candidates(parts, found):
        text: str = crossplane.build([_raw(one)])
        if text in seen:
            continue
        seen.add(text)
        text = f"# {printable(one.file)}:{one.line}\n{text}\n"
        kept = found.text + text
        try:
            if why := _left_out(one, unknown):
                raise own_directives.CannotStandError(why)
            read = own_directives.parse(path, kept.encode())
        except own_directives.CannotStandError as error:
            found.told.append(at(one, f'"{one.words}" is left out: {error}'))
            continue
        last = replace(read, directives=read.directives[-1:])
        problems = undone_promises.judge("", site, verify, last)
        problems = [problem for problem in problems if _EXPRESSION not in problem.text]
        if not problems:
            found.text = kept
            if one.name == "set":
                unknown.pop(one.first.lstrip("$"), None)
            found.told.append(at(one, f'"{one.words}" goes into {path}'))
        elif one.name == "location" and problems[0].severity == "warning":
            found.left.append(at(one, problems[0].text))
        else:
            found.told.append(at(one, f"left out: {problems[0].text}"))
    return found


def _candidates(parts: Sequence[Part], found: OwnFile) -> Iterable[Placed]:
    """Directives of the server blocks, and those that all their locations have which pass on."""
    for part in parts:
        yield from part.own
    blocks = [block for part in parts for block in part.inner]
    known = [{_key(one) for one in block} for block in blocks]
    for block in blocks:
        for one in block:
            if all(_key(one) in keys for keys in known):
                yield one
            else:
                found.told.append(at(one, f'"{one.words}" is left out: it is for one location, and no key says it'))


def _key(one: Placed) -> tuple[str, tuple[str, ...]]:
    return one.name, one.arguments


def _unknown(parts: Sequence[Part]) -> dict[str, str]:
    """Variables that a file of a domain does not know, each with where it has its value from."""
    found: dict[str, str] = {}
    for part in parts:
        for one in every(part.block.directives):
            if one.name in ("server_name", "location"):
                names = (name for word in one.arguments for name in _CAPTURE.findall(word))
                found |= dict.fromkeys(names, "is what an expression matched")
            elif one.name == "set" and one.arguments:
                found[one.first.lstrip("$")] = "is set elsewhere; write its text there"
        for one in part.block.http:
            if one.name in _MADE_OF_OTHERS and one.arguments:
                found[one.arguments[-1].lstrip("$")] = "is made outside of the server block"
    return found


def _left_out(one: Placed, unknown: Mapping[str, str]) -> str:
    """Why a directive cannot stand in a file of a domain, "" where nothing is known against it."""
    if one.name in _LIMITS:
        return 'its zone is not the site\'s; "rate_limit" is for all visitors of a site together'
    if one.name == "add_header" and one.first.lower() == "alt-svc" and "h3" in "".join(one.arguments[1:]):
        return "HTTP/3 is gone"
    own = {name for word in one.arguments for name in _CAPTURE.findall(word)}
    for item in every([one]):
        if item.name not in analyzer.DIRECTIVES:
            return f'"{shown(item.name)}" is of a module that no deploy installs'
        names = {name for word in item.arguments for name in _VARIABLE.findall(word)}
        if item.name == "set":
            own.add(item.first.lstrip("$"))
        if one.block is None and (matched := [name for name in names if name.isdecimal()]):
            return f"${min(matched)} is what an expression matched"
        if other := (names & unknown.keys()) - own:
            return f"${min(other)} {unknown[min(other)]}"
    return ""


def _raw(one: Placed) -> dict[str, Any]:
    raw: dict[str, Any] = {"directive": one.name, "args": list(one.arguments), "line": one.line}
    if one.name == "location":
        raw["args"] = [sign for sign in (_sign(one),) if sign] + [location_of(one.arguments)[1]]
    if one.block is not None:
        raw["block"] = [_raw(inner) for inner in one.inner]
    return raw


def _sign(one: Placed) -> str:
    """The sign of a location, in one word with what it matches or not."""
    return next((sign for sign in ("^~", "~*", "~", "=") if one.first.startswith(sign)), "")
