"""Reads requests as they are: nothing decoded, nothing normalised, nothing ambiguous accepted."""

import asyncio
import hashlib
import re
from dataclasses import dataclass, field

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET = re.compile(rb"[\x21-\x7e\x80-\xff]+")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[^\r\n]*)?")
_HEAD_BYTES = 128 * 1024
_PIECE = 64 * 1024


class BadRequest(Exception):  # noqa: N818  -- it is the name of the answer
    """A request that is refused with `status`; the connection cannot be used any further."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


@dataclass
class Request:
    """A request as it arrived. Bytes beyond ASCII are shown as Latin-1, so none is lost."""

    method: str
    target: str
    version: str
    headers: list[tuple[str, str]]
    content_length: int | None = None
    chunked: bool = False
    body_length: int = 0
    body_sha256: str = field(default_factory=lambda: hashlib.sha256().hexdigest())

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def first(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)

    def lists(self, name: str, token: str) -> bool:
        """Whether a comma-separated header has the token."""
        items = (item.strip().lower() for value in self.all(name) for item in value.split(","))
        return token in items

    @property
    def keep_alive(self) -> bool:
        if self.version == "HTTP/1.0":
            return self.lists("connection", "keep-alive")
        return not self.lists("connection", "close")


async def read_head(reader: asyncio.StreamReader) -> Request | None:
    """The next request's line and headers; None when the peer has closed between requests."""
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise BadRequest("the request line is cut off") from None
        return None
    except asyncio.LimitOverrunError:
        raise BadRequest("the request line is too long", 414) from None
    request = _request_line(_without_crlf(line))
    size = len(line)
    while line := _without_crlf(await _read_line(reader)):
        size += len(line)
        if size > _HEAD_BYTES:
            raise BadRequest("the headers are too long", 431)
        request.headers.append(_header(line))
    _frame(request)
    return request


async def read_body(reader: asyncio.StreamReader, request: Request) -> None:
    """Reads the body to its end, hashing it piece by piece, and notes length and hash in the request."""
    digest = hashlib.sha256()

    async def take(size: int) -> None:
        while size:
            piece = await reader.read(min(size, _PIECE))
            if not piece:
                raise BadRequest("the body is cut off")
            digest.update(piece)
            request.body_length += len(piece)
            size -= len(piece)

    if request.chunked:
        while size := _chunk_size(_without_crlf(await _read_line(reader))):
            await take(size)
            if _without_crlf(await _read_line(reader)):
                raise BadRequest("a chunk is longer than it says")
        while trailer := _without_crlf(await _read_line(reader)):
            _header(trailer)
    elif request.content_length:
        await take(request.content_length)
    request.body_sha256 = digest.hexdigest()


def _request_line(line: bytes) -> Request:
    parts = line.split(b" ")
    if len(parts) != 3 or not _TOKEN.fullmatch(parts[0]) or not _TARGET.fullmatch(parts[1]):
        raise BadRequest("the request line is malformed")
    if parts[2] not in (b"HTTP/1.0", b"HTTP/1.1"):
        raise BadRequest("not HTTP/1.0 or HTTP/1.1", 505)
    return Request(parts[0].decode(), parts[1].decode("latin-1"), parts[2].decode(), [])


def _header(line: bytes) -> tuple[str, str]:
    name, colon, value = line.partition(b":")
    if not colon or not _TOKEN.fullmatch(name):  # continuation lines end up here too
        raise BadRequest("a header line is malformed")
    if b"\0" in value or b"\r" in value:
        raise BadRequest("a header value holds a control character")
    return name.decode(), value.strip(b" \t").decode("latin-1")


def _frame(request: Request) -> None:
    """Sets where the body ends. Raises BadRequest for whatever two servers could read differently."""
    hosts, lengths, codings = (request.all(name) for name in ("host", "content-length", "transfer-encoding"))
    if len(hosts) > 1 or (not hosts and request.version == "HTTP/1.1"):
        raise BadRequest("one Host header is needed, not none or several")
    if codings and (lengths or request.version == "HTTP/1.0" or codings != ["chunked"]):
        raise BadRequest("Transfer-Encoding must be `chunked`, alone, and not in HTTP/1.0")
    if lengths:
        if len(lengths) > 1 or not re.fullmatch(r"[0-9]{1,18}", lengths[0]):
            raise BadRequest("Content-Length must be one decimal number")
        request.content_length = int(lengths[0])
    request.chunked = bool(codings)


def _chunk_size(line: bytes) -> int:
    match = _CHUNK_SIZE.fullmatch(line)
    if not match:
        raise BadRequest("a chunk size is malformed")
    return int(match[1], 16)


async def _read_line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError:
        raise BadRequest("the request is cut off") from None
    except asyncio.LimitOverrunError:
        raise BadRequest("a line is too long", 431) from None


def _without_crlf(line: bytes) -> bytes:
    if not line.endswith(b"\r\n"):
        raise BadRequest("a line ends in a bare line feed")
    return line[:-2]
