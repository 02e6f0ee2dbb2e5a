"""Which language an operator reads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal

Language = Literal["en", "zh"]

# Set to en or zh, or to a locale such as zh_CN.UTF-8; goes before the locale.
VARIABLE = "GATEWAY_LANG"


def chosen(environ: Mapping[str, str] = os.environ) -> Language:
    """Chinese where GATEWAY_LANG, or else the locale of messages (LC_ALL, LC_MESSAGES, LANG) is Chinese."""
    values = (environ.get(name) for name in (VARIABLE, "LC_ALL", "LC_MESSAGES", "LANG"))
    first = next((value for value in values if value), "")
    return "zh" if first.lower().startswith("zh") else "en"
