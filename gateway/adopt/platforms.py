"""Routes as a platform: one of those that are shipped, or one of the source's own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gateway import starter
from gateway.adopt.parts import Row, dumped

Port = int | Literal["entry"]

_WEIXIN = "X-Forwarded-Weixin-Host"
DEFAULT_BODY, DEFAULT_WAIT = "50m", 60

_MOBILE = re.compile(r"/([ot])/([A-Za-z0-9_-]{1,64})/(?:static/)?weixin/")
_OF_BLUEKING = re.compile(r"/[ot]/[A-Za-z0-9_-]+/.+")
_NO_NAME = re.compile(r"[^a-z0-9]+")
_LONGEST_NAME = 60


@dataclass(frozen=True)
class Chosen:
    """A platform for a site: its name, its data, and the site's `bk` where the routes follow from that."""

    name: str
    data: Mapping[str, Any]
    bk: Mapping[str, Any] | None = None


class Platforms:
    """The platforms that sites have: `own` are those that are not shipped. Two sites with the same routes share one."""

    def __init__(self) -> None:
        self._shipped = starter.platforms()
        self.own: dict[str, Mapping[str, Any]] = {}
        self._names = {repr(data): name for name, data in self._shipped.items()}

    def choose(self, domain: str, rows: Sequence[tuple[Port, Row]], cas: Mapping[str, str], wait: int) -> Chosen:
        """The platform of a site with these routes. `cas` are the files of authorities by where they were, `wait` is
        the longest that an upstream may take, in seconds, 0 for nginx's own."""
        headers = list(dict.fromkeys(name for _, row in rows for name in row.domain_headers))
        guarded = _WEIXIN.lower() in map(str.lower, headers)
        routes = [dumped(row, port, cas.get(row.authority), guarded=guarded) for port, row in rows]
        if bk := _blueking(rows, headers, cas):
            return self._known("bkitsm", wait, bk)
        for name in ("wanxiao_prod", "wanxiao_test"):
            if not headers and sorted(map(repr, routes)) == sorted(map(repr, self._shipped[name]["routes"])):
                return self._known(name, wait, None)
        data: dict[str, Any] = {"routes": routes}
        if wait and wait != DEFAULT_WAIT:
            data["read_timeout"] = wait
        if headers:
            data["domain_headers"] = headers
        return Chosen(self._name(_NO_NAME.sub("_", domain)[:_LONGEST_NAME].strip("_"), data), data)

    def _known(self, name: str, wait: int, bk: Mapping[str, Any] | None) -> Chosen:
        """A known platform, or a copy of it for those whose upstream may take longer."""
        data = self._shipped[name]
        if wait > data.get("read_timeout", DEFAULT_WAIT):
            data = {**data, "read_timeout": wait}
            name = self._name(f"{name}_{wait}s", data)
        return Chosen(name, data, bk)

    def _name(self, wanted: str, data: Mapping[str, Any]) -> str:
        """The name of the platform with that data, a new one where there is none yet."""
        if known := self._names.get(repr(data)):
            return known
        number = 1
        while (name := wanted if number == 1 else f"{wanted}_{number}") in {*self._shipped, *self.own}:
            number += 1
        self.own[name] = data
        self._names[repr(data)] = name
        return name


def _blueking(
    rows: Sequence[tuple[Port, Row]], headers: Sequence[str], cas: Mapping[str, str]
) -> Mapping[str, Any] | None:
    """What of BlueKing is published, None where these are not the mobile paths of its apps."""
    first = rows[0][1]
    same = all(
        port == "entry"
        and row.upstream == row.origin + row.path
        and (row.origin, row.nodes, row.authority) == (first.origin, first.nodes, first.authority)
        and row.host == "upstream"
        and not row.headers
        for port, row in rows
    )
    if not same or any(header.lower() != _WEIXIN.lower() for header in headers):
        return None
    paths = [row.path for _, row in rows]
    mobile = [found for path in paths if (found := _MOBILE.fullmatch(path))]
    apps = list(dict.fromkeys(found[2] for found in mobile))
    envs = sorted({found[1] for found in mobile})
    wanted = {f"/{env}/{app}/{part}/" for env in envs for app in apps for part in ("weixin", "static/weixin")}
    extra = [path for path in paths if path not in wanted]
    if not wanted or not wanted <= set(paths) or not all(map(_OF_BLUEKING.fullmatch, extra)):
        return None
    bk: dict[str, Any] = {"upstream": first.origin, "apps": apps}
    if envs != ["o"]:
        bk["envs"] = envs
    if extra:
        bk["extra_paths"] = extra
    if first.nodes:
        bk["nodes"] = list(first.nodes)
    if first.authority:
        bk["ca"] = cas[first.authority]
    return bk
