"""Kept connections that carry requests as raw bytes, many at a time. Standard library only."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.client import Response
from lab.topology import CA

_PIECE = 65536
_HEAD_BYTES = 1 << 20


class Unreadable(ConnectionError):  # noqa: N818
    """What came back is no HTTP/1.1 answer."""


@dataclass(frozen=True)
class Door:
    """Where connections go: an address and a port, and with `tls_name` inside TLS. An empty name sends no SNI."""

    connect: str
    port: int
    tls_name: str | None = None
    ca: Path = CA
    alpn: tuple[str, ...] = ("http/1.1",)

    def open(self, timeout: float = 10) -> socket.socket:
        """A fresh connection; ssl.SSLError or OSError where it is refused."""
        plain = socket.create_connection((self.connect, self.port), timeout=timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls_name is None:
            return plain
        try:
            return self._context().wrap_socket(plain, server_hostname=self.tls_name or None)
        except BaseException:
            plain.close()
            raise

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.ca))
        context.set_alpn_protocols(list(self.alpn))
        if not self.tls_name:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


class Wire:
    """A client that keeps its connection, and opens another when the server has closed it."""

    def __init__(self, door: Door, timeout: float = 10) -> None:
        self._door, self._timeout = door, timeout
        self._socket: socket.socket | None = None
        self._received = b""
        self.connections = 0

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self._received = None, b""

    def exchange(self, requests: Sequence[bytes], depth: int = 8) -> list[Response | None]:
        """The answer to each request, None where the connection was closed without one.

        At most `depth` requests are sent ahead of their answers. When the server closes, the unanswered ones are sent
        again. Only a request that was alone on its connection counts as closed without an answer: with others behind it
        the answer may have been lost. HEAD is not possible, as its answer has no body.
        """
        answers: list[Response | None] = []
        alone = False
        while len(answers) < len(requests):
            batch = requests[len(answers) : len(answers) + (1 if alone else depth)]
            if alone:
                self.close()
            before = len(answers)
            self._send(b"".join(batch))
            for _ in batch:
                answer = self._receive()
                if answer is None:
                    self.close()
                    break
                answers.append(answer)
                if (answer.header("Connection") or "").lower() == "close":
                    self.close()
                    break
            if len(answers) > before:
                alone = False
            elif alone:
                answers.append(None)
                alone = False
            else:
                alone = True
        return answers

    def one(self, request: bytes) -> Response | None:
        """The answer to one request on the present connection; None when that closes instead."""
        self._send(request)
        answer = self._receive()
        if answer is None or (answer.header("Connection") or "").lower() == "close":
            self.close()
        return answer

    def rest(self, silence: float) -> list[Response]:
        """Every further answer until the server closes or says nothing for `silence` seconds."""
        found = []
        if self._socket is not None:
            self._socket.settimeout(silence)
            with contextlib.suppress(TimeoutError):
                while answer := self._receive():
                    found.append(answer)
        return found

    def send(self, payload: bytes) -> None:
        """Sends bytes, on a new connection where there is none."""
        self._send(payload)

    def _send(self, payload: bytes) -> None:
        if self._socket is None:
            self._socket = self._door.open(self._timeout)
            self.connections += 1
        # The server may answer and close before it has read everything; its answer counts.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
            self._socket.sendall(payload)

    def _receive(self) -> Response | None:
        """The next answer; None when the server closes before the answer is complete."""
        while (end := self._received.find(b"\r\n\r\n")) < 0:
            if self._received and not b"HTTP/1.".startswith(self._received[:7]):
                raise Unreadable(f"not an answer: {self._received[:80]!r}")
            if len(self._received) > _HEAD_BYTES or not self._more():
                return None
        lines = self._received[:end].decode("latin-1").split("\r\n")
        _, status, reason = (*lines[0].split(" ", 2), "")[:3]
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
        answer = Response(int(status), reason, headers, b"")
        start = end + 4
        length = answer.header("Content-Length")
        if length is None:
            if answer.header("Transfer-Encoding"):
                raise Unreadable("an answer in chunks, which this client does not read")
            self._received = self._received[start:]
            return answer
        stop = start + int(length)
        while len(self._received) < stop:
            if not self._more():
                return None
        body, self._received = self._received[start:stop], self._received[stop:]
        return Response(answer.status, answer.reason, answer.headers, body)

    def _more(self) -> bool:
        if self._socket is None:
            return False
        try:
            piece = self._socket.recv(_PIECE)
        except (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return False
        self._received += piece
        return bool(piece)


def arrived(answer: Response | None) -> dict[str, Any] | None:
    """What the platform stand-in saw of the request; None when something before it gave the answer."""
    if answer is None or answer.header("X-Lab-Arrived") is None:
        return None
    seen: dict[str, Any] = answer.json()
    return seen
