"""The record in a release of the host that it was rendered for, and what has changed on that host since.

A release is rendered from the inventory and from facts about its host. Where another release is wanted now, rendering
with the recorded facts tells whether the inventory or the host has changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from gateway.nginx.tls_profile import Version

_Facts = TypeVar("_Facts")


def text(build: Any) -> str:
    """The fields of the dataclass `build` as one line of JSON; equal facts give equal lines.

    Of another dataclass in it only what is not usual is there.
    """
    plain = {one.name: _plain(getattr(build, one.name)) for one in fields(build)}
    return json.dumps({name: value for name, value in plain.items() if value != {}}, sort_keys=True) + "\n"


def read(line: str, kind: type[_Facts]) -> _Facts | None:
    """The dataclass `kind` from a line that `text` wrote, in this version of the gateway or another.

    A fact that is missing or of the wrong type gets the field's default, an unknown one is ignored. None where the line
    is unreadable, or lacks a fact that has no default.
    """
    try:
        said = json.loads(line)
    except ValueError:
        return None
    return _read(said, kind) if isinstance(said, dict) else None


def _read(said: dict[str, Any], kind: type[_Facts]) -> _Facts | None:
    values = {}
    for name, hint in get_type_hints(kind).items():
        if name in said:
            try:
                values[name] = _typed(said[name], hint)
            except (TypeError, ValueError):
                continue
    try:
        return kind(**values)
    except TypeError:  # a field without a default is missing
        return None


def _unusual(facts: Any) -> dict[str, Any]:
    """Those of the facts that are not as the dataclass has them without values."""
    usual = type(facts)()
    differ = [one.name for one in fields(facts) if getattr(facts, one.name) != getattr(usual, one.name)]
    return {name: _plain(getattr(facts, name)) for name in differ}


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, Version):
        return _unusual(value)
    if isinstance(value, frozenset | set):
        return sorted(map(_plain, value))
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _typed(value: Any, hint: Any) -> Any:
    """The JSON value as the type `hint`. Raises TypeError or ValueError where it is of another type."""
    origin, of = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        if value is None and type(None) in of:
            return None
        (hint,) = [one for one in of if one is not type(None)]
        return _typed(value, hint)
    if origin in (frozenset, tuple) and isinstance(value, list):
        return origin(_typed(one, of[0]) for one in value)
    if hint is Version:
        return Version.parse(value)
    if isinstance(hint, type) and is_dataclass(hint) and isinstance(value, dict):
        return _read(value, hint)
    if type(value) is not hint:
        raise TypeError(f"{value!r} is no {hint}")
    return value


def changes(old: Any, new: Any) -> Iterator[tuple[str, str]]:
    """For each fact that differs, the field's name and a sentence that says what has changed."""
    for one in fields(new):
        before, now = getattr(old, one.name), getattr(new, one.name)
        if before != now:
            yield one.name, _sentence(one.name, before, now)


_SET_ELSEWHERE = {"foreign_limits": "worker_rlimit_nofile", "foreign_variables": "variables_hash_max_size"}
_PROGRAMS = {"version": "nginx", "openssl": "OpenSSL"}


def _sentence(name: str, before: Any, now: Any) -> str:
    if name in _PROGRAMS and before and now:
        went = "upgraded" if now.number > before.number else "downgraded"
        return f"{_PROGRAMS[name]} was {went} from {before} to {now}"
    if name == "foreign_defaults":
        gained, lost = _ports(now - before), _ports(before - now)
        said = [f"another site of this host now says it is the default of port {gained}"] if gained else []
        if lost:
            said.append(f"no other site of this host says any longer that it is the default of port {lost}")
        return " and ".join(said)
    if name == "without":
        lost, gained = _shown(now - before), _shown(before - now)
        said = [f"nginx is now built without {lost}"] if now - before else []
        return " and ".join([*said, *([f"nginx is now built with {gained}"] if before - now else [])])
    if name == "layout":
        differ = [one.name for one in fields(now) if getattr(before, one.name) != getattr(now, one.name)]
        return f"the host's nginx now has {_listed(now, differ)}, where it had {_listed(before, differ)}"
    if name in _SET_ELSEWHERE:
        return f"another file of this host {'now sets' if now else 'no longer sets'} {_SET_ELSEWHERE[name]}"
    if name == "ipv6":
        return f"the host {'now has' if now else 'no longer has'} IPv6"
    if name == "group":
        return f"nginx's group is now {now or 'shared or unknown'}, it was {before or 'shared or unknown'}"
    return f"{name.replace('_', ' ')} of this host: now {_shown(now)}, before {_shown(before)}"


def _listed(facts: Any, names: list[str]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {_shown(getattr(facts, name)) or 'none'}" for name in names)


def _ports(ports: frozenset[Any]) -> str:
    return ", ".join(sorted(map(str, ports)))


def _shown(value: Any) -> str:
    if isinstance(value, frozenset | tuple):
        return ", ".join(sorted(map(str, value))) or "none"
    return "none" if value is None else str(value)
