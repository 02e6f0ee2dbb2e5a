"""Templates of nginx configuration, filled in."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway import product


@cache
def _environment(folders: tuple[Path, ...]) -> Environment:
    # nginx configuration, not HTML: values are safe by their types in gateway.inventory.model.
    return Environment(  # noqa: S701
        loader=FileSystemLoader(folders),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(template: str, **values: object) -> str:
    """The text, with the blank lines that empty blocks of a template leave behind taken out."""
    text = _environment(product.template_folders("nginx")).get_template(template).render(**values)
    text = re.sub(r"\n{3,}", "\n\n", text)
    return re.sub(r"\n\n( *\})", r"\n\1", text)
