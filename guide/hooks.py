"""What MkDocs calls while it builds the guide; see `hooks` in mkdocs.yml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rjieba
from material.plugins.search import plugin as search
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority
from mkdocs.structure.pages import Page

from guide import pairs, search_index

# Words of this guide that a general dictionary takes apart.
_WORDS = ("企业微信", "负载均衡", "可信域名", "可信IP", "校验文件", "交接表", "校园卡", "完美校园", "公测", "跳板机")


_FREQUENT = 100_000


class _Segmenter:
    """What Material's search asks of the package jieba, of which there is no wheel: done by rjieba, its port."""

    @staticmethod
    def cut(text: bytes) -> list[str]:
        return rjieba.cut(text.decode())


def on_startup(**_: Any) -> None:
    """Chinese is written without spaces: the search index needs its words cut apart."""
    if not hasattr(search, "jieba"):
        raise PluginError("Material's search plugin cuts Chinese in another way now; see guide/hooks.py")
    for word in _WORDS:
        rjieba.add_word(word, _FREQUENT, "n")
    search.jieba = _Segmenter


def on_pre_build(config: MkDocsConfig) -> None:
    """Ends the build where a page stands in one language alone, or has other headings in the other."""
    if found := pairs.mistakes(Path(config.docs_dir)):
        raise PluginError("the two languages differ:\n" + "\n".join(f"  {text}" for text in found))


def on_post_page(output: str, page: Page, **_: Any) -> str:
    """The page as it is written: a Chinese one searches the Chinese index."""
    return search_index.rooted(output) if page.url.startswith("zh/") else output


@event_priority(-200)  # after the plugin for two languages, which writes one index for both
def on_post_build(config: MkDocsConfig) -> None:
    """Parts the search index by language."""
    search_index.split(Path(config.site_dir))
