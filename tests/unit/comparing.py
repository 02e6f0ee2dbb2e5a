"""Two real servers on the loopback interface for tests of `verify --compare`: the gateway, and an old one."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from gateway.outside.compare import compare
from gateway.outside.compare_difference import Comparison
from gateway.outside.compare_servers import Server
from gateway.outside.places import Target
from gateway.outside.probe import Client, Door
from gateway.outside.visit import Visit

from .answering import FILE
from .pki import Issued

GATEWAY, OLD = "203.0.113.10", "203.0.113.5"
# What is asked: the path with its query, the Host header, and whether by TLS. What comes back: an answer, or nothing.
Handler = Callable[[str, str, bool], bytes]


def said(status: int = 200, body: bytes = b"", *headers: str) -> bytes:
    """An answer as it is sent."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Date: now", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def right(site: str, paths: dict[str, bytes], edge: str = "tls") -> Handler:
    """A gateway that does everything as it must: `paths` are what its upstreams answer."""

    def handle(target: str, host: str, tls: bool) -> bytes:
        if host.partition(":")[0] != site:
            return b""
        if target == f"/{FILE.name}" and ":" not in host:
            return said(200, FILE.body, "Content-Type: text/plain")
        if not tls and edge == "tls":
            return said(301, b"", f"Location: https://{site}{target}")
        place = host.partition(":")[2] + target.partition("?")[0]
        own = json.dumps({"request_id": "x", "message_zh": "x"}).encode()
        return paths.get(place) or said(404, own, "Content-Type: application/json")

    return handle


@dataclass
class LocalServer:
    """Serves `handle` by TLS and by plain http; `ports` has where each public port is, in place of the usual."""

    handle: Handler
    certificate: Issued
    tls: dict[int, bool] = field(default_factory=lambda: {443: True, 9001: True, 80: False})
    oldest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    closed_names: bool = True
    asked: list[str] = field(default_factory=list)


class LocalClient(Client):
    """Finds both servers' ports on the loopback interface; where there is none, nothing listens."""

    def __init__(self, ca: Path, doors: dict[tuple[str, int], int]) -> None:
        super().__init__(ca)
        self.doors = doors

    def _connection(
        self, door: Door, name: str, context: ssl.SSLContext
    ) -> contextlib._GeneratorContextManager[socket.socket]:
        port = self.doors.get((door.address, door.port), 1)
        return super()._connection(replace(door, address="127.0.0.1", port=port), name, context)


class Pair:
    """Both servers, and what they are asked."""

    def __init__(self, folder: Path, target: Target, authority: Issued, gateway: LocalServer, old: LocalServer) -> None:
        self.folder, self.target, self.gateway, self.old = folder, target, gateway, old
        (folder / "ca.pem").write_bytes(authority.pem)

    def compare(self, ports: Mapping[int, int] | None = None, old: str = OLD) -> Comparison:
        """The comparison of the two; `ports` are those that the old server has elsewhere, `old` its address."""
        with running(self.folder, {GATEWAY: self.gateway, OLD: self.old}) as doors:
            client = LocalClient(self.folder / "ca.pem", doors)
            return compare(Visit(self.target, GATEWAY, client), Server(old, ports or {}))

    def told(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Who is right and why, by check and trait."""
        return {(one.check, one.trait): (one.right, one.reason) for one in self.compare().differences}


@contextlib.contextmanager
def running(folder: Path, servers: dict[str, LocalServer]) -> Iterator[dict[tuple[str, int], int]]:
    """Runs the servers; where each of their ports is on the loopback interface."""
    doors: dict[tuple[str, int], int] = {}
    threads = []
    with contextlib.ExitStack() as stack:
        for address, server in servers.items():
            context = _context(folder, server)
            for port, tls in server.tls.items():
                listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
                doors[address, port] = listener.getsockname()[1]
                arguments = (listener, server, context if tls else None)
                threads.append(threading.Thread(target=_run, args=arguments, daemon=True))
                threads[-1].start()
        yield doors
    for thread in threads:
        thread.join(5)


def _context(folder: Path, server: LocalServer) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (folder / "chain.pem").write_bytes(server.certificate.pem)
    (folder / "key.pem").write_bytes(server.certificate.key_pem)
    context.load_cert_chain(folder / "chain.pem", folder / "key.pem")
    if server.oldest < ssl.TLSVersion.TLSv1_2:
        context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # an old server speaks what is obsolete
        context.minimum_version = server.oldest
    if server.closed_names:
        known = server.certificate.certificate.subject.rfc4514_string().removeprefix("CN=")
        refused = ssl.AlertDescription.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        context.sni_callback = lambda _socket, name, _context: None if name == known else refused
    return context


def _run(listener: socket.socket, server: LocalServer, context: ssl.SSLContext | None) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        with contextlib.suppress(OSError), plain:
            plain.settimeout(5)
            with context.wrap_socket(plain, server_side=True) if context else plain as connection:
                connection.sendall(_answer(connection.recv(4096), server, context is not None))


def _answer(request: bytes, server: LocalServer, tls: bool) -> bytes:
    if not request:
        return b""
    if not request.startswith(b"GET "):
        return said(400)
    lines = request.decode().split("\r\n")
    target = lines[0].split(" ")[1]
    host = next(line.removeprefix("Host: ") for line in lines if line.startswith("Host: "))
    server.asked.append(lines[0])
    return server.handle(target, host, tls)
