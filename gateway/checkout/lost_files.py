"""Verification files that this checkout once had: a site whose file is gone loses WeCom's trust."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gateway.checkout import git
from gateway.problems import Problem


def warnings(sites: Iterable[tuple[str, str]], files: Path) -> list[Problem]:
    """One for each verification file of a site that git has known and that is missing in `files`.

    `sites` are names of hosts, each with the domain of a site on it. Empty outside a git checkout: then nothing tells
    what there was.
    """
    missing: dict[str, list[Path]] = {}
    for path in _deleted(files / "verify"):
        if _is_gone(path):
            missing.setdefault(path.parent.name, []).append(path)
    return [
        Problem(
            host,
            domain,
            str(path),
            "was in this checkout before and is missing now; a deploy would take it from the site: "
            f"git log --diff-filter=D -- {path} says since when",
            "warning",
        )
        for host, domain in sites
        for path in missing.get(domain, ())
    ]


def _is_gone(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # the check of the folder itself tells of it
        return False
    return False


def _deleted(folder: Path) -> list[Path]:
    """Paths below `folder` that git has in its index or history as deleted, from the current directory."""
    index = git.paths("ls-files", "--deleted", "-z", "--", str(folder))
    history = git.paths("log", "--diff-filter=D", "--name-only", "--relative", "--format=", "-z", "--", str(folder))
    return list(dict.fromkeys([*index, *history]))
