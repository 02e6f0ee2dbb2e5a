"""Answers a request with what arrived, in the way its X-Lab headers ask for."""

import asyncio
import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from .page import Page
from .request import BadRequest, Request

Number = TypeVar("Number", int, float)

_LONGEST_DELAY = 300.0
_FILLER = b"0123456789abcdef" * 4096


async def answer(writer: asyncio.StreamWriter, request: Request, record: dict[str, Any]) -> bool:
    """Writes the answer to a request. False when the connection must be closed afterwards.

    `record` is what is told about the request. Raises BadRequest for X-Lab headers that are wrong.
    """
    await asyncio.sleep(min(_number(request, "x-lab-delay", float) or 0.0, _LONGEST_DELAY))
    if request.first("x-lab-close"):
        return False
    events = _number(request, "x-lab-sse", int)
    if events is not None:
        return await _events(writer, request, record, events)
    status = _number(request, "x-lab-status", int) or 200
    if not 200 <= status <= 599:
        raise BadRequest("X-Lab-Status must be 200 to 599")
    filler = _number(request, "x-lab-body-bytes", int)
    body = json.dumps(record).encode() if filler is None else b""
    size = len(body) if filler is None else filler
    kind = "application/json" if filler is None else "application/octet-stream"
    headers = [*_steered(request), *_arrived(record)]
    if "content-type" not in {name.lower() for name, _ in headers}:
        headers.append(("Content-Type", kind))
    bodiless = status in (204, 304)
    if not bodiless:
        headers.append(("Content-Length", str(size)))
    write_head(writer, status, headers, request.keep_alive, request.version)
    if request.method != "HEAD" and not bodiless:
        writer.write(body)
        while filler:
            piece = _FILLER[: min(filler, len(_FILLER))]
            writer.write(piece)
            await writer.drain()
            filler -= len(piece)
    await writer.drain()
    return request.keep_alive


async def write_page(writer: asyncio.StreamWriter, request: Request, page: Page, record: dict[str, Any]) -> bool:
    """Writes an application's page. False when the connection must be closed afterwards."""
    body = page.body.encode()
    headers = [*page.headers, ("Content-Type", page.kind), ("Content-Length", str(len(body))), *_arrived(record)]
    write_head(writer, page.status, headers, request.keep_alive, request.version)
    if request.method != "HEAD":
        writer.write(body)
    await writer.drain()
    return request.keep_alive


def write_head(
    writer: asyncio.StreamWriter,
    status: int,
    headers: Sequence[tuple[str, str]],
    keep_alive: bool,
    version: str = "HTTP/1.1",
) -> None:
    """Writes the status line and the headers."""
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = "Lab"
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers)]
    if not keep_alive:
        lines.append("Connection: close")
    elif version == "HTTP/1.0":
        lines.append("Connection: keep-alive")
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))


async def _events(writer: asyncio.StreamWriter, request: Request, record: dict[str, Any], count: int) -> bool:
    chunked = request.version == "HTTP/1.1"
    keep_alive = chunked and request.keep_alive
    headers = [("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache"), *_arrived(record)]
    if chunked:
        headers.append(("Transfer-Encoding", "chunked"))
    write_head(writer, 200, headers, keep_alive, request.version)
    if request.method != "HEAD":
        for number in range(1, count + 1):
            event = f"id: {number}\ndata: event {number} of {count}\n\n".encode()
            writer.write(b"%x\r\n%s\r\n" % (len(event), event) if chunked else event)
            await writer.drain()
            await asyncio.sleep(0.2)
        if chunked:
            writer.write(b"0\r\n\r\n")
    await writer.drain()
    return keep_alive


def _steered(request: Request) -> list[tuple[str, str]]:
    names = {"x-lab-location": "Location", "x-lab-set-cookie": "Set-Cookie", "x-lab-refresh": "Refresh"}
    found = [(names[name.lower()], value) for name, value in request.headers if name.lower() in names]
    for name, value in request.headers:
        if name.lower() == "x-lab-header":
            own, colon, rest = value.partition(":")
            if not colon:
                raise BadRequest("X-Lab-Header must be a header, like Alt-Svc: clear")
            found.append((own.strip(), rest.strip()))
    return found


def _arrived(record: dict[str, Any]) -> list[tuple[str, str]]:
    return [("X-Lab-Arrived", record["url"])]


def _number(request: Request, name: str, kind: type[Number]) -> Number | None:
    text = request.first(name)
    if text is None:
        return None
    try:
        value = kind(text)
    except ValueError:
        raise BadRequest(f"{name} must be a number") from None
    if not 0 <= value <= 2**40:
        raise BadRequest(f"{name} is out of range")
    return value
