"""What a host says of requests, as gateway/onhost/scripts/logs.sh prints it. Pure."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

# nginx's own, behind which errors.pl leaves the client, the server, the request, the upstream and the Host header.
_SAID = re.compile(
    r"(?P<time>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) .*, client: (?P<client>[\w.:]+), server: (?P<server>[^,]+), "
    r'request: "(?P<method>\S+) (?P<path>[^"]*)"(?:, .*host: "(?P<host>[^"]*)")?'
)
# How many lines were found, how many are no JSON, and how many files could not be read.
_COUNTS = re.compile(r"(\d{1,15}) (\d{1,15}) (\d{1,15})")


@dataclass(frozen=True)
class Line:
    """A line of an access log: its fields as nginx wrote them, and when its request ended."""

    fields: Mapping[str, Any]
    when: datetime

    @property
    def status(self) -> int:
        """0 where the request was not answered."""
        value = self.fields.get("status")
        return value if isinstance(value, int) else 0

    def text(self, name: str) -> str:
        """A field as text, empty where the line has none of that name."""
        return str(self.fields.get(name, ""))


@dataclass(frozen=True)
class HostLog:
    """Lines of a host's access log, the newest last.

    `found` is how many there are, also those that were not sent; `older` how many lines are no JSON, as earlier
    releases wrote them; `unread` how many files could not be read to their end. `said` is what the error log has of
    the one request that was asked for.
    """

    lines: tuple[Line, ...] = ()
    found: int = 0
    older: int = 0
    unread: int = 0
    said: tuple[str, ...] = ()


def read(output: Iterable[str]) -> HostLog:
    """The answer of the host. Bytes that are no UTF-8, which visitors may send, are replaced."""
    try:
        text = gzip.decompress(base64.b64decode("".join(output))).decode(errors="replace")
    except (binascii.Error, EOFError, OSError, zlib.error):
        return HostLog(unread=1)
    lines: list[Line] = []
    said: list[str] = []
    broken = found = older = 0
    unread = 1  # until the host has said how many
    for row in text.split("\n"):
        kind, _, rest = row.partition(" ")
        if kind == "line":
            line = _line(rest)
            lines += [line] if line else []
            broken += line is None
        elif kind == "said":
            said.append(rest)
        elif kind == "count" and (counts := _COUNTS.fullmatch(rest)):
            found, older, unread = int(counts[1]) - broken, int(counts[2]) + broken, int(counts[3])
    about = lines[-1] if said and lines else None
    return HostLog(tuple(lines), found, older, unread, tuple(one for one in said if about and _is_about(one, about)))


def _line(text: str) -> Line | None:
    """None where it is no line of a log: a full disk leaves halves of them."""
    try:
        fields = json.loads(text)
        return Line(fields, datetime.strptime(fields["time"], "%Y-%m-%dT%H:%M:%S%z"))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _is_about(said: str, line: Line) -> bool:
    """Whether a message of nginx's can only be of the request, or of one that the same client sent at the same time."""
    if line.text("request_id") in said:
        return True
    found = _SAID.match(said)
    if not found or found["client"] != line.text("client") or found["method"] != line.text("method"):
        return False
    # The path is as it was sent, in the access log as nginx reads it.
    if "%" not in found["path"] and found["path"] != line.text("path"):
        return False
    if line.text("site") not in (found["host"] or found["server"]).split(":"):
        return False
    # The error log knows no zone; both are of one host.
    ended = line.when.replace(tzinfo=None)
    seconds = line.fields.get("seconds")
    began = ended - timedelta(seconds=1 + (seconds if isinstance(seconds, int | float) else 0))
    return began <= datetime.strptime(found["time"], "%Y/%m/%d %H:%M:%S") <= ended
