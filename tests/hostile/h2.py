"""HTTP/2 frames written by hand: a library would refuse to send what must be tried."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Sequence

from lab.wire import Door

Fields = Sequence[tuple[bytes, bytes]]

_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY, _WINDOW = 0, 1, 3, 4, 6, 7, 8
_END_STREAM, _END_HEADERS, _ACK = 1, 4, 1
_PIECE = 16000


def head(domain: str, path: bytes, *more: tuple[bytes, bytes], method: bytes = b"GET") -> Fields:
    """The fields of an ordinary request."""
    return [(b":method", method), (b":scheme", b"https"), (b":authority", domain.encode()), (b":path", path), *more]


class Http2:
    """A client that sends any fields in any order and keeps what bodies come back."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._socket: socket.socket | None = None
        self._next = 1

    def __enter__(self) -> Http2:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def exchange(self, requests: Sequence[Fields], body: bytes = b"") -> list[bytes | None]:
        """The body of each answer, None for a stream that was reset or a connection that was closed.

        One that ends the connection would take the others with it, so those without an answer are asked
        again, each alone.
        """
        answers = self._together(requests, body)
        if len(requests) > 1:
            for number, answer in enumerate(answers):
                if answer is None:
                    answers[number] = self._together(requests[number : number + 1], body)[0]
        return answers

    def _together(self, requests: Sequence[Fields], body: bytes) -> list[bytes | None]:
        connection = self._open()
        streams = range(self._next, self._next + 2 * len(requests), 2)
        self._next = streams.stop
        payload = b"".join(_request(stream, fields, body) for stream, fields in zip(streams, requests, strict=True))
        bodies: dict[int, bytes] = dict.fromkeys(streams, b"")
        ended: set[int] = set()
        open_streams = set(streams)
        try:
            connection.sendall(payload)
            with connection.makefile("rb") as stream_of_frames:
                while open_streams:
                    prefix = stream_of_frames.read(9)
                    if len(prefix) < 9:
                        break
                    size, kind, flags = int.from_bytes(prefix[:3], "big"), prefix[3], prefix[4]
                    stream = int.from_bytes(prefix[5:], "big") & 0x7FFFFFFF
                    content = stream_of_frames.read(size)
                    if kind == _DATA and stream in bodies:
                        bodies[stream] += content
                    if kind == _PING and not flags & _ACK:
                        connection.sendall(_frame(_PING, _ACK, 0, content))
                    if kind in (_DATA, _HEADERS) and flags & _END_STREAM:
                        ended.add(stream)
                        open_streams.discard(stream)
                    if kind == _RESET:
                        open_streams.discard(stream)
                    if kind == _GOAWAY:
                        last = int.from_bytes(content[:4], "big") & 0x7FFFFFFF
                        open_streams = {number for number in open_streams if number <= last}
                        self._next = 1 << 31
        except (ConnectionError, ssl.SSLError):
            self._next = 1 << 31
        if open_streams or self._next >= 1 << 30:
            self.close()
        return [bodies[stream] if stream in ended else None for stream in streams]

    def _open(self) -> socket.socket:
        if self._socket is None:
            self._socket = self._door.open()
            self._next = 1
            window = struct.pack("!HI", 4, 1 << 24)
            settings = _frame(_SETTINGS, 0, 0, window) + _frame(_WINDOW, 0, 0, struct.pack("!I", 1 << 30))
            self._socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings + _frame(_SETTINGS, _ACK, 0, b""))
        return self._socket


def _request(stream: int, fields: Fields, body: bytes) -> bytes:
    block = b"".join(b"\x00" + _string(name) + _string(value) for name, value in fields)
    pieces = [block[at : at + _PIECE] for at in range(0, len(block), _PIECE)]
    frames = b""
    for number, piece in enumerate(pieces):
        kind = _HEADERS if number == 0 else 9
        flags = (_END_STREAM if number == 0 and not body else 0) | (_END_HEADERS if number == len(pieces) - 1 else 0)
        frames += _frame(kind, flags, stream, piece)
    return frames + (_frame(_DATA, _END_STREAM, stream, body) if body else b"")


def _string(raw: bytes) -> bytes:
    """Literal, without Huffman coding; the length in HPACK's prefix of seven bits."""
    size = len(raw)
    if size < 127:
        return bytes([size]) + raw
    size -= 127
    length = b"\x7f"
    while size >= 128:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return length + bytes([size]) + raw


def _frame(kind: int, flags: int, stream: int, content: bytes) -> bytes:
    return struct.pack("!I", len(content))[1:] + bytes([kind, flags]) + struct.pack("!I", stream) + content
