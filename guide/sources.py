"""What the reference pages are made from. Other modules of guide/ import of the product its messages alone."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

from click import Group
from pyinfra.connectors.ssh import connector_data_meta
from pyinfra_cli.cli import cli as pyinfra_command

from gateway import entries
from gateway.cli.help import paragraphs as help_paragraphs
from gateway.cli.help import texts as help_texts
from gateway.cli.main import main as gateway_command
from gateway.deploys import losses
from gateway.inventory.model import Egress, Metrics, Platform, SiteEntry, models_in

__all__ = [
    "Egress",
    "HostKey",
    "Metrics",
    "Platform",
    "SiteEntry",
    "commands",
    "data_options",
    "help_paragraphs",
    "help_texts",
    "host_keys",
    "make_targets",
    "models_in",
    "pyinfra_options",
]

_PYINFRA = "pyinfra: "


class HostKey(NamedTuple):
    """A key of a host's own dict. `pyinfras`: it is read by pyinfra, and `default` is pyinfra's."""

    name: str
    annotation: Any
    required: bool
    meaning: str
    pyinfras: bool
    default: Any


def host_keys() -> list[HostKey]:
    """The keys that the types for editors know of a host, in their order."""
    body = ast.parse(inspect.getsource(entries.HostEntry)).body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101 - it is the source of a class
    types = get_type_hints(entries.HostEntry)
    found = []
    for key, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(key, ast.AnnAssign) and isinstance(text, ast.Expr):
            name, meaning = ast.unparse(key.target), str(ast.literal_eval(text.value)).strip()
            required = name in entries.HostEntry.__required_keys__
            own = meaning.removeprefix(_PYINFRA)
            default = connector_data_meta[name].default if name in connector_data_meta else None
            found.append(HostKey(name, types[name], required, own, own != meaning, default))
    return found


def commands() -> Group:
    """`python -m gateway`."""
    return gateway_command


def pyinfra_options() -> set[str]:
    """Every option that pyinfra's own command takes."""
    return {name for option in pyinfra_command.params for name in option.opts}


def data_options() -> tuple[str, ...]:
    """What may be given to a deploy with `--data`."""
    return ("allow_expired", *losses.OPTIONS)


def make_targets() -> list[str]:
    """What the Makefile makes that is no file, in its order."""
    return [
        name
        for line in re.findall(r"^\.PHONY: (.*)$", Path("Makefile").read_text(encoding="utf-8"), re.M)
        for name in line.split()
    ]
