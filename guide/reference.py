"""`python -m guide.reference`: writes the reference pages, docs/reference/keys.md and commands.md, both languages."""

from __future__ import annotations

import sys
from pathlib import Path

from guide import commands, keys
from guide.texts import Texts

_FOLDER = Path("docs/reference")


def pages() -> dict[Path, str]:
    """The pages by their path. Raises ValueError where a text stands in one language alone, or nowhere is used."""
    found = {}
    for language, ending in (("en", ".md"), ("zh", ".zh.md")):
        texts = Texts(language)
        found[_FOLDER / f"keys{ending}"] = keys.page(texts)
        found[_FOLDER / f"commands{ending}"] = commands.page(texts)
        if texts.missing:
            raise ValueError("guide/texts.toml: no Chinese for:\n" + "\n".join(dict.fromkeys(texts.missing)))
        if language == "zh" and (unused := texts.unused()):
            raise ValueError("guide/texts.toml: no page has any longer:\n" + "\n".join(unused))
    return found


def main() -> None:
    """Writes the pages; none of them, and exits with 1 and a sentence, where a text is missing or left over."""
    try:
        found = pages()
    except ValueError as error:
        sys.exit(str(error))
    for path, text in found.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
