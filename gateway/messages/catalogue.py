"""The catalogues of gateway/messages/locale/, read."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

FOLDER = Path(__file__).parent / "locale/zh_CN/LC_MESSAGES"

# What click says itself, which has values by name: it looks them up by itself.
CLICK = "click"


@cache
def chinese() -> dict[str, str]:
    """The Chinese of every message; of one that counts, for one thing and for several."""
    found: dict[str, str] = {}
    for path in sorted(FOLDER.glob("*.po")):
        if path.stem != CLICK:
            found |= read(path.stem)
    return found


@cache
def read(name: str) -> dict[str, str]:
    """One catalogue's messages that have a translation."""
    found: dict[str, str] = {}
    with (FOLDER / f"{name}.po").open("rb") as file:
        for one in read_po(file, locale="zh_CN"):
            ids = [one.id] if isinstance(one.id, str) else list(one.id)
            text = one.string if isinstance(one.string, str) else next(iter(one.string or ()), "")
            if text and ids != [""]:
                found.update(dict.fromkeys(ids, text))
    return found
