"""Renders the templates of nginx configuration."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway import product


@cache
def _environment(folders: tuple[Path, ...]) -> Environment:
    # Nothing is escaped, as this is no HTML: the types in gateway.inventory.model let only safe values through.
    return Environment(  # noqa: S701
        loader=FileSystemLoader(folders),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(template: str, **values: object) -> str:
    """The template with these values, without the blank lines that empty blocks leave behind."""
    text = _environment(product.template_folders("nginx")).get_template(template).render(**values)
    text = re.sub(r"\n{3,}", "\n\n", text)
    return re.sub(r"\n\n( *\})", r"\n\1", text)
