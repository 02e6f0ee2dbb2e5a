"""The texts in the product's programs and scripts that an operator may read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

# What stands in a text for a value.
VALUE = "\0"


def python_texts(source: str) -> Iterator[str]:
    """The string literals of a program with a mark for each value, but for docstrings and regular expressions."""
    tree = ast.parse(source)
    lines = source.encode().splitlines()
    passed_over = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            passed_over.add(node.value)
        if isinstance(node, ast.JoinedStr):
            passed_over.update(node.values)
    for node in ast.walk(tree):
        if node in passed_over or not isinstance(node, ast.expr):
            continue
        if lines[node.lineno - 1][node.col_offset :].startswith((b'r"', b"r'")):
            continue
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else VALUE for one in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.sub(r"\{\w*\}", VALUE, node.value)


def script_texts(source: str) -> Iterator[str]:
    """The same of a script of bash: what stands in double quotes, and what a program of Python in it says."""
    for program in re.findall(r"<<'PYTHON'\n(.*?)\nPYTHON\n", source, re.DOTALL):
        yield from python_texts(program)
    rest = re.sub(r"<<'(\w+)'\n.*?\n\1\n", "\n", source, flags=re.DOTALL)
    place = 0
    while place < len(rest):
        if rest[place] == "'":
            place = rest.index("'", place + 1) + 1
        elif rest[place] == "#" and rest[place - 1].isspace():
            place = rest.index("\n", place)
        elif rest[place] == '"':
            text, place = _quoted(rest, place + 1)
            yield text
        else:
            place += 2 if rest[place] == "\\" else 1


def _quoted(source: str, place: int) -> tuple[str, int]:
    """What a double quote opened, and where it ends. What is quoted within $(...) belongs to the value."""
    text = ""
    while source[place] != '"':
        if source[place] == "\\":
            text += source[place + 1].replace("\n", "")
            place += 2
        elif source[place] == "$":
            text += VALUE
            place = _expansion_end(source, place + 1)
        else:
            text += source[place]
            place += 1
    return text, place + 1


def _expansion_end(source: str, place: int) -> int:
    if source[place] not in "({":
        found = re.compile(r"\w+|.").match(source, place)
        return found.end() if found else place
    depth = 0
    while True:
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(source[place], 0)
        place += 1
        if not depth:
            return place


def texts(path: Path) -> list[str]:
    """What the file says, messages and everything else."""
    read = python_texts if path.suffix == ".py" else script_texts
    return list(read(path.read_text(encoding="utf-8")))


def is_message(text: str) -> bool:
    """Whether an operator may read it: three words at least."""
    return " " in text and len(re.findall(r"[^\W\d_]{2,}", text)) > 2
