"""What MkDocs calls while it builds the guide; see `hooks` in mkdocs.yml."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError

from guide import pairs


def on_pre_build(config: MkDocsConfig) -> None:
    """Ends the build where a page stands in one language alone, or has other headings in the other."""
    if found := pairs.mistakes(Path(config.docs_dir)):
        raise PluginError("the two languages differ:\n" + "\n".join(f"  {text}" for text in found))
