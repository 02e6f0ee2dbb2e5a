"""Inventories and platforms as Python, laid out as people write them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.problems import printable

_WIDTH = 110


def written(value: Any, indent: int = 0) -> str:
    """Data as Python: on one line where it fits, else with a line for each part."""
    line = _line(value)
    if len(line) + indent <= _WIDTH or not isinstance(value, (Mapping, list, tuple)):
        return line
    inner = " " * (indent + 4)
    if isinstance(value, Mapping):
        rows = [f"{inner}{_line(key)}: {written(part, indent + 4)},\n" for key, part in value.items()]
        return "{\n" + "".join(rows) + " " * indent + "}"
    rows = [f"{inner}{written(part, indent + 4)},\n" for part in value]
    return "[\n" + "".join(rows) + " " * indent + "]"


def _line(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_line(key)}: {_line(part)}" for key, part in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_line, value)) + "]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def inventory(host: str, data: Mapping[str, Any], sites: Sequence[tuple[Mapping[str, Any], Sequence[str]]]) -> str:
    """An inventory file with one host: its own keys, and its sites, each with the places that it comes from."""
    rows = []
    for entry, places in sites:
        rows += [f"                # {printable(place)}\n" for place in places]
        rows.append(f"                {written(entry, 16)},\n")
    own = "".join(f"            {_line(key)}: {written(value, 12)},\n" for key, value in data.items())
    return (
        '"""Adopted from a hand-written nginx. `python -m gateway check inventory/prod.py` says what is missing."""\n\n'
        "from gateway.entries import Hosts\n\n"
        "adopted: Hosts = [\n    (\n"
        f"        {_line(host)},\n        {{\n{own}"
        f'            "sites": [\n{"".join(rows)}            ],\n        }},\n    ),\n]\n'
    )


def platforms(own: Mapping[str, Mapping[str, Any]]) -> str:
    """Lines for the end of group_data/all.py that add platforms to the shipped ones."""
    return f"# Of the hand-written nginx.\nplatforms |= {written(own)}\n"
