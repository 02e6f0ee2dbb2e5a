"""The list of wrong changes, changes/*.toml, held against the product as it is now. An entry of it:

    [[mutant]]
    name = "what would happen to people, in plain words"
    old = "a piece of the product's text that stands in it exactly once, in whichever file"
    new = "what it becomes"
    tests = ["tests/unit/test_x.py::test_that_has_to_notice"]

The kept trees (test_golden.py) are no test for it: they notice any change to what is rendered, and say no rule.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[2]
_LISTS = Path(__file__).parent / "changes"

# Where the product is: a change is found by its text, so that code may move from file to file.
_PRODUCT = ("gateway", "templates", "config.py", "deploy.py", "rollback.py")


class CatalogueError(Exception):
    """An entry of the list that does not fit the product; the text names all of them."""


@dataclass(frozen=True)
class Mutant:
    """`name` says what would happen to people. `old` stands once in the product, in `path`, and becomes `new`, which
    one of `tests` has to notice: files or tests as pytest takes them."""

    name: str
    path: Path
    old: str
    new: str
    tests: tuple[str, ...]


def read() -> list[Mutant]:
    """Every entry of the list. Raises CatalogueError like `checked`."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(_LISTS.glob("*.toml")))
    return checked([entry for text in texts for entry in tomllib.loads(text)["mutant"]])


def checked(entries: Iterable[Mapping[str, Any]]) -> list[Mutant]:
    """The entries, as a list has them. Raises CatalogueError where an `old` does not stand in the product exactly
    once, where two have the same name, where nothing changes, and where no test is named that could tell."""
    product = {path.relative_to(CHECKOUT): _text(path) for path in _files()}
    mutants: list[Mutant] = []
    faults: list[str] = []
    names: set[str] = set()
    for entry in entries:
        name, old, new, tests = entry["name"], entry["old"], entry["new"], tuple(entry["tests"])
        places = [path for path, text in product.items() for _ in range(text.count(old))]
        if len(places) != 1:
            faults.append(f'"{name}": its `old` stands {len(places)} times in the product, not once:\n    {old}')
        if name in names:
            faults.append(f'"{name}": two entries have this name')
        if old == new:
            faults.append(f'"{name}": changes nothing')
        names.add(name)
        missing = [test for test in tests if not (CHECKOUT / test.partition("::")[0]).is_file()]
        if missing or not tests:
            faults.append(f'"{name}": no such tests: {" ".join(missing) or "none is named"}')
        # What the kept trees notice is no rule that somebody wrote down.
        if any("test_golden" in test for test in tests):
            faults.append(f'"{name}": the kept trees notice any change; name a test that says what the rule is')
        if len(places) == 1:
            mutants.append(Mutant(name, places[0], old, new, tests))
    if faults:
        raise CatalogueError("\n".join(faults))
    return mutants


def _files() -> list[Path]:
    found: list[Path] = []
    for name in _PRODUCT:
        path = CHECKOUT / name
        found += [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
    return [path for path in found if path.suffix != ".pyc"]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="surrogateescape")
