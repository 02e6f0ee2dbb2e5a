"""The guide: every page in both languages, and the reference pages are what the code says."""

from __future__ import annotations

import pytest

from guide import pairs

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
