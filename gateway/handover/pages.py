"""Sheets as Markdown and HTML files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from markupsafe import Markup, escape

from gateway import rendering, whole_file
from gateway.handover import steps
from gateway.handover.sheet import BLANK_END, BLANK_START, Sheet

# Stands in every file that this module writes. A file with the index's name and without the mark is somebody else's.
MARK = "<!-- wecom-gateway handover sheet -->"
INDEX = "index.html"

_BLANK = re.compile(re.escape(BLANK_START) + "[^】]*" + re.escape(BLANK_END))


def render(sheet: Sheet) -> dict[str, str]:
    """The sheet's files by name."""
    values = _values(sheet)
    return {
        f"{sheet.domain}.md": re.sub(r"\n{3,}", "\n\n", _render("sheet.md.j2", **values)),
        f"{sheet.domain}.html": _render("sheet.html.j2", **values),
    }


def body(sheet: Sheet) -> Markup:
    """The sheet as HTML without its heading, for a page that has more than that."""
    return Markup(_render("sheet-body.html.j2", **_values(sheet)))  # noqa: S704


def _values(sheet: Sheet) -> dict[str, object]:
    return {"sheet": sheet, "glance": steps.glance(sheet), "sections": steps.sections(sheet)}


def write(folder: Path, files: dict[str, str]) -> list[Path]:
    """Writes the texts, by name, as files in `folder`, which is made where there is none. Returns their paths.

    Each file is written as a whole or not at all. Raises OSError where one cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [whole_file.write(folder / name, text) for name, text in files.items()]


def write_index(folder: Path, sheets: Iterable[Sheet]) -> bool:
    """Writes a page with a link to each sheet and the number of its blanks into `folder`.

    False where somebody else's page has its name and stays.
    Raises OSError where it cannot be written.
    """
    path = folder / INDEX
    if path.exists() and MARK not in path.read_text(encoding="utf-8", errors="replace"):
        return False
    write(folder, {INDEX: _render("index.html.j2", sheets=[(sheet, _shown_blanks(sheet)) for sheet in sheets])})
    return True


def _shown_blanks(sheet: Sheet) -> int:
    """How many blanks somebody who reads the sheet sees. A value that stands in two places is two."""
    return _render("sheet.md.j2", **_values(sheet)).count(BLANK_START)


def _code(value: str) -> str:
    """Markdown that shows the value as it is, and on one line."""
    line = " ".join(value.split())
    return f"`` {line} ``" if "`" in line else f"`{line}`"


def _prose(text: str) -> str:
    """Markdown text in which a placeholder is not taken for a tag."""
    return re.sub(r"<[A-Z_]+>", lambda match: _code(match.group()), text)


def _marked(text: str) -> Markup:
    """HTML with blanks highlighted; everything else is escaped."""
    return Markup(_BLANK.sub(lambda match: f"<mark>{match.group()}</mark>", str(escape(text))))  # noqa: S704


_FILTERS = {"code": _code, "prose": _prose, "marked": _marked}


def _render(template: str, **values: object) -> str:
    return rendering.render("handover", template, values, _FILTERS).lstrip()
