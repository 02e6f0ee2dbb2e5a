"""WebSockets that stay open."""

from __future__ import annotations

import base64
import os
from types import TracebackType
from urllib.parse import urlsplit

from lab import client
from lab.topology import CA


class Stream:
    """One WebSocket, open until `close` or the end of its block."""

    def __init__(self, url: str, connect: str, timeout: float = 20) -> None:
        headers = {
            "Host": urlsplit(url).netloc,
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        }
        self._socket = client._connect(url, connect, CA, timeout)
        self._socket.sendall(client._head(f"GET {client._target(url)} HTTP/1.1", headers, {}))
        self._stream = self._socket.makefile("rb")
        status = int(self._stream.readline().split()[1])
        if status != 101:
            self.close()
            raise client.UpgradeRefused(status)
        while self._stream.readline().strip():
            pass

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def echoes(self, message: bytes) -> bool:
        """Whether it is still there; OSError where it was cut."""
        self._socket.sendall(client._frame(2, message))
        return client._read_frame(self._stream.read) == message

    def close(self) -> None:
        # the socket stays open while something reads from it
        self._stream.close()
        self._socket.close()
