"""What is looked for in the access logs of hosts, and how an operator writes it. Pure.

Each function raises ValueError with what is wrong and what would be right.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.problems import did_you_mean, shown

_SPAN = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class Query:
    """Which lines are asked for: empty and None where any will do; of each host the newest `lines` of them."""

    request_id: str = ""
    site: str = ""
    status: str = ""
    since: datetime | None = None
    lines: int = 50


def request_id(text: str) -> str:
    """The id in the form that logs have, from one that was copied from a page."""
    found = re.sub(r"\s", "", text).lower()
    if not re.fullmatch("[0-9a-f]{32}", found):
        raise ValueError(
            f'"{shown(text)}" is no request id; right would be the 32 characters, 0-9 and a-f, that an error page '
            "shows (请求编号) and every answer has as X-Request-Id"
        )
    return found


def status(text: str) -> str:
    """One status, or a class of them: "502", "5xx"."""
    if not re.fullmatch(r"[1-5]xx|[1-5]\d\d", text.lower()):
        raise ValueError(f'"{shown(text)}" is no status; right would be one like 502, or 5xx for all of a kind')
    return text.lower()


def site(text: str, known: Collection[str]) -> str:
    """One of the domains that the hosts have."""
    found = text.strip().lower().rstrip(".")
    if found not in known:
        raise ValueError(f'"{shown(text)}" is no site of these hosts; {did_you_mean(found, known)}')
    return found


def since(text: str, now: datetime) -> datetime:
    """The moment that "30m" or "2h" ago was, or a date's begin; without a zone it is this machine's."""
    span = _SPAN.fullmatch(text.strip().lower())
    try:
        found = now - timedelta(**{_UNITS[span[2]]: int(span[1])}) if span else datetime.fromisoformat(text.strip())
        found = found.astimezone()
        if found.timestamp() < 0:
            raise ValueError
    except (ValueError, OverflowError, OSError):
        raise ValueError(
            f'"{shown(text)}" is no time; right would be how long ago, 30m, 2h or 1d, or a date: '
            f'{now:%Y-%m-%d}, "{now:%Y-%m-%d %H:%M}"'
        ) from None
    if found > now:
        raise ValueError(
            f'"{shown(text)}" is still to come; right would be a time before {now.isoformat(" ", "minutes")}'
        )
    return found
