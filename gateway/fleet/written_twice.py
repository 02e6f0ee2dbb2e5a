"""Keys and variables that an inventory or group data gives twice: Python keeps the last without a word."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from gateway.problems import Problem, shown

# With one of these a school's whole entry is lost, with another key one of its values.
_WHOLE_ENTRIES = ("sites", "domain")


def problems(paths: Iterable[Path]) -> list[Problem]:
    """One for each key that a dict gives two values, and each variable that a file gives twice, in these Python files.

    An error where a school's entry is lost, else a warning. Files that cannot be parsed are passed over.
    """
    found = []
    for path in paths:
        try:
            tree = ast.parse(path.read_bytes())
        except (OSError, SyntaxError, ValueError):  # told by whoever runs the file
            continue
        for line, key, text in _keys(tree):
            severity: Literal["error", "warning"] = "error" if key in _WHOLE_ENTRIES else "warning"
            found.append(Problem("", "", f"{path}:{line}", text, severity))
        found += [Problem("", "", f"{path}:{line}", text, "warning") for line, text in _names(tree)]
    return found


def _keys(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Keys with two values in one dict: line, key and text of each."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Dict):
            continue
        first: dict[str, ast.expr] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:  # **another: what is written after it is meant to win
                first.clear()
            elif isinstance(key, ast.Constant) and isinstance(key.value, str):
                before = first.get(key.value)
                if before is not None and ast.dump(before) != ast.dump(value):
                    yield (
                        key.lineno,
                        key.value,
                        f'"{shown(key.value)}" stands twice in one dict (line {before.lineno} too), and the first is '
                        'lost; keep one, or begin a new dict with "}, {" where two entries are meant',
                    )
                first[key.value] = value


def _names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Variables that are given twice and never read, as groups and platforms are: line and text of each."""
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    first: dict[str, int] = {}
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        for target in targets:
            if not isinstance(target, ast.Name) or target.id.startswith("_") or target.id in read:
                continue
            if not _holds_something(node.value):  # type: ignore[attr-defined]
                continue
            if target.id in first:
                yield (
                    node.lineno,
                    f"{target.id} is given twice (line {first[target.id]} too), and the first is lost; "
                    "put both into one",
                )
            first[target.id] = node.lineno


def _holds_something(value: ast.expr | None) -> bool:
    return (isinstance(value, ast.List | ast.Tuple) and bool(value.elts)) or (
        isinstance(value, ast.Dict) and bool(value.keys)
    )
