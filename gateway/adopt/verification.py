"""Domain verification files as hand-written configurations hand them out."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.adopt.directives import Finding, Placed, at, named, nearest
from gateway.adopt.source import Source
from gateway.checkout import verify_files
from gateway.checkout.own_directives import location_of
from gateway.problems import shown

_PATH = re.compile(r"/[^/]+\.txt")
_ESCAPES = {"\\n": "\n", "\\r": "\r", "\\t": "\t"}
# What nginx and panels put into a folder of web pages by themselves.
_NOBODYS = (
    "index.html index.htm index.nginx-debian.html 50x.html 404.html 502.html favicon.ico icons .well-known "
    ".user.ini .htaccess nginx-logo.png poweredby.png system_noindex_logo.png en-US img"
)


@dataclass
class Found:
    """Verification files by name, and what is to be told about others."""

    files: dict[str, bytes] = field(default_factory=dict)
    told: list[Finding] = field(default_factory=list)

    def take(self, one: Placed, name: str, body: bytes) -> None:
        """Keeps a file where it can be one."""
        try:
            self.files[name] = verify_files.read(name, body).body
        except ValueError as error:
            self.told.append(at(one, f"{shown(name)} {error}"))


def is_location(location: Placed) -> bool:
    """Whether a location is there for verification files."""
    kind, text = location_of(location.arguments)
    if "_verify" in text.lower() or (kind == "~" and "txt" in text.lower()):
        return True
    return kind not in ("@", "~") and _PATH.fullmatch(text) is not None


def of_location(location: Placed, outer: Sequence[Sequence[Placed]], source: Source, domain: str, found: Found) -> None:
    """What a location for verification files hands out. `outer` are the server block and the http block."""
    kind, path = location_of(location.arguments)
    name = path.rpartition("/")[2]
    here = f"files/verify/{domain}/"
    texts = [one for one in named(location.inner, "return") if len(one.arguments) == 2 and one.first == "200"]
    if texts and ("$" in texts[0].arguments[1] or kind == "~"):
        text = f"answered for any file that was asked for; put the school's own files into {here}"
        found.told.append(at(texts[0], text))
        return
    if texts:
        body = re.sub(r"\\[nrt]", lambda one: _ESCAPES[one[0]], texts[0].arguments[1])
        found.take(texts[0], name, body.encode())
        return
    aliases = named(location.inner, "alias")
    roots = nearest([location.inner, *outer], "root")
    if kind == "~" or not _PATH.fullmatch(path):
        of_root((aliases or roots or [location])[0], source, domain, found)
        return
    place = aliases[0].first if aliases else posixpath.join(roots[0].first if roots else "html", name)
    if aliases and place.endswith("/"):
        place += name
    local = source.local(place)
    if local is None:
        found.told.append(at(location, f"{place} is not in the source; put it into {here}"))
        return
    try:
        found.take(location, name, verify_files.content(local, local.parent))
    except (ValueError, OSError) as error:
        found.told.append(at(location, f"{local} cannot be read: {error}; put it into {here}"))


def of_root(one: Placed, source: Source, domain: str, found: Found) -> list[str] | None:
    """Takes the verification files of a folder that a `root` names; returns what else is in it, None where the folder
    is not in the source."""
    path = one.first if one.name in ("root", "alias") else "html"
    local = source.local(path)
    try:
        inside = sorted(local.iterdir()) if local else None
    except OSError:  # no folder, or one that only others may look into
        inside = None
    if local is None or inside is None:
        text = (
            f"what is in {path} is not in the source; put its verification files into files/verify/{domain}/, and look "
            "whether visitors need others"
        )
        found.told.append(at(one, text))
        return None
    others = []
    for file in inside:
        if file.suffix == ".txt" and file.is_file():
            try:
                found.take(one, file.name, verify_files.content(file, local))
            except (ValueError, OSError) as error:
                found.told.append(at(one, f"{file} cannot be read: {error}"))
        elif file.name not in _NOBODYS.split() and not file.name.startswith("."):
            others.append(file.name)
    return others
