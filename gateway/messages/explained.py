"""What the guide says of this product's own messages, by their codes."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from gateway.messages.said import CODES, code

_IN_TEXT = re.compile(r"(?<![A-Za-z0-9])wg[ _-]?([0-9]{3,6})(?![A-Za-z0-9])", re.IGNORECASE)
# Where a line of a terminal begins that tells a finding.
_NEXT_LINE = re.compile(r"\n(?=\s*(?:error|warning|refused|错误|警告|已拒绝)\s*[:：])")
# A code that a screenshot's line ends in the middle of.
_BROKEN = re.compile(r"\[\s*(w)\s*(g)\s*([0-9])\s*([0-9])\s*([0-9])\s*([0-9])\s*\]", re.IGNORECASE)


@dataclass(frozen=True)
class Explained:
    """A row of the guide: how its messages begin, and in English and Chinese what they mean and what to do first."""

    code: str
    page: str
    said: tuple[str, ...]
    en: tuple[str, str]
    zh: tuple[str, str]

    def as_text(self) -> str:
        """For people: in English, then in Chinese."""
        said = "\n".join(f"  {one}" for one in self.said)
        english = f"{self.code}\n{said}\n  means: {self.en[0]}\n  to do: {self.en[1]}"
        chinese = f"  含义：{self.zh[0]}\n  处理：{self.zh[1]}"
        anchor = self.code.lower()
        return f"{english}\n\n{chinese}\n\ndocs/{self.page}.md#{anchor}, docs/{self.page}.zh.md#{anchor}"

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def explain(pasted: str, *, by_words: bool = True) -> list[Explained]:
    """What each code in the text means, each once; without any, what the messages mean that it has, in English or
    Chinese. Without `by_words` only a message counts that stands there letter by letter, in English."""
    known = _known()
    codes = _codes(pasted) or [one for line in _NEXT_LINE.split(pasted) if (one := _code(line.strip(), by_words))]
    return [known[one] for one in dict.fromkeys(codes) if one in known]


def unknown(pasted: str) -> list[str]:
    """Codes in the text that are written as this program's, and that it does not have."""
    return [one for one in dict.fromkeys(_codes(pasted)) if one not in _known()]


def not_known(code: str) -> str:
    """For people, of a code from unknown(): in English, then in Chinese."""
    return (
        f"{code}: this version of wecom-gateway has no message with this code; those that it has are in "
        f"docs/messages.md and docs/codes/\n{code}：当前版本的 wecom-gateway 没有这个编码；"
        "已有的编码见 docs/messages.zh.md 和 docs/codes/"
    )


def _codes(pasted: str) -> list[str]:
    half_width = unicodedata.normalize("NFKC", pasted)
    text = _BROKEN.sub(r"[\1\2\3\4\5\6]", half_width)
    return [f"WG{number}" for number in _IN_TEXT.findall(text)]


def _code(text: str, by_words: bool) -> str | None:
    """The code of the message that the text is, though its line breaks may not be the message's."""
    found = code(text) if text and "\n" not in text else None
    if found or not text or not by_words:
        return found
    # It takes a while to read.
    from gateway.messages.recognised import recognised

    return recognised(text)


@cache
def _known() -> dict[str, Explained]:
    rows = json.loads(CODES.read_text(encoding="utf-8"))["explained"]
    return {
        code: Explained(code, row["page"], tuple(row["said"]), tuple(row["en"]), tuple(row["zh"]))
        for code, row in rows.items()
    }
