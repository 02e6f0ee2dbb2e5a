"""Renders the templates of nginx configuration."""

from __future__ import annotations

import re

from gateway import rendering


def render(template: str, **values: object) -> str:
    """The template with these values, without the blank lines that empty blocks leave behind."""
    text = rendering.render("nginx", template, values)
    text = re.sub(r"\n{3,}", "\n\n", text)
    return re.sub(r"\n\n( *\})", r"\n\1", text)
