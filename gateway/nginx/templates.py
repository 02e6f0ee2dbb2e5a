"""Templates of nginx configuration, filled in."""

from __future__ import annotations

import re

from gateway import rendering


def render(template: str, **values: object) -> str:
    """The text, with the blank lines that empty blocks of a template leave behind taken out."""
    text = rendering.render("nginx", template, values)
    text = re.sub(r"\n{3,}", "\n\n", text)
    return re.sub(r"\n\n( *\})", r"\n\1", text)
