"""A configuration that was fetched from its host, laid out so that what it names is found."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from pathlib import Path

from gateway.adopt import reading
from gateway.adopt.directives import every
from gateway.adopt.source import Source, SourceError, decoded, printed

# Directives that name a file which a site needs.
_FILES = ("ssl_certificate", "ssl_certificate_key", "proxy_ssl_trusted_certificate")


def named(body: bytes) -> tuple[list[str], list[str]]:
    """The files that a configuration names, and its folders of web pages; none where it cannot be read."""
    files: dict[str, None] = {}
    folders: dict[str, None] = {}
    try:
        source = printed(decoded(body))
        configuration = reading.read(source)
    except SourceError:
        return [], []
    for one in every((*configuration.servers, *configuration.http)):
        path = posixpath.normpath(posixpath.join(source.prefix, one.first))
        if "$" in path or "\n" in path or not one.first:
            continue
        if one.name in _FILES or (one.name == "alias" and path.endswith(".txt")):
            files[path] = None
        elif one.name in ("root", "alias") and path != "/":
            folders[path] = None
    return list(files), list(folders)


def laid_out(folder: Path, body: bytes, files: Mapping[str, bytes], names: Iterable[str]) -> Source:
    """The source, with the files of its host below a folder that nobody else can look into. Files of which only the
    name is known are empty there. Raises SourceError."""
    folder.chmod(0o700)
    for name in (*files, *names):
        path = folder / posixpath.normpath(f"/{name}").lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
            path.write_bytes(files.get(name, b""))
    return printed(decoded(body), folder)
