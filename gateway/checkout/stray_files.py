"""Verification files and certificates that lie where no site of the inventory looks for them."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from gateway.checkout.verify_files import FAMILY_START
from gateway.inventory import domain_names
from gateway.problems import Problem, nearest

# Files beside an inventory that may name sites: other inventories, and what they read.
_TEXTS = (".py", ".csv", ".json", ".yaml", ".yml", ".toml", ".txt")
_MAX_BYTES, _MAX_FILES = 1 << 20, 200


def warnings(domains: Collection[str], inventory: Path, files: Path) -> list[Problem]:
    """One for each file and folder that some site was meant to have. `domains` are all of the inventory's.

    Folders of sites in other inventories of this checkout are left alone, and certificates that came before their site.
    """
    found = [*_loose(domains, files)]
    unknown = {
        kind: [path for path in _listed(files / kind) if path.name not in domains] for kind in ("verify", "certs")
    }
    named = _Others(inventory) if any(unknown.values()) else None
    for kind, folders in unknown.items():
        wanting = [domain for domain in domains if not _listed(files / kind / domain)] if folders else []
        for folder in folders:
            if named is None or not folder.is_dir() or not _listed(folder) or named.know(folder.name):
                continue
            meant = _meant(folder.name, domains, wanting)
            if meant or kind == "verify":
                found.append(Problem("", "", f"{folder}/", f"{_UNUSED}; {meant or _NOT_NEAR}", "warning"))
    return found


_UNUSED = "no site of this inventory has that domain, so nothing uses what is in it"
_NOT_NEAR = "add the site, or delete the folder"


def _loose(domains: Collection[str], files: Path) -> Iterator[Problem]:
    """Files that lie in files/verify/ itself, and verification files in files/ or at the checkout's top."""
    place = next(iter(domains)) if len(domains) == 1 else "<domain>"
    for folder in (files / "verify", files, files.parent):
        for path in _listed(folder):
            in_place = folder == files / "verify" and path.suffix.lower() != ".md"
            if (in_place or FAMILY_START.match(path.name)) and path.is_file():
                text = f"is served by no site here; it belongs into {files / 'verify' / place}/"
                yield Problem("", "", str(path), text, "warning")


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:  # none, or the check of its site tells it
        return []


def _meant(name: str, domains: Collection[str], wanting: Collection[str]) -> str | None:
    """What a folder's name was meant to be, where that can be told: a site's domain, or any domain at all."""
    right = domain_names.corrected(name)
    close = right if right in domains else nearest(name, wanting, cutoff=0.85)
    if close:
        return f'did you mean "{close}"?'
    return f'as a domain it would be "{right}"' if right and right != name else None


class _Others:
    """What other inventories of the checkout, and the lists that they read, say of domains; nothing of it is run."""

    def __init__(self, inventory: Path) -> None:
        self._texts: list[str] = []
        self._patterns: list[re.Pattern[str]] = []
        paths = {path.resolve() for folder in (inventory.parent, Path("inventory")) for path in _listed(folder)}
        for path in sorted(path for path in paths if path.suffix in _TEXTS)[:_MAX_FILES]:
            try:
                text = path.read_text(encoding="utf-8") if path.stat().st_size <= _MAX_BYTES else ""
            except (OSError, UnicodeError):
                continue
            self._texts.append(text)
            if path.suffix == ".py" and path != inventory.resolve():
                self._patterns += _patterns(text)

    def know(self, domain: str) -> bool:
        """Whether one of them names it, in full or with a part that is filled in when it is read."""
        whole = re.compile(rf"(?<![\w.-]){re.escape(domain)}(?![\w-])")
        return any(whole.search(text) for text in self._texts) or any(one.fullmatch(domain) for one in self._patterns)


def _patterns(source: str) -> Iterator[re.Pattern[str]]:
    """For each f-string of a Python file, what it can become."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in node.values)
            yield re.compile("".join(parts))
