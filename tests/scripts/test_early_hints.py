"""What visitors get of a platform that sends 103 Early Hints, by the nginx that is installed here.

nginx knows them from 1.29 on. Before, nothing that it can be told helps but to give up kept connections and WebSockets:
the guide says so, and `verify` (gateway/outside/faults.py).
"""

from __future__ import annotations

import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from gateway.nginx.build import Build
from gateway.nginx.templates import render
from gateway.nginx.tls_profile import Version

from .test_cookies import NGINX, running

pytestmark = pytest.mark.skipif(not NGINX.is_file(), reason="no nginx is installed (apt-get install nginx)")

HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </x.css>; rel=preload\r\n\r\n"
REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: https://inner.example/y\r\nContent-Length: 0\r\n\r\n"

_HTTP = """
map $http_upgrade $wecom_gateway_upgrade { default ""; websocket websocket; }
map $http_upgrade $wecom_gateway_connection { default ""; websocket upgrade; }
upstream platform { server 127.0.0.1:@PLATFORM@; keepalive 4; }
server {
    listen 127.0.0.1:@PORT@;
    include @FOLDER@/headers.conf;
    include @FOLDER@/proxy.conf;
    location / {
        set $wecom_gateway_host inner.example;
        proxy_read_timeout 3s;
        proxy_redirect https://inner.example/ https://wx.school.edu.cn/;
        proxy_pass http://platform;
    }
}
"""


@pytest.fixture
def upstream() -> Iterator[int]:
    """The port of a platform that redirects, with hints where the path says so."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_serve, args=(listening,), daemon=True).start()
        yield listening.getsockname()[1]


def _serve(listening: socket.socket) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    with suppress(OSError), connection:
        while request := connection.recv(65536):
            if b" /hints " in request:
                connection.sendall(HINTS)
            connection.sendall(REDIRECT)


def _both(port: int, first: str) -> bytes:
    """What comes back for two requests on one connection, the second for /."""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        told = b""
        for path in (first, "/"):
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: wx.school.edu.cn\r\n\r\n".encode())
            with suppress(TimeoutError):
                while told.count(b"\r\n\r\n") < told.count(b" 103 ") + (1 if path == first else 2):
                    piece = connection.recv(65536)
                    if not piece:
                        break
                    told += piece
        return told


def test_early_hints_are_dropped_or_take_the_answer_with_them(upstream, tmp_path):
    said = subprocess.run([NGINX, "-v"], capture_output=True, text=True, check=True).stderr
    version = Version.parse(said)
    for name in ("headers", "proxy"):
        text = render(
            f"snippets/{name}.conf.j2", root=tmp_path, build=Build(version), stripped=[], own_says=frozenset()
        )
        (tmp_path / f"{name}.conf").write_text(text)
    http = _HTTP.replace("@FOLDER@", str(tmp_path)).replace("@PLATFORM@", str(upstream))
    with running(http, tmp_path) as port:
        plain, hinted = _both(port, "/plain"), _both(port, "/hints")
    mapped = re.compile(rb"Location: https://wx\.school\.edu\.cn/y")
    assert len(mapped.findall(plain)) == 2
    if version.number >= (1, 29, 0):
        assert len(mapped.findall(hinted)) == 2
        assert b" 103 " not in hinted
    else:
        # the platform's own redirect, and a connection on which nothing else is answered
        assert hinted.startswith(b"HTTP/1.1 103 ")
        assert hinted.count(b"Location: https://inner.example/y") == 1
        assert not mapped.search(hinted)
