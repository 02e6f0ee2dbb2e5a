"""What is printed for an operator goes through `said`, or `finding` where it is something to act on."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from gateway.messages import language
from gateway.messages.speech import Codes, Translation

CODES = Path(__file__).with_name("codes.json")


def said(text: str) -> str:
    """The text in the operator's language."""
    return text if language.chosen() == "en" else _translation()(text)


def in_chinese(text: str) -> str:
    """The text in Chinese, for a page that has both languages."""
    return _translation()(text)


def colon() -> str:
    """What stands behind a label such as "error", in the operator's language."""
    return ": " if language.chosen() == "en" else "："


def finding(text: str) -> str:
    """What `said` gives, with the finding's code behind it, by which the guide explains it."""
    its_code = code(text)
    return f"{said(text)} [{its_code}]" if its_code else said(text)


def code(text: str) -> str | None:
    """The code of the finding that `text` is, in English; None where the guide has no place for it."""
    return _codes()(text)


@cache
def _translation() -> Translation:
    # It takes a while to read, and in English nobody needs it.
    from gateway.messages.catalogue import chinese, counts

    return Translation(chinese(), counts())


@cache
def _codes() -> Codes:
    return Codes(json.loads(CODES.read_text(encoding="utf-8"))["codes"])
