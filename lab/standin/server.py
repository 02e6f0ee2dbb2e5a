"""The listeners, TLS by server name, and the log of what arrived."""

import asyncio
import collections
import contextlib
import json
import socket
import ssl
import weakref
from pathlib import Path
from typing import Any

from . import deaf, websocket
from .answer import answer, write_head, write_page
from .applications import Applications
from .request import BadRequest, Request, read_body, read_head

_IDLE_SECONDS = 75
_LINE_BYTES = 64 * 1024
_LOGGED = 200
# 8080 and 8443 are those of platforms that listen elsewhere, 8099 never answers.
_PLAIN, _TLS, _DEAF = (80, 8080), (443, 8443), 8099


class StandIn:
    """All platforms in one: what a request asked for is told by its server name and its Host."""

    def __init__(self, certificates: Path, default_name: str) -> None:
        self._names: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
        self._contexts = {path.name: self._context(path) for path in sorted(certificates.iterdir())}
        self._default = self._contexts[default_name]
        self._default.sni_callback = self._choose
        self._log: collections.deque[dict[str, Any]] = collections.deque(maxlen=_LOGGED)
        self._counts = {"connections": 0, "tls_handshakes": 0, "requests": 0}
        self._applications = Applications()

    async def serve(self) -> None:
        """Listens until cancelled."""
        swallowing = deaf.listen(_DEAF)
        servers = [
            await asyncio.start_server(self._connection, port=port, ssl=tls, limit=_LINE_BYTES, backlog=1024)
            for port, tls in (*((port, None) for port in _PLAIN), *((port, self._default) for port in _TLS))
        ]
        try:
            await asyncio.gather(*(server.serve_forever() for server in servers))
        finally:
            for one in swallowing:
                one.close()

    @staticmethod
    def _context(directory: Path) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(directory / "fullchain.pem", directory / "privkey.pem")
        return context

    def _choose(self, tls: Any, name: str | None, _context: ssl.SSLContext) -> int | None:
        if name is None:
            return None
        if name not in self._contexts:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        tls.context = self._contexts[name]
        self._names[tls] = name
        return None

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tls = writer.get_extra_info("ssl_object")
        self._counts["connections"] += 1
        self._counts["tls_handshakes"] += tls is not None
        about = {
            "platform": self._names.get(tls) if tls is not None else None,
            "port": writer.get_extra_info("sockname")[1],
            "tls": tls is not None,
            "peer": writer.get_extra_info("peername")[0],
            "node": socket.gethostname(),
            "connection_id": self._counts["connections"],
        }
        try:
            await self._requests(reader, writer, about)
        except BadRequest as error:
            body = f"{error}\n".encode()
            headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
            write_head(writer, error.status, headers, keep_alive=False)
            writer.write(body)
            await self._let_it_be_read(reader, writer)
        except (OSError, EOFError, TimeoutError):
            pass  # the peer went away
        finally:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), 5)

    async def _requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, about: dict[str, Any]
    ) -> None:
        number = 0
        keep_alive = True
        while keep_alive:
            request = await asyncio.wait_for(read_head(reader), _IDLE_SECONDS)
            if request is None:
                return
            if about["port"] == 80 and request.target in ("/__lab__/log", "/__lab__/stats"):
                keep_alive = await self._account(writer, request)
                continue
            if request.lists("expect", "100-continue"):
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await read_body(reader, request)
            number += 1
            record = _record(request, about, number)
            self._counts["requests"] += 1
            self._log.append(record)
            if websocket.is_upgrade(request):
                accept = websocket.accept_value(request)
                headers = [
                    ("Upgrade", "websocket"),
                    ("Connection", "Upgrade"),
                    ("Sec-WebSocket-Accept", accept),
                ]
                write_head(writer, 101, [*headers, ("X-Lab-Arrived", record["url"])], keep_alive=True)
                await websocket.echo(reader, writer)
                return
            page = self._applications.answer(request, about)
            if page is None:
                keep_alive = await answer(writer, request, record)
            else:
                keep_alive = await write_page(writer, request, page, record)

    async def _account(self, writer: asyncio.StreamWriter, request: Request) -> bool:
        told = list(self._log) if request.target.endswith("log") else self._counts
        body = json.dumps(told).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        write_head(writer, 200, headers, request.keep_alive, request.version)
        writer.write(body)
        await writer.drain()
        return request.keep_alive

    @staticmethod
    async def _let_it_be_read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Closing with unread input resets the connection, and the peer may lose the answer.
        with contextlib.suppress(OSError, EOFError, TimeoutError):
            await writer.drain()
            async with asyncio.timeout(0.3):
                while await reader.read(_LINE_BYTES):
                    pass


def _record(request: Request, about: dict[str, Any], number: int) -> dict[str, Any]:
    scheme = "https" if about["tls"] else "http"
    return {
        **about,
        "method": request.method,
        "target": request.target,
        "version": request.version,
        "headers": [list(header) for header in request.headers],
        "body_length": request.body_length,
        "body_sha256": request.body_sha256,
        "url": f"{scheme}://{request.first('host') or ''}{request.target}",
        "request_number_on_connection": number,
    }
