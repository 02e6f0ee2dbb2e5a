"""What a host says of one release that it holds, as gateway/onhost/scripts/manifest.sh prints it. Pure."""

from __future__ import annotations

import base64
import io
import tarfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gateway.deploys import origin
from gateway.deploys.issued import read_date
from gateway.deploys.origin import Origin
from gateway.nginx import release as releases
from gateway.nginx.release import Entry


@dataclass(frozen=True)
class HeldRelease:
    """A release on a host, empty where the host has none of it.

    `sources` is what it was rendered as, before its id was written into the files (as in Release.sources()), `domains`
    are its sites. `origin` is None where it is not recorded: earlier versions did not.
    """

    sources: frozenset[Entry] = frozenset()
    domains: frozenset[str] = frozenset()
    origin: Origin | None = None


def read_held(output: Iterable[str]) -> HeldRelease:
    """The release from lines of "source", "domain" and "origin"."""
    said: dict[str, list[str]] = {"source": [], "domain": [], "origin": []}
    for line in output:
        key, _, text = line.partition(" ")
        if key in said:
            said[key].append(text)
    return HeldRelease(
        releases.read_sources(said["source"]),
        frozenset(filter(None, said["domain"])),
        origin.read("".join(said["origin"])),
    )


def read_files(output: Iterable[str]) -> frozenset[Entry]:
    """The files of the release as they are on the host now, from lines of "mode" and "digest"."""
    modes: dict[str, str] = {}
    digests: dict[str, str] = {}
    for line in output:
        kind, _, rest = line.partition(" ")
        value, _, path = rest.partition(" ")
        if kind == "mode":
            modes[path] = value
        elif kind == "digest":
            digests[path.removeprefix(" ")] = value
    return frozenset(Entry(path, digests.get(path, ""), mode) for path, mode in modes.items())


def read_ends(output: Iterable[str]) -> dict[str, datetime]:
    """When certificates end, by domain, from lines of "<domain> <end>". Ends that cannot be read are left out."""
    pairs = [line.partition(" ")[::2] for line in output]
    ends = {domain: read_date(text) for domain, text in pairs}
    return {domain: end for domain, end in ends.items() if end}


def read_texts(output: Iterable[str]) -> dict[str, bytes]:
    """Files by path, from an archive in base64. Empty where it did not arrive whole."""
    try:
        with tarfile.open(fileobj=io.BytesIO(base64.b64decode("".join(output)))) as archive:
            files = ((member.name, archive.extractfile(member)) for member in archive if member.isfile())
            return {name: file.read() for name, file in files if file}
    except (tarfile.TarError, ValueError, EOFError, OSError, zlib.error):
        return {}
