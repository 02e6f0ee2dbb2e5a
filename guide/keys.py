"""docs/reference/keys.md: every key that an operator may write, out of the models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from guide import sources
from guide.markdown import code, heading, prose, table
from guide.texts import Texts

# The last sentence of a description, where it tells the default: "Default: the platform's.", "Default 0: off."
_DEFAULT = re.compile(r" ?Default(?P<value> [^:]+)?(?:: (?P<words>.*))?\.$")
_WORDS: dict[Any, str] = {str: "text", int: "whole number", float: "number", bool: "`True` or `False`", dict: "dict"}

_EXAMPLE = """\
wanxiao_prod = [  # {group}
    (
        "203.0.113.10",  # {host}
        {{
            "ssh_user": "ops",  # {host_key}
            "sites": [
                {{
                    "domain": "wx.school-a.edu.cn",  # {site_key}
                    "edge": "slb",
                }},
            ],
        }},
    ),
]"""


class _Section(NamedTuple):
    """A model, and the key below which it stands: also its anchor."""

    key: str
    model: type[BaseModel]


def page(texts: Texts) -> str:
    """The page in the language of `texts`."""
    return "\n\n".join(_parts(texts)) + "\n"


def _parts(texts: Texts) -> Iterator[str]:
    yield heading(1, texts("Every key of the inventory"))
    yield texts("What stands in `inventory/` and `group_data/`, key by key. A dict in a dict has a section of its own.")
    example = {
        "group": texts("a group: all its hosts"),
        "host": texts("a host: its name or address"),
        "host_key": texts("a key of the host"),
        "site_key": texts("a key of the site"),
    }
    yield code(_EXAMPLE.format(**example), "python")
    yield texts(
        "`python -m gateway check` names every key that is wrong or unknown, and what would be right. "
        "A site's key beside `sites` or in `group_data/` would be read by nobody and is an error."
    )
    yield from _host(texts)
    for level, section in (
        (2, _Section("site", sources.SiteEntry)),
        (2, _Section("egress", sources.Egress)),
        (2, _Section("metrics", sources.Metrics)),
        (2, _Section("platform", sources.Platform)),
    ):
        yield from _section(section, level, texts)


def _host(texts: Texts) -> Iterator[str]:
    keys = sources.host_keys()
    yield heading(2, texts("A host"), "host")
    yield _table(_host_rows((key for key in keys if not key.pyinfras), texts), texts)
    yield heading(3, texts("SSH settings"), "ssh")
    yield texts(
        "Read by pyinfra: for one host in the inventory, for a group in `group_data/<group>.py`, for all in "
        "`group_data/all.py`. What they are good for: [hosts](../hosts.md)."
    )
    yield _table(_host_rows((key for key in keys if key.pyinfras), texts), texts)


def _host_rows(keys: Iterable[sources.HostKey], texts: Texts) -> Iterator[tuple[str, str, str, str]]:
    for key in keys:
        known = texts.of_key(f"HostEntry.{key.name}")
        meaning, default = _split(key.meaning)
        default = texts("required" if key.required else known.get("default", default) or "none")
        if key.default is not None and "default" not in known:
            default = _value(key.default)
        kind = texts(known["type"]) if "type" in known else _type(key.annotation, texts, key.name)
        yield key.name, kind, default, _meaning(meaning, known, texts)


def _section(section: _Section, level: int, texts: Texts) -> Iterator[str]:
    known = texts.of_key(section.model.__name__)
    title = texts(known["title"]) if "title" in known else f"`{section.key}`"
    yield heading(level, title, section.key)
    yield prose(texts(" ".join((section.model.__doc__ or "").partition("\n\n")[0].split())))
    rows = [_row(section.model, name, info, texts) for name, info in section.model.model_fields.items()]
    yield _table(rows, texts)
    for name, info in section.model.model_fields.items():
        for model in sources.models_in(info.annotation):
            yield from _section(_Section(name, model), min(level + 1, 4), texts)


def _row(model: type[BaseModel], name: str, info: FieldInfo, texts: Texts) -> tuple[str, str, str, str]:
    known = texts.of_key(f"{model.__name__}.{name}")
    if info.description and "meaning" in known:
        raise ValueError(
            f"{model.__name__}.{name}: the model says what it means; take `meaning` out of guide/texts.toml"
        )
    meaning, words = _split((info.description or known.get("meaning", "")).strip())
    if not meaning:
        raise ValueError(f"{model.__name__}.{name}: say in the model what the key means")
    kind = texts(known["type"]) if "type" in known else _type(info.annotation, texts, name, info.metadata)
    return name, kind, _default(info, known.get("default", words), texts), _meaning(meaning, known, texts)


def _split(description: str) -> tuple[str, str]:
    """A description without its last sentence where that tells the default, and what it tells of it in words."""
    match = _DEFAULT.search(description)
    return (description[: match.start()], match["words"] or "") if match else (description, "")


def _meaning(meaning: str, known: dict[str, str], texts: Texts) -> str:
    more = known.get("more", "")
    return texts(" ").join(prose(texts(part)) for part in (meaning, more) if part)


def _default(info: FieldInfo, words: str, texts: Texts) -> str:
    if info.is_required():
        return texts("required")
    plain = info.default.model_dump(exclude_defaults=True) if isinstance(info.default, BaseModel) else info.default
    if plain is None or (isinstance(plain, str) and words):
        return texts(words or "none")
    return f"{_value(plain)}{texts(': ')}{texts(words)}" if words else _value(plain)


def _value(value: Any) -> str:
    """A default as an inventory would have it."""
    return f"`{value}`" if isinstance(value, bool) else f"`{json.dumps(value, ensure_ascii=False)}`"


def _table(rows: Iterable[tuple[str, str, str, str]], texts: Texts) -> str:
    head = (texts("key"), texts("type"), texts("default"), texts("meaning"))
    return table(head, [(f"`{name}`", *rest) for name, *rest in rows])


def _type(annotation: Any, texts: Texts, key: str = "", metadata: Iterable[Any] = ()) -> str:
    """An annotation in an operator's words, as the value is written in an inventory."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(parts[0], texts, key, parts[1:])
    if origin is Literal:
        return texts(" or ").join(f'`"{part}"`' for part in parts)
    if origin in (Union, UnionType):
        kinds = [_type(part, texts, key) for part in parts if part is not NoneType]
        return texts(" or ").join(dict.fromkeys(kinds))
    if origin in (tuple, list):
        return texts("list of {}").format(_type(parts[0], texts, key))
    if origin is dict:
        return texts("dict")
    name = str(annotation.__name__)
    if name in ("IPv4Network", "IPv6Network"):
        return texts("network")
    if isinstance(annotation, type) and (issubclass(annotation, BaseModel) or hasattr(annotation, "__total__")):
        return texts("dict: [{0}](#{0})").format(key)
    return texts(_WORDS[annotation]) + _range(metadata, texts)


def _range(metadata: Iterable[Any], texts: Texts) -> str:
    """The smallest and the largest number that a key takes, where there are such."""
    flat = [one for item in metadata for one in (item.metadata if isinstance(item, FieldInfo) else [item])]
    least = next((one.ge for one in flat if hasattr(one, "ge")), None)
    most = next((one.le for one in flat if hasattr(one, "le")), None)
    return texts(", {} to {}").format(least, most) if least is not None and most is not None else ""
