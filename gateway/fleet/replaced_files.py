"""A host's `replaces`: files of its own nginx configuration that a release takes the place of."""

from __future__ import annotations

import posixpath
import re
from typing import Any

from gateway.inventory.entry_errors import brief
from gateway.onhost.constants import HOME
from gateway.problems import Problem, shown

# What nginx, a shell's pattern, sed or a list of lines would read as something else is no part of a name here.
_PATH = re.compile(r"/[^\s*?\[\]{};\"'\\\\#$&]+")
_RIGHT = 'right would be the file\'s whole path as nginx reads it, "/etc/nginx/sites-enabled/school.conf"'


def parse(name: str, raw: Any) -> tuple[tuple[str, ...], list[Problem]]:
    """The paths in their order, and every problem with them."""
    if raw is None:
        return (), []
    if not isinstance(raw, list | tuple):
        text = f'is a {type(raw).__name__}, not a list; right would be ["/etc/nginx/sites-enabled/school.conf"]'
        return (), [Problem(name, "", "replaces", text)]
    problems = [
        Problem(name, "", f"replaces[{place}]", wrong)
        for place, path in enumerate(raw)
        if (wrong := _wrong(path) or ("stands twice; keep one" if path in raw[:place] else ""))
    ]
    return tuple(raw) if not problems else (), problems


def _wrong(path: Any) -> str:
    if not isinstance(path, str) or not _PATH.fullmatch(path) or not path.isprintable():
        return f"{brief(path)} is no path; {_RIGHT}"
    if path != posixpath.normpath(path):
        return f'"{shown(path)}" is not written plainly; right would be "{posixpath.normpath(path)}"'
    if path.startswith(f"{HOME}/") or path.rpartition("/")[2] in ("zzz-wecom-gateway.conf", "wecom-gateway.conf"):
        return f'"{shown(path)}" is the gateway\'s own; name the files that served its sites before'
    if path.rpartition("/")[2] == "nginx.conf":
        return (
            f'"{shown(path)}" is nginx\'s main file, which stays; move its server blocks into a file of their own that '
            "it includes by a pattern, and name that"
        )
    return ""
