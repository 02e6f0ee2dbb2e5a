"""What is printed for an operator goes through `said`."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

from gateway.messages import language
from gateway.messages.speech import Speech

CODES = Path(__file__).with_name("codes.json")
_CODE = re.compile(r" \[(WG\d{4})\]")


def said(text: str) -> str:
    """The text in the operator's language, with a code behind each message that the guide explains."""
    return _speech(language.chosen())(text)


def code(text: str) -> str | None:
    """The code of the finding that `text` is, in English; None where the guide has no place for it."""
    found = _CODE.search(_speech("en")(text))
    return found[1] if found else None


@cache
def _speech(chosen: language.Language) -> Speech:
    if chosen == "en":
        return Speech({}, codes())
    # It takes a while to read, and only here.
    from gateway.messages.catalogue import chinese, counts

    return Speech(chinese(), codes(), counts())


@cache
def codes() -> dict[str, str]:
    """The code of each message that has one."""
    return dict(json.loads(CODES.read_text(encoding="utf-8"))["codes"])
