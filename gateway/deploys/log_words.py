"""Lines of access logs, for people and for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.deploys.host_log import Line
from gateway.deploys.log_query import Query
from gateway.deploys.logs import Answer
from gateway.problems import count, printable


@dataclass(frozen=True)
class Found:
    """A line and the host on which it stands, with what the error log there has of its request."""

    host: str
    line: Line
    said: tuple[str, ...] = ()

    def as_data(self) -> dict[str, object]:
        """For JSON: the host, and the fields as nginx wrote them."""
        return {"host": self.host, **self.line.fields, **({"said": list(self.said)} if self.said else {})}


def newest(answers: Sequence[Answer], lines: int) -> list[Found]:
    """The newest lines of all hosts together, the newest last, whatever zones the hosts are in."""
    every = [Found(one.host, line, one.log.said) for one in answers for line in one.log.lines]
    return sorted(every, key=lambda found: found.line.when)[-lines:]


def parts(found: Found) -> tuple[str, str, str]:
    """The line in words: what stands before the status, the status, and the rest."""
    line = found.line
    text = line.text
    before = f"{text('time')} {found.host} {text('site')}:{text('port')}"
    request = " ".join(filter(None, [text("method"), text("path")])) or "(no request that can be read)"
    rest = [f'"{request}" {text("seconds")}s', f"client {text('client')}", _upstream(line)]
    rest += [text("tls"), f"id {text('request_id')}", f'"{text("user_agent")}"' if text("user_agent") else ""]
    return printable(before), str(line.status or "-"), printable(" ".join(filter(None, rest)))


def _upstream(line: Line) -> str:
    """Every address that was asked, with what it answered and after how many seconds."""
    texts = [line.text(name) for name in ("upstream", "upstream_status", "upstream_seconds")]
    if not texts[0]:
        return "no upstream asked"
    columns = [text.split(", ") for text in texts]
    if len({len(column) for column in columns}) > 1:
        # an internal redirect, which nginx writes with a colon
        return "upstream " + " | ".join(texts)
    asked = (f"{address}: {status} in {seconds}s" for address, status, seconds in zip(*columns, strict=True))
    return f"upstream {', '.join(asked)}"


def remarks(answers: Sequence[Answer], shown: int) -> Iterator[str]:
    """What an operator has to know besides: hosts that did not answer, lines that were not shown or not read."""
    for one in answers:
        if one.problem:
            yield f"{one.host}: {one.problem}"
        if one.log.unread:
            yield f"{one.host}: {count(one.log.unread, 'file')} of the log could not be read to the end; look there"
        if one.log.older:
            number = count(one.log.older, "line")
            yield f"{one.host}: {number} skipped that earlier releases wrote, or that a full disk cut; grep has them"
    found = sum(one.log.found for one in answers)
    if found > shown:
        yield f"{count(shown, 'line')} of {found} shown, the newest; more with --lines, fewer with --since or --site"


def nothing(query: Query, answers: Sequence[Answer]) -> str:
    """The sentence for when no host has such a line, as far as hosts were asked."""
    silent = sum(bool(one.problem) for one in answers)
    if silent == len(answers):
        return "no log was read"
    where = " on the hosts that answered" if silent else ""
    if query.request_id:
        return (
            f"nothing found of the request {query.request_id}{where}: is it copied whole, and is INVENTORY that of the "
            "site? Logs are kept for two weeks"
        )
    since = f" since {query.since.isoformat(' ', 'seconds')}" if query.since else ""
    return f"nothing found{where}{since}; an earlier --since, or fewer options, find more"
