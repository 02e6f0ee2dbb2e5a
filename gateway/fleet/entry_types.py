"""Writes gateway/entries.py, the models of an entry as types for an editor (`make entries`)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pyinfra.connectors import ssh

from gateway.inventory.model import Egress, Metrics, SiteEntry, models_in

TARGET = Path(__file__).parents[1] / "entries.py"

_HEAD = '''"""Types of an inventory's entries, for editors alone: they complete a site's keys and mark a wrong one.

Use them in an inventory like this; the entries stay plain lists, tuples and dicts:

    from gateway.entries import Hosts

    wanxiao_prod: Hosts = [("203.0.113.10", {"sites": [{"domain": "wx.school-a.edu.cn", "edge": "slb"}]})]

Made from gateway/inventory/model.py by `make entries`; do not edit. `python -m gateway check` knows more than any type.
"""

from typing import Any, Literal, Required, TypedDict
'''

_TAIL = '''

Hosts = list[tuple[str, HostEntry]]
"""A group of hosts: the name or address of each, and its data."""
'''

# What an inventory says to pyinfra itself. The SSH settings come from pyinfra, these are of use beside them.
_PYINFRA = {
    "_sudo": ("bool", "Needed unless ssh_user is root."),
    "_sudo_password": ("str", "Where sudo asks for one: read it from the environment."),
    "_sudo_user": ("str", "Another user than root to become with sudo."),
    "_temp_dir": ("str", "A folder of the host where programs may run, where /tmp is mounted noexec."),
}


# Models that may be written as a word as well.
_WORDS = {"Cert": 'Literal["files"]'}


def source() -> str:
    """What gateway/entries.py must hold."""
    models = [*_in_order(SiteEntry), *_in_order(Egress), *_in_order(Metrics)]
    classes = [text for model in models for text in _typed_dict(model)]
    return _HEAD + "".join(classes) + "".join(_host()) + _TAIL


def _in_order(model: type[BaseModel]) -> list[type[BaseModel]]:
    """The models that `model` is made of, each after its own parts; `model` is the last."""
    inner = [
        one for info in model.model_fields.values() for part in models_in(info.annotation) for one in _in_order(part)
    ]
    return list(dict.fromkeys([*inner, model]))


def _typed_dict(model: type[BaseModel]) -> Iterator[str]:
    yield from _class(model.__name__, (model.__doc__ or "").strip())
    for name, info in model.model_fields.items():
        yield _key(name, _type(info.annotation), info)


def _host() -> Iterator[str]:
    yield from _class("HostEntry", "One host: its sites, and how pyinfra reaches it.")
    yield _lines("sites", "Required[list[SiteEntry]]", "Every site that this host serves.")
    yield _lines("egress", "Egress", "TLS pass-through to the WeCom API for servers without internet access.")
    yield _lines("metrics", "Metrics", "What Prometheus reads of the host: `GET /metrics` on an inner address.")
    yield _lines(
        "proxy_protocol",
        "list[str]",
        'Networks of a layer 4 load balancer that sends the PROXY protocol, edge "tls" only: ["10.0.0.0/24"].',
    )
    yield _lines(
        "firewall", "bool", "Whether a deploy opens the sites' ports in firewalld, where it runs. Default: False."
    )
    yield _lines(
        "replaces",
        "list[str]",
        "Files of the host's own nginx configuration that a deploy puts aside, since the sites take their place.",
    )
    yield _lines("platform", "str", "The platform of those sites that name none. Default: the group's.")
    for name, annotation in get_type_hints(ssh.ConnectorData).items():
        meaning = ssh.connector_data_meta[name].description.replace("`", "")
        kind = "dict[str, Any]" if annotation is dict else annotation.__name__
        yield _lines(name, kind, f"pyinfra: {meaning.rstrip('.')}.")
    for name, (kind, meaning) in _PYINFRA.items():
        yield _lines(name, kind, f"pyinfra: {meaning}")


def _class(name: str, meaning: str) -> Iterator[str]:
    yield f'\n\nclass {name}(TypedDict, total=False):\n    """{meaning}"""\n'


def _key(name: str, kind: str, info: FieldInfo) -> str:
    if not info.description:
        raise ValueError(f"{name}: say in gateway/inventory/model.py what the key means")
    return _lines(name, f"Required[{kind}]" if info.is_required() else kind, info.description)


def _lines(name: str, kind: str, meaning: str) -> str:
    return f'\n    {name}: {kind}\n    """{" " if meaning.startswith(chr(34)) else ""}{meaning}"""\n'


def _type(annotation: Any) -> str:
    """An annotation as an operator writes the value: a list for a tuple, text for a network."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(parts[0])
    if origin is tuple:
        return f"list[{_type(parts[0])}]"
    if origin is Literal:
        return "Literal[" + ", ".join(f'"{part}"' for part in parts) + "]"
    if origin in (Union, UnionType):
        return " | ".join(dict.fromkeys(_type(part) for part in parts if part is not NoneType))
    if annotation in (ipaddress.IPv4Network, ipaddress.IPv6Network):
        return "str"
    name = str(annotation.__name__)
    return f"{_WORDS[name]} | {name}" if name in _WORDS else name


if __name__ == "__main__":
    TARGET.write_text(source(), encoding="utf-8")
