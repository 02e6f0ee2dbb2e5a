"""A WeCom group robot: its address, which is a secret, and one message to it."""

from __future__ import annotations

import json
import operator
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any, NoReturn
from urllib.parse import parse_qs, urlsplit

_SECONDS = 15
_MOST_READ = 1 << 16
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RIGHT = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=..."
# Too many messages in a minute; the robot takes more a minute later.
_BUSY = 45009


class RobotError(Exception):
    """The robot cannot be told. The message says why and what to do, and nothing secret."""


@dataclass(frozen=True)
class Robot:
    """A group robot. `name` is what messages call it: the environment variable with its address."""

    name: str
    url: str = field(repr=False)


def robot(given: str, environment: Mapping[str, str]) -> Robot:
    """The robot with the address that an environment variable of the name `given` holds, or that `given` is.

    Raises RobotError where neither is the address of a robot.
    """
    if "://" in given:
        return _checked("--notify", given)
    if not _VARIABLE.fullmatch(given):
        raise RobotError("--notify: names no environment variable; right would be one like WECOM_ROBOT")
    url = environment.get(given, "").strip()
    if not url:
        raise RobotError(f"{given}: the environment variable is not set; it has to hold {_RIGHT}")
    return _checked(given, url)


def _checked(name: str, url: str) -> Robot:
    try:
        parts = urlsplit(url)
        encrypted = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        # both raise ValueError for what no connection could be made to
        reachable = parts.port != 0 and parts.hostname and parts.hostname.encode("idna")
        right = encrypted and reachable and url.isascii() and url.isprintable() and " " not in url
    except ValueError:
        right = False
        parts = urlsplit("")
    if not right or not parse_qs(parts.query).get("key"):
        raise RobotError(f"{name}: is no address of a group robot; right would be {_RIGHT}")
    return Robot(name, url)


def send(to: Robot, text: str) -> None:
    """Sends Markdown. Raises RobotError where the robot did not take it."""
    body = json.dumps({"msgtype": "markdown", "markdown": {"content": text}}, ensure_ascii=False).encode()
    kind = {"Content-Type": "application/json; charset=utf-8"}
    # _checked let http and https pass
    request = urllib.request.Request(to.url, body, kind)  # noqa: S310
    opener = urllib.request.build_opener(_Stay(), urllib.request.HTTPSHandler(context=ssl.create_default_context()))
    try:
        with opener.open(request, timeout=_SECONDS) as answer:
            said = answer.read(_MOST_READ)
    except urllib.error.HTTPError as error:
        raise RobotError(f"{to.name}: the robot's server answered {error.code}; the next run tries again") from None
    except urllib.error.URLError as error:
        reason = error.reason if isinstance(error.reason, str) else getattr(error.reason, "strerror", None)
        _unreachable(to, reason or type(error.reason).__name__)
    except (OSError, HTTPException) as error:
        _unreachable(to, getattr(error, "strerror", None) or type(error).__name__)
    _judge(to, said)


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the address with its key would go to somebody else."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _unreachable(to: Robot, why: str) -> NoReturn:
    raise RobotError(f"{to.name}: the robot's server cannot be reached ({why}); the next run tries again") from None


def _judge(to: Robot, said: bytes) -> None:
    try:
        code = operator.index(json.loads(said)["errcode"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise RobotError(f"{to.name}: what answered is no group robot; right would be {_RIGHT}") from None
    if code == _BUSY:
        raise RobotError(f"{to.name}: the robot takes no more messages this minute ({code}); the next run tries again")
    if code != 0:
        raise RobotError(
            f"{to.name}: the robot refused the message ({code}); `python -m gateway explain {code}` says why"
        )
