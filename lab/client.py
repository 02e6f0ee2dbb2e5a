"""A client that sends exactly what it is told, for the demo and the tests. Standard library only."""

import base64
import contextlib
import hashlib
import http.client
import json
import os
import socket
import ssl
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lab.topology import CA

Headers = Mapping[str, str | Sequence[str] | None]


class ConnectionClosed(ConnectionError):  # noqa: N818  -- what happened, not necessarily an error
    """The server closed the connection without an answer."""


class UpgradeRefused(Exception):  # noqa: N818
    """The server answered the WebSocket handshake with something else than 101."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the answer to the WebSocket handshake was {status}")
        self.status = status


@dataclass(frozen=True)
class Response:
    """An answer. `headers` are in their order, and a repeated header is there as often as it came."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        """The first header of that name, in any case."""
        return next(iter(self.all(name)), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


def request(
    url: str,
    *,
    connect: str,
    method: str = "GET",
    headers: Headers | None = None,
    body: bytes | None = None,
    ca: Path = CA,
    http_version: str = "1.1",
    timeout: float = 10,
    raw_target: str | None = None,
) -> Response:
    """Sends one request for `url` to the address `connect` and returns the answer.

    The target goes out byte for byte as it stands in the URL, or in `raw_target`. A header given as a
    list is repeated; None leaves out one that is sent by default (Host, Connection, Content-Length).
    Raises ConnectionClosed without an answer, ssl.SSLError when TLS fails, TimeoutError.
    """
    parts = urlsplit(url)
    target = raw_target if raw_target is not None else _target(url)
    with _connect(url, connect, ca, timeout) as connection:
        defaults: dict[str, str | Sequence[str] | None] = {"Host": parts.netloc}
        if http_version != "1.0":
            defaults["Connection"] = "close"
        names = {name.lower() for name in headers or {}}
        if body is not None and "transfer-encoding" not in names:
            defaults["Content-Length"] = str(len(body))
        head = _head(f"{method} {target} HTTP/{http_version}", defaults, headers or {})
        # The server may answer and close before it has read the whole body; its answer counts.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(head + (body or b""))
        return _response(connection, method)


def websocket_echo(
    url: str,
    connect: str,
    message: bytes,
    ca: Path = CA,
    *,
    headers: Headers | None = None,
    timeout: float = 10,
) -> bytes:
    """Upgrades, sends one binary message, returns what comes back, and closes properly.

    `url` is https or http. Raises UpgradeRefused for any answer but 101.
    """
    key = base64.b64encode(os.urandom(16)).decode()
    defaults = {
        "Host": urlsplit(url).netloc,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": key,
    }
    with _connect(url, connect, ca, timeout) as connection:
        connection.sendall(_head(f"GET {_target(url)} HTTP/1.1", defaults, headers or {}))
        with connection.makefile("rb") as stream:
            status_line = stream.readline()
            if not status_line:
                raise ConnectionClosed(f"no answer from {connect}")
            status = int(status_line.split()[1])
            if status != 101:
                raise UpgradeRefused(status)
            answer = http.client.parse_headers(stream)
            accept = base64.b64encode(
                hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()  # noqa: S324
            )
            if answer["Sec-WebSocket-Accept"] != accept.decode():
                raise ConnectionClosed("the WebSocket handshake was answered for another key")
            connection.sendall(_frame(2, message))
            echoed = _read_frame(stream.read)
            connection.sendall(_frame(8, struct.pack("!H", 1000)))
            _read_frame(stream.read)
            return echoed


def raw(
    connect: str,
    port: int,
    payload: bytes,
    tls_name: str | None = None,
    ca: Path = CA,
    timeout: float = 5,
    preface: bytes = b"",
) -> bytes:
    """Sends bytes and returns all that comes back until the server closes or is silent for `timeout` seconds.

    With `tls_name` this is done inside TLS; an empty name sends no SNI and verifies nothing. `preface` goes before TLS.
    """
    with socket.create_connection((connect, port), timeout=max(timeout, 10)) as plain:
        plain.sendall(preface)
        connection = plain if tls_name is None else _handshake(plain, tls_name, ca)
        connection.settimeout(timeout)
        received = b""
        try:
            connection.sendall(payload)
            while piece := connection.recv(65536):
                received += piece
        except (TimeoutError, ConnectionError, ssl.SSLEOFError):
            pass
        finally:
            connection.close()
        return received


def _connect(url: str, connect: str, ca: Path, timeout: float) -> socket.socket:
    parts = urlsplit(url)
    secure = parts.scheme in ("https", "wss")
    plain = socket.create_connection((connect, parts.port or (443 if secure else 80)), timeout=timeout)
    return _handshake(plain, parts.hostname or "", ca) if secure else plain


def _handshake(plain: socket.socket, name: str, ca: Path) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(ca))
    if not name:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        return context.wrap_socket(plain, server_hostname=name or None)
    except ConnectionError as error:
        plain.close()
        raise ssl.SSLError(f"the connection was closed during the TLS handshake: {error}") from error
    except BaseException:
        plain.close()
        raise


def _target(url: str) -> str:
    """Everything after the authority, as it was typed: no decoding, no normalising."""
    rest = url.partition("://")[2].partition("#")[0]
    start = min((index for index in (rest.find("/"), rest.find("?")) if index >= 0), default=len(rest))
    target = rest[start:]
    return target if target.startswith("/") else f"/{target}"


def _head(request_line: str, defaults: Headers, headers: Headers) -> bytes:
    given = {name.lower() for name in headers}
    lines = [request_line]
    for name, value in [*((n, v) for n, v in defaults.items() if n.lower() not in given), *headers.items()]:
        values = [] if value is None else [value] if isinstance(value, str) else value
        lines += [f"{name}: {each}" for each in values]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _response(connection: socket.socket, method: str) -> Response:
    answer = http.client.HTTPResponse(connection, method=method)
    try:
        answer.begin()
    except (http.client.RemoteDisconnected, ConnectionError, ssl.SSLEOFError) as error:
        raise ConnectionClosed(f"closed without an answer: {error}") from None
    with answer:
        return Response(answer.status, answer.reason, answer.getheaders(), answer.read())


def _frame(opcode: int, payload: bytes) -> bytes:
    """A final, masked frame; the mask is zero, which leaves the payload readable in a capture."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 1 << 16:
        length = struct.pack("!BH", 0x80 | 126, size)
    else:
        length = struct.pack("!BQ", 0x80 | 127, size)
    return bytes([0x80 | opcode]) + length + bytes(4) + payload


def _read_frame(read: Any) -> bytes:
    head = read(2)
    if len(head) < 2:
        raise ConnectionClosed("closed within a WebSocket conversation")
    size = head[1] & 0x7F
    if size >= 126:
        size = int.from_bytes(read(2 if size == 126 else 8), "big")
    payload: bytes = read(size)
    return payload
