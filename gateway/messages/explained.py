"""What the guide says of this product's own messages, by their codes."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from gateway.messages.said import CODES, code

_LIKE_A_CODE = re.compile(r"(?<![A-Za-z0-9])wg[0-9]+", re.IGNORECASE)
_IN_TEXT = re.compile(r"(?<![A-Za-z0-9])wg([0-9]{4})(?![0-9])", re.IGNORECASE)


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


def explain(pasted: str) -> list[Explained]:
    """What each code in the text means, each once; without any, what the message means that the text is."""
    codes = [f"WG{number}" for number in _IN_TEXT.findall(pasted)]
    if not codes and (found := code(pasted.strip())):
        codes = [found]
    known = _known()
    return [known[one] for one in dict.fromkeys(codes) if one in known]


def unknown(pasted: str) -> list[str]:
    """A sentence for each code in the text that no message of this version has."""
    codes = dict.fromkeys(one.upper() for one in _LIKE_A_CODE.findall(pasted))
    return [
        f"{one}: no message of this version has this code; is it copied whole? Codes are WG and four digits\n"
        f"{one}：这个版本没有这个编码；复制完整了吗？编码是 WG 加四位数字"
        for one in codes
        if one not in _known()
    ]


@cache
def _known() -> dict[str, Explained]:
    rows = json.loads(CODES.read_text(encoding="utf-8"))["explained"]
    return {
        code: Explained(code, row["page"], tuple(row["said"]), tuple(row["en"]), tuple(row["zh"]))
        for code, row in rows.items()
    }
