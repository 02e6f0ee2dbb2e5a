"""The guide: every page in both languages, and the reference pages are what the code says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from guide import commands, pairs, reference, search_index, texts

from .conftest import REPO

ENGLISH = """# Stop { #stop }

```
# not a heading
```

## What happens
"""


@pytest.fixture
def docs(tmp_path):
    def write(**pages: str) -> list[str]:
        for name, text in pages.items():
            (tmp_path / f"{name.replace('_', '.')}.md").write_text(text)
        return pairs.mistakes(tmp_path)

    return write


def test_a_page_in_both_languages_with_the_same_headings_is_right(docs):
    assert docs(stop=ENGLISH, stop_zh="# 停止 { #stop }\n\n## 会发生什么\n") == []


@pytest.mark.parametrize(("name", "missing"), [("stop", "stop.zh.md"), ("stop_zh", "stop.md")])
def test_a_page_in_one_language_alone_is_told(docs, name, missing):
    assert docs(**{name: ENGLISH}) == [f"{name.replace('_', '.')}.md: there is no {missing}"]


@pytest.mark.parametrize(
    ("chinese", "told"),
    [
        ("# 停止 { #stop }\n", 'only one language has the heading "What happens"'),
        ("# 停止 { #stop }\n\n### 会发生什么\n", '"What happens" is ## without an anchor, in Chinese "会发生什么" is'),
        ("# 停止\n\n## 会发生什么\n", '"Stop" is # with the anchor #stop, in Chinese "停止" is # without an anchor'),
    ],
)
def test_other_headings_in_the_other_language_are_told(docs, chinese, told):
    (text,) = docs(stop=ENGLISH, stop_zh=chinese)
    assert told in text


@pytest.fixture
def reference_with(tmp_path, monkeypatch):
    """The reference pages, where a line of guide/texts.toml is another."""

    def made(old: str = "", new: str = "") -> dict[Path, str]:
        file = tmp_path / "texts.toml"
        text = (REPO / "guide" / "texts.toml").read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))
        monkeypatch.setattr(texts, "_FILE", file)
        monkeypatch.chdir(REPO)
        return reference.pages()

    return made


def test_the_reference_pages_are_what_the_code_says(reference_with):
    for path, text in reference_with().items():
        assert (REPO / path).read_text() == text, "run `make reference`"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"AgentId of the app: 1000002." =', '"Id." =', "no Chinese for:\nAgentId of the app"),
        ('"Repeatable." =', '"Again." =', "no Chinese for:\nRepeatable."),
        ('clean = "Removes', 'wash = "Removes', "clean, wash: no meaning, or no such target"),
        ('"allow_expired=1" =', '"allow=1" =', "allow=1, allow_expired=1: no meaning, or no such value"),
        ('"--dry" =', '"--wet" =', "pyinfra has no --wet"),
        ('"PlatformRoute.path"', '"PlatformRoute.way"', "PlatformRoute.path: say in the model what the key means"),
    ],
)
def test_a_key_or_an_option_without_words_in_both_languages_is_told(reference_with, old, new, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        reference_with(old, new)


def test_a_missing_text_ends_make_reference_with_a_sentence_and_no_page_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(reference, "_FOLDER", tmp_path / "reference")

    def faulty() -> dict[Path, str]:
        raise ValueError("guide/texts.toml: no Chinese for:\nA folder.")

    monkeypatch.setattr(reference, "pages", faulty)
    with pytest.raises(SystemExit) as ended:
        reference.main()
    assert ended.value.code == "guide/texts.toml: no Chinese for:\nA folder."
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_the_program_itself_takes_is_listed_before_its_commands(language, monkeypatch):
    monkeypatch.chdir(REPO)
    before, _ = commands.page(texts.Texts(language)).split("### `check`")
    assert "| `--version` |" in before
    assert "| `-h, --help` |" in before


@pytest.mark.parametrize(
    "left", ['[chinese]\n"Gone." = "没有了。"\n', '[keys."SiteEntry.gone"]\nmore = "Gone."\n[chinese]\n']
)
def test_words_that_no_page_needs_any_longer_are_told(reference_with, left):
    with pytest.raises(ValueError, match="no page has any longer"):
        reference_with("[chinese]\n", left)


def test_what_the_model_says_is_said_once(reference_with):
    with pytest.raises(ValueError, match="take `meaning` out"):
        reference_with('[keys."SiteEntry.domain"]\n', '[keys."SiteEntry.domain"]\nmeaning = "A name."\n')


def test_each_language_is_searched_in_its_own_pages(tmp_path):
    docs = [{"location": "status.html", "text": "502"}, {"location": "zh/status.html", "text": "502"}]
    whole = tmp_path / "search" / "search_index.json"
    whole.parent.mkdir()
    whole.write_text(json.dumps({"config": {"lang": ["en"]}, "docs": docs}))
    search_index.split(tmp_path)
    found = [json.loads((tmp_path / part / "search" / "search_index.json").read_text()) for part in (".", "zh")]
    assert [[one["location"] for one in index["docs"]] for index in found] == [["status.html"], ["status.html"]]
    assert all(index["config"] == {"lang": ["en"]} for index in found)


@pytest.mark.parametrize(("base", "root"), [("..", "."), ("../..", "..")])
def test_a_chinese_pages_root_is_the_chinese_folder(base, root):
    page = (
        '<script id="__config" type="application/json">{{"annotate": null, "base": "{}", "search": "{}/x.js"}}</script>'
    )
    assert search_index.rooted(page.format(base, base)) == page.format(root, base)


def test_a_page_that_does_not_say_its_root_is_told():
    with pytest.raises(ValueError, match="another way now"):
        search_index.rooted("<script>{}</script>")
