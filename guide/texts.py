"""What the code does not say itself: guide/texts.toml, which also has the Chinese of all but the commands' help."""

from __future__ import annotations

import tomllib
from pathlib import Path

from gateway.messages import catalogue

_FILE = Path(__file__).with_name("texts.toml")


class Texts:
    """The texts in one language. English is what the code says; Chinese is looked up by it, as gettext does, so that a
    changed English text has no Chinese until somebody has looked at it."""

    def __init__(self, language: str) -> None:
        data = tomllib.loads(_FILE.read_text(encoding="utf-8"))
        self._own: dict[str, str] = data["chinese"]
        self._chinese: dict[str, str] | None = self._own | catalogue.read("help") if language == "zh" else None
        self._keys: dict[str, dict[str, str]] = data["keys"]
        self.make: dict[str, str] = data["make"]
        self.pyinfra: dict[str, str] = data["pyinfra"]
        self.data: dict[str, str] = data["data"]
        self.variables: dict[str, str] = data["variables"]
        self.missing: list[str] = []
        self._used: set[str] = set()

    def __call__(self, english: str) -> str:
        """The text in this language; itself where Chinese is missing, which `missing` then tells."""
        if self._chinese is None:
            return english
        self._used.add(english)
        if english not in self._chinese:
            self.missing.append(english)
        return self._chinese.get(english, english)

    def of_key(self, key: str) -> dict[str, str]:
        """What else is known of a key like "SiteEntry.cert": `type`, `default`, `meaning`, `more`, in English."""
        self._used.add(key)
        return self._keys.get(key, {})

    def unused(self) -> list[str]:
        """What no page asked for: left behind by a text or a key that is another now, or gone."""
        return sorted({*self._keys, *(self._own if self._chinese else ())} - self._used)
