"""`python -m guide.codes`: writes gateway/messages/codes.json, what the guide's tables of messages say, for `explain`.

A row has beginnings of messages in its first cell, `...` for a value, and a code behind them that is never given to
another: ``| `port ... is held by ...`<br>**WG2041**{ #wg2041 } | meaning | what to do |``. A row without a code is for
what is told and needs nobody.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from guide import catalogues
from guide.message_texts import VALUE

DOCS = Path(__file__).parents[1] / "docs"
FILE = Path(__file__).parents[1] / "gateway/messages/codes.json"
PAGES = ("messages", "codes/check", "codes/status", "codes/verify", "codes/certificates")
# Catalogues whose messages are findings or refusals; what is only part of one stands in guide/messages.toml.
_CATALOGUES = ("fleet", "inventory", "problems", "certificates", "checkout", "nginx", "outside", "deploys", "onhost")
_CODE = re.compile(r"\*\*(WG\d{4})\*\*\{ #(wg\d{4}) \}")
_LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")


class CodesError(Exception):
    """A row or a message that does not fit; says which."""


@dataclass(frozen=True)
class Row:
    """A row of a page: the beginnings of its messages, and what is to be said of them, as Markdown."""

    page: str
    code: str | None
    beginnings: tuple[str, ...]
    meaning: str
    to_do: str


def fragments(page: str) -> list[str]:
    """The beginnings of messages that a page has a place for: code in the first column of its tables."""
    return [one for row in _lines(page) for one in _beginnings(row[0])]


def _lines(page: str) -> Iterator[list[str]]:
    for line in page.splitlines():
        if line.startswith("| `"):
            yield line.removeprefix("| ").removesuffix(" |").split(" | ")


def _beginnings(cell: str) -> list[str]:
    return [code for _, code in re.findall(r"(`+) ?(.+?) ?\1(?!`)", cell)]


def begins(text: str, fragment: str) -> bool:
    """Whether the text begins as the fragment does, whose `...` is a value."""
    return bool(_pattern(fragment).match(text.removeprefix("wecom-gateway: ").lstrip(" ;,")))


@cache
def _pattern(fragment: str) -> re.Pattern[str]:
    return re.compile(re.escape(fragment).replace(re.escape("..."), f".*{VALUE}.*"), re.DOTALL)


def rows(language: str) -> list[Row]:
    """All rows of all pages. Raises CodesError for a row that is not as rows are."""
    suffix = ".zh.md" if language == "zh" else ".md"
    found = []
    for name in PAGES:
        path = DOCS / f"{name}{suffix}"
        for cells in _lines(path.read_text(encoding="utf-8")) if path.is_file() else ():
            code = _CODE.search(cells[0])
            if code and (len(cells) != 3 or code[1].lower() != code[2]):
                raise CodesError(f"{path.name}: {cells[0]}: three cells, and an anchor like the code")
            if len(cells) == 3:
                found.append(Row(name, code[1] if code else None, tuple(_beginnings(cells[0])), cells[1], cells[2]))
    return found


@cache
def codes() -> dict[str, str]:
    """The code of each message that has one: of the row with the longest beginning that the message has."""
    known: dict[str, str] = {}
    beginnings = sorted(
        ((one, row.code) for row in rows("en") if row.code for one in row.beginnings), key=lambda pair: -len(pair[0])
    )
    for messages in _messages().values():
        for message in messages:
            text = re.sub(r"\{\d+\}", VALUE, message).replace("{{", "{").replace("}}", "}")
            if code := next((code for one, code in beginnings if begins(text, one)), None):
                known[message] = code
    return known


@cache
def _messages() -> dict[str, list[str]]:
    """The messages of the catalogues that have findings and refusals, by catalogue."""
    expected = catalogues.expected()
    return {name: [one.id for one in expected[name] if isinstance(one.id, str) and one.id] for name in _CATALOGUES}


def without_code() -> dict[str, list[str]]:
    """Messages that have no code and are no part of another, by catalogue."""
    known = codes()
    lists = tomllib.loads(catalogues.LISTS.read_text(encoding="utf-8"))
    parts = {*lists["parts"], *(one for short in lists["short"].values() for one in short)}
    return {
        name: [one for one in messages if one not in known and one not in parts]
        for name, messages in _messages().items()
    }


def explained() -> dict[str, dict[str, object]]:
    """What the guide says of each code: page, beginnings of its messages, in both languages meaning and what to do.

    Raises CodesError where a code stands twice or in one language only.
    """
    chinese = {row.code: row for row in rows("zh") if row.code}
    found: dict[str, dict[str, object]] = {}
    for row in rows("en"):
        if not row.code:
            continue
        if row.code in found or row.code not in chinese:
            raise CodesError(f"{row.code}: stands twice, or not in Chinese")
        other = chinese.pop(row.code)
        if other.beginnings != row.beginnings:
            raise CodesError(f"{row.code}: other messages in Chinese")
        found[row.code] = {
            "page": row.page,
            "said": list(row.beginnings),
            "en": [_plain(row.meaning), _plain(row.to_do)],
            "zh": [_plain(other.meaning), _plain(other.to_do)],
        }
    if chinese:
        raise CodesError(f"{', '.join(map(str, chinese))}: in Chinese alone")
    return found


def _plain(markdown: str) -> str:
    """A cell as text for a terminal: links without their addresses."""
    return _LINK.sub(r"\1", markdown).replace("<br>", "\n").replace("**", "").replace(r"\|", "|")


def as_json() -> str:
    """The file's content."""
    data = {"codes": dict(sorted(codes().items())), "explained": dict(sorted(explained().items()))}
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    """Writes the file, and tells which messages have no code."""
    FILE.write_text(as_json(), encoding="utf-8")
    for name, messages in without_code().items():
        for one in messages:
            print(f"{name}: no code: {one}")


if __name__ == "__main__":
    main()
