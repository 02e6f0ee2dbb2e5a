"""Values of the WeCom app, checked one by one: each returns the value, or raises ValueError with what is right."""

from __future__ import annotations

import re
from typing import Any

from gateway.problems import shown

# WeCom takes no more addresses than this for one app.
MAX_TRUSTED_IPS = 120

_CORP_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_FLAG = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_APP_PATH = re.compile(r"(?:[A-Za-z0-9._~/?&=%+-]|\{flag\})+")


def addresses(value: Any) -> Any:
    """Refuses several addresses in one string, as WeCom's own form takes them."""
    if isinstance(value, str) and re.search("[;,]", value):
        right = ", ".join(f'"{part.strip()}"' for part in re.split("[;,]", shown(value)) if part.strip())
        raise ValueError(f"is one string; right would be [{right}]")
    return value


def trusted_ips(value: tuple[str, ...]) -> tuple[str, ...]:
    """At most as many as WeCom takes, none of them twice."""
    if len(value) > MAX_TRUSTED_IPS:
        raise ValueError(f"{len(value)} addresses; WeCom takes at most {MAX_TRUSTED_IPS} for one app")
    twice = sorted({address for address in value if value.count(address) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)} stands twice; keep one")
    return value


def corp_id(value: str) -> str:
    """The CorpID of a company."""
    # A value that does not fit may be the app's Secret in the wrong place, so it is not shown.
    if not _CORP_ID.fullmatch(value):
        raise ValueError(
            "is not a CorpID (letters and digits, at most 32); copy it from the WeCom admin console, My Company, "
            'for example "ww1234567890abcdef". The app\'s Secret never stands in an inventory'
        )
    return value


def agent_id(value: Any) -> Any:
    """The AgentId of an app, as a number or its digits."""
    if isinstance(value, bool) or not isinstance(value, (int, str)) or not re.fullmatch(r"[0-9]{1,12}", str(value)):
        raise ValueError("is not an AgentId (a number); copy it from the app's page in WeCom, for example 1000002")
    return int(value)


def flag(value: str) -> str:
    """The mark by which a platform knows a school's app. It becomes part of a URL."""
    if not _FLAG.fullmatch(value):
        raise ValueError(
            f'"{shown(value)}" is not a flag (letters, digits, "_", "." and "-"); write what the platform handed '
            'out, for example "weixinqy_test_1121", and leave the key out until then'
        )
    return value


def app_path(value: str) -> str:
    """Path and query of an app's home URL, relative; "{flag}" may stand in it."""
    right = 'right would be "app/index.html?flag={flag}"'
    if value.startswith("/") or ":" in value:
        raise ValueError(f'"{shown(value)}" must be relative to the entry route\'s path; {right}')
    if re.search(r"[{}]", value.replace("{flag}", "")):
        raise ValueError(f'"{shown(value)}" has braces around something else than flag; {right}')
    if not _APP_PATH.fullmatch(value) or any(part in (".", "..") for part in value.partition("?")[0].split("/")):
        raise ValueError(f'"{shown(value)}" is not a path and query as they stand in a URL; {right}')
    return value
