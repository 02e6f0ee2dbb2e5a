"""What a run of pyinfra prints of ours, in the operator's language. pyinfra's own words stay English."""

from __future__ import annotations

import logging
import re

from pyinfra import logger

from gateway.messages.said import finding

_STYLE = re.compile(r"(\x1b\[[0-9;]*m)")
# What pyinfra puts before a text: the host's name, an indent.
_BEFORE = re.compile(r"(?:\[[^\]]*\]\s*)?\s*")
# Lines of a file that a preview shows, and pyinfra's own arrows.
_OF_A_FILE = re.compile(r"\s{6}(?!\.\.\. )|\s*[-+~@]")


def speak() -> None:
    """Has pyinfra's log go through `finding`, for the rest of the run."""
    logger.addFilter(_translate)


def _translate(record: logging.LogRecord) -> bool:
    if record.levelno > logging.DEBUG:
        record.msg, record.args = in_words(record.getMessage()), None
    return True


def in_words(text: str) -> str:
    """A text of pyinfra's log: line by line, and what is between changes of colour by itself."""
    return "\n".join("".join(map(_piece, _STYLE.split(line))) for line in text.split("\n"))


def _piece(text: str) -> str:
    if not text or _STYLE.match(text) or _OF_A_FILE.match(text):
        return text
    before = _BEFORE.match(text)
    start = before.end() if before else 0
    return text[:start] + finding(text[start:])
