"""A release: all files of one host, named by a digest of them. Nothing here reads a clock, a network or a host.

The same inventory gives the same id on every run and machine, so one comparison tells whether a host has the release.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from gateway.onhost import constants

# Stands for the release's id until the id is known.
ID_PLACEHOLDER = constants.ID_PLACEHOLDER.encode()

# The file of a release that lists the others as they were before the id was written into them: files that differ in
# the id alone are equal there, so that two releases can be compared.
SOURCES = "sources"

# The file that records the host that the release was rendered for (gateway/nginx/built_for.py). It is no part of the
# id: facts that change none of the other files do not make another release.
BUILD = "build"

_PUBLIC, _SECRET, _SHARED = 0o644, 0o600, 0o640
_PUBLIC_FOLDER = 0o755


@dataclass(frozen=True)
class File:
    """One file. A `secret` is readable by root alone, and by the host's `group` where one is given.

    No repr shows the content: it may be a key.
    """

    body: bytes = field(repr=False)
    secret: bool = False
    group: str | None = None

    @property
    def mode(self) -> int:
        if not self.secret:
            return _PUBLIC
        return _SHARED if self.group else _SECRET

    @property
    def shown_mode(self) -> str:
        """The mode as a manifest has it: octal, followed by the group where there is one."""
        return f"{self.mode:o}:{self.group}" if self.group else f"{self.mode:o}"


@dataclass(frozen=True, order=True)
class Entry:
    """One file in a manifest. `mode` is written as File.shown_mode."""

    path: str
    sha256: str
    mode: str


@dataclass(frozen=True)
class Release:
    """The files of a release, by path relative to its folder, and their id."""

    id: str
    files: Mapping[str, File] = field(repr=False)

    def manifest(self) -> frozenset[Entry]:
        """What an intact copy on a host consists of."""
        return _manifest(self.files)

    def digest(self) -> str:
        """One digest over the manifest, as gateway/onhost/scripts/listing.sh makes it on a host."""
        lines = [f"mode {entry.mode} {entry.path}\n" for entry in self.manifest()]
        lines += [f"digest {entry.sha256}  {entry.path}\n" for entry in self.manifest()]
        return hashlib.sha256(b"".join(sorted(line.encode() for line in lines))).hexdigest()

    def sources(self) -> frozenset[Entry]:
        """The manifest as it was before the id was written into the files, comparable with another release's."""
        return read_sources(self.files[SOURCES].body.decode().splitlines())

    def archive(self) -> bytes:
        """The tree as a gzipped tar, the same bytes for the same release, every mode set inside."""
        buffer = io.BytesIO()
        # USTAR has no room for the paths of a long domain; what GNU adds for them carries no time and no name either.
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for folder, first in self._folders().items():
                member = tarfile.TarInfo(folder)
                member.type = tarfile.DIRTYPE
                member.mode = _PUBLIC_FOLDER
                if first is not None:
                    # Whoever may read the file may enter its folder: a right to read becomes one to enter.
                    member.mode = first.mode | (first.mode & 0o444) >> 2
                    member.gname = first.group or ""
                archive.addfile(member)
            for path, file in sorted(self.files.items()):
                member = tarfile.TarInfo(path)
                member.size = len(file.body)
                member.mode = file.mode
                member.gname = file.group or ""
                archive.addfile(member, io.BytesIO(file.body))
        return gzip.compress(buffer.getvalue(), compresslevel=6, mtime=0)

    def _folders(self) -> dict[str, File | None]:
        """Every folder, parents first, with a secret that lies in it; None where there is none."""
        folders: dict[str, File | None] = {}
        for path, file in sorted(self.files.items()):
            parts = path.split("/")[:-1]
            for depth in range(1, len(parts) + 1):
                folder = "/".join(parts[:depth])
                here = file if file.secret and depth == len(parts) else None
                folders[folder] = folders.get(folder) or here
        return folders


def build(tree: Mapping[str, File]) -> Release:
    """The release of a rendered tree: computes the id and writes it into *.conf files in place of ID_PLACEHOLDER."""
    digest = hashlib.sha256()
    for path, file in sorted(tree.items()):
        if path == BUILD:
            continue
        digest.update(f"{path}\0{file.shown_mode}\0{len(file.body)}\0".encode())
        digest.update(file.body)
    name = digest.hexdigest()[:16]
    sources = sorted(_manifest(tree))
    lines = "".join(f"{entry.mode} {entry.sha256} {entry.path}\n" for entry in sources)
    named = {
        path: replace(file, body=file.body.replace(ID_PLACEHOLDER, name.encode())) if path.endswith(".conf") else file
        for path, file in tree.items()
    }
    return Release(name, {**named, SOURCES: File(lines.encode())})


def read_sources(lines: Iterable[str]) -> frozenset[Entry]:
    """The entries in the lines of a release's SOURCES file; malformed lines are passed over."""
    parts = [line.split(" ", 2) for line in lines]
    return frozenset(Entry(part[2], part[1], part[0]) for part in parts if len(part) == 3)


def _manifest(files: Mapping[str, File]) -> frozenset[Entry]:
    return frozenset(
        Entry(path, hashlib.sha256(file.body).hexdigest(), file.shown_mode)
        for path, file in files.items()
        if path != BUILD
    )


@dataclass(frozen=True)
class Change:
    """One path that differs between two manifests."""

    path: str
    kind: str  # "added", "changed", "removed"


def diff(old: frozenset[Entry], new: frozenset[Entry]) -> list[Change]:
    """Paths that publishing `new` over `old` would change, in order. Contents are left out: they may be keys."""
    before = {entry.path: entry for entry in old}
    after = {entry.path: entry for entry in new}
    changes = []
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) != after.get(path):
            kind = "added" if path not in before else "removed" if path not in after else "changed"
            changes.append(Change(path, kind))
    return changes


def lost_verification(found: Iterable[Change], new: Release) -> list[str]:
    """Verification files, as `<domain>/<name>`, that the changes remove though their site is still in `new`."""
    stay = new.files["domains"].body.decode().split()
    gone = [change.path.split("/") for change in found if change.kind == "removed"]
    return [f"{path[1]}/{path[2]}" for path in gone if path[0] == "verify" and path[1] in stay]
