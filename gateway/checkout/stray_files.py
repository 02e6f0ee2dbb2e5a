"""Verification files, certificates and nginx directives that lie where no site of the inventory looks for them."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from gateway.checkout import own_directives
from gateway.checkout.verify_files import FAMILY_START
from gateway.inventory import domain_names
from gateway.problems import Problem, nearest

# Files beside an inventory that may name sites: other inventories, and what they read.
_TEXTS = (".py", ".csv", ".json", ".yaml", ".yml", ".toml", ".txt")
_MAX_BYTES, _MAX_FILES = 1 << 20, 200


def warnings(domains: Collection[str], inventory: Path, files: Path) -> list[Problem]:
    """One for each file and folder that nothing uses and that was meant for some site.

    `domains` are those of all sites in the file `inventory`. There is none for a folder of a site in another inventory
    of this checkout, and none for certificates that came before their site.
    """
    found = [*_loose(domains, files)]
    unknown = {
        kind: [path for path in _listed(files / kind) if path.name not in domains] for kind in ("verify", "certs")
    }
    unread = _unread(domains, files)
    others = _OtherInventories(inventory) if unread or any(unknown.values()) else None
    for kind, folders in unknown.items():
        wanting = [domain for domain in domains if not _listed(files / kind / domain)] if folders else []
        for folder in folders:
            if others is None or not folder.is_dir() or not _listed(folder) or others.mention(folder.name):
                continue
            meant = _meant(folder.name, domains, wanting)
            if meant or kind == "verify":
                found.append(Problem("", "", f"{folder}/", f"{_UNUSED}; {meant or _NOT_NEAR}", "warning"))
    for path, meant in unread.items():
        is_others = path.suffix == own_directives.ENDING and others and others.mention(path.stem)
        if not is_others:
            found.append(Problem("", "", str(path), f"{_UNREAD}; {meant or _NOT_NAMED}", "warning"))
    return found


_UNUSED = "no site of this inventory has that domain, so nothing uses what is in it"
_NOT_NEAR = "add the site, or delete the folder"
_UNREAD = "no site of this inventory has a file of that name, so its directives are in no server"
_NOT_NAMED = "it has to be <domain>.conf; add the site, or delete the file"


def _unread(domains: Collection[str], files: Path) -> dict[Path, str | None]:
    """The files in files/nginx/ that are no site's, with the name that each was meant to have, as a text."""
    names = {own_directives.path_of(domain, files).name for domain in domains}
    there = [path for path in _listed(files / own_directives.FOLDER) if path.suffix.lower() != ".md"]
    wanting = names - {path.name for path in there}
    found: dict[Path, str | None] = {}
    for path in there:
        if path.name not in names:
            domain = (name for name in wanting if path.name.lower().startswith(name.removesuffix(".conf")))
            close = next(domain, None) or nearest(path.name, wanting, cutoff=0.85)
            found[path] = f'did you mean "{close}"?' if close else None
    return found


def _loose(domains: Collection[str], files: Path) -> Iterator[Problem]:
    """A warning for each file in files/verify/ itself, and for each verification file in files/ or the folder above."""
    place = next(iter(domains)) if len(domains) == 1 else "<domain>"
    for folder in (files / "verify", files, files.parent):
        for path in _listed(folder):
            in_place = folder == files / "verify" and path.suffix.lower() != ".md"
            if (in_place or FAMILY_START.match(path.name)) and path.is_file():
                text = f"is served by no site here; it belongs into {files / 'verify' / place}/"
                yield Problem("", "", str(path), text, "warning")


def _listed(folder: Path) -> list[Path]:
    """What is in a folder, without hidden files. Empty where it cannot be read."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except (OSError, ValueError):  # none, no name that a file can have, or the check of its site tells it
        return []


def _meant(name: str, domains: Collection[str], wanting: Collection[str]) -> str | None:
    """What a folder's name was meant to be, as a text: a site's domain, or a domain at all. None where nobody can tell.

    `wanting` are domains without files.
    """
    right = domain_names.corrected(name)
    close = right if right in domains else nearest(name, wanting, cutoff=0.85)
    if close:
        return f'did you mean "{close}"?'
    return f'as a domain it would be "{right}"' if right and right != name else None


class _OtherInventories:
    """The texts of other inventories of the checkout, and of the lists beside them. No code in them is run."""

    def __init__(self, inventory: Path) -> None:
        self._texts: list[str] = []
        self._patterns: list[re.Pattern[str]] = []
        # Path.resolve() raises for links in a circle
        paths = {
            Path(os.path.realpath(path)) for folder in (inventory.parent, Path("inventory")) for path in _listed(folder)
        }
        for path in sorted(path for path in paths if path.suffix in _TEXTS)[:_MAX_FILES]:
            try:
                text = path.read_text(encoding="utf-8") if path.is_file() and path.stat().st_size <= _MAX_BYTES else ""
            except (OSError, UnicodeError):
                continue
            self._texts.append(text)
            if path.suffix == ".py" and path != inventory.resolve():
                self._patterns += _patterns(text)

    def mention(self, domain: str) -> bool:
        """Whether the domain is in one of them, as it is or as what an f-string can become."""
        whole = re.compile(rf"(?<![\w.-]){re.escape(domain)}(?![\w-])")
        return any(whole.search(text) for text in self._texts) or any(one.fullmatch(domain) for one in self._patterns)


def _patterns(source: str) -> Iterator[re.Pattern[str]]:
    """For each f-string of a Python file, a pattern of what it can become. None where the file cannot be parsed."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in node.values)
            yield re.compile("".join(parts))
