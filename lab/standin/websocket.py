"""A WebSocket echo (RFC 6455), enough to prove that upgrades pass."""

import asyncio
import base64
import binascii
import hashlib
import struct

from .request import BadRequest, Request

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CLOSE, _PING, _PONG = 8, 9, 10
_LARGEST = 16 * 1024 * 1024


def is_upgrade(request: Request) -> bool:
    return request.lists("upgrade", "websocket") and request.lists("connection", "upgrade")


def accept_value(request: Request) -> str:
    """The answer to Sec-WebSocket-Key; refuses a handshake that is not one."""
    key = request.first("sec-websocket-key") or ""
    try:
        sound = len(base64.b64decode(key, validate=True)) == 16
    except binascii.Error:
        sound = False
    if request.method != "GET" or not sound or request.first("sec-websocket-version") != "13":
        raise BadRequest("not a WebSocket 13 handshake")
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID).digest()).decode()  # noqa: S324  -- the protocol's


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends every data frame back, answers pings, and ends with a proper close."""
    while True:
        first, second = await reader.readexactly(2)
        opcode, final = first & 0x0F, bool(first & 0x80)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", await reader.readexactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await reader.readexactly(8))
        control = opcode >= _CLOSE
        if (
            not second & 0x80
            or first & 0x70
            or (control and (size > 125 or not final))
            or opcode not in (0, 1, 2, 8, 9, 10)
        ):
            await _send(writer, _CLOSE, struct.pack("!H", 1002))
            return
        if size > _LARGEST:
            await _send(writer, _CLOSE, struct.pack("!H", 1009))
            return
        mask = await reader.readexactly(4)
        payload = _unmask(await reader.readexactly(size), mask)
        if opcode == _CLOSE:
            await _send(writer, _CLOSE, payload[:2])
            return
        if opcode == _PING:
            await _send(writer, _PONG, payload)
        elif not control:
            await _send(writer, opcode, payload, final)


async def _send(writer: asyncio.StreamWriter, opcode: int, payload: bytes, final: bool = True) -> None:
    size = len(payload)
    head = bytes([opcode | (0x80 if final else 0)])
    if size < 126:
        head += bytes([size])
    elif size < 1 << 16:
        head += struct.pack("!BH", 126, size)
    else:
        head += struct.pack("!BQ", 127, size)
    writer.write(head + payload)
    await writer.drain()


def _unmask(payload: bytes, mask: bytes) -> bytes:
    pattern = (mask * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(pattern, "big")).to_bytes(len(payload), "big")
