"""What this project puts on a host, as plain files for tools that upload file by file."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from bench.errors import BenchError
from bench.hosts import BenchHost
from bench.schools import Fleet

# The one release's name: where files lie does not depend on what is in them, so that a changed site changes
# one file.
_RELEASE = "releases/bench"
ENTRY = f"{_RELEASE}/gateway.conf"

_LIMIT = re.compile(rb"client_max_body_size \d+k;")


class Tree:
    """A local folder that holds one host's files, as they lie in the gateway's folder there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def fetched(cls, host: BenchHost, folder: Path) -> Tree:
        """The files of a host that this project was deployed to, without its notes and past releases."""
        name = host.fetch_home(folder)
        (folder / "releases" / name).rename(folder / _RELEASE)
        for path in folder.iterdir():
            if path.is_symlink() or path.is_file():
                path.unlink()
        for past in (folder / "releases").iterdir():
            if past != folder / _RELEASE:
                shutil.rmtree(past)
        for path in folder.rglob("*.conf"):
            path.write_bytes(path.read_bytes().replace(name.encode(), Path(_RELEASE).name.encode()))
        return cls(folder)

    def copied(self, folder: Path) -> Tree:
        """A copy of its own for a tool that changes it."""
        shutil.copytree(self.folder, folder)
        return Tree(folder)

    def become(self, fleet: Fleet) -> None:
        """Writes the files of the school that `fleet` has changed."""
        school = fleet.changing
        path = self.folder / _RELEASE / "sites" / f"{school.domain}.conf"
        body, found = _LIMIT.subn(f"client_max_body_size {school.max_body_kib}k;".encode(), path.read_bytes())
        if not found:
            raise BenchError(f"{path} has no body limit to change")
        path.write_bytes(body)

    def folders(self) -> list[str]:
        """Relative paths, parents first."""
        return [path for path in self._paths() if (self.folder / path).is_dir()]

    def files(self) -> list[str]:
        """Relative paths."""
        return [path for path in self._paths() if (self.folder / path).is_file()]

    def _paths(self) -> list[str]:
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*"))
