"""A search index for each language: whoever reads Chinese finds Chinese pages.

The plugin for two languages builds one index for both. Material looks for it below the site's root, which each page
names in its configuration; for a Chinese page that is the folder zh/ from here on.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

_INDEX = Path("search/search_index.json")
_BASE = re.compile(r'(<script id="__config"[^>]*>\{.*?"base": ?)"(\.\./)?\.\."')


def split(site: Path) -> None:
    """Gives zh/ an index of its own and takes the Chinese pages out of the other."""
    index = json.loads((site / _INDEX).read_text(encoding="utf-8"))
    chinese = [one for one in index["docs"] if one["location"].startswith("zh/")]
    english = [one for one in index["docs"] if not one["location"].startswith("zh/")]
    _write(site, {**index, "docs": english})
    _write(site / "zh", {**index, "docs": [{**one, "location": one["location"][3:]} for one in chinese]})


def _write(root: Path, index: dict[str, Any]) -> None:
    target = root / _INDEX
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(index, separators=(",", ":")), encoding="utf-8")


def rooted(page: str) -> str:
    """A Chinese page whose root is zh/. Raises ValueError where the page does not say what its root is."""
    found, number = _BASE.subn(lambda match: f'{match[1]}"{".." if match[2] else "."}"', page)
    if number != 1:
        raise ValueError("Material's pages name their root in another way now; see guide/search_index.py")
    return found
