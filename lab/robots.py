"""A stand-in for WeCom's group robots, with the rules of the real one that a client can break."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "693axxx6-7aoc-4bc4-97a0-0ec2sifa5aaa"
# https://developer.work.weixin.qq.com/document/path/91770
_LONGEST, _A_MINUTE = 4096, 20


class Robots:
    """One robot, its messages, and what it answers in their place where a test wants that."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/cgi-bin/webhook/send?key={KEY}"
        self.messages: list[str] = []
        self.answers: list[tuple[int, bytes]] = []

    def judge(self, path: str, kind: str, body: bytes) -> tuple[int, bytes]:
        if self.answers:
            return self.answers.pop(0)
        code = self._code(path, kind, body)
        return 200, json.dumps({"errcode": code, "errmsg": "ok" if code == 0 else "refused, hint: [1]"}).encode()

    def _code(self, path: str, kind: str, body: bytes) -> int:
        if parse_qs(urlsplit(path).query).get("key") != [KEY]:
            return 93000
        if not kind.startswith("application/json"):
            return 40008
        data: dict[str, Any] = json.loads(body)
        if data.get("msgtype") != "markdown":
            return 40008
        content: str = data["markdown"]["content"]
        if not content:
            return 44004
        if len(content.encode()) > _LONGEST:
            return 40058
        if len(self.messages) >= _A_MINUTE:
            return 45009
        self.messages.append(content)
        return 0


@contextmanager
def robots() -> Iterator[Robots]:
    """Robots on a port of their own."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, answer = known.judge(self.path, self.headers.get("Content-Type", ""), body)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", f"http://127.0.0.1:{server.server_port}/elsewhere?key={KEY}")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known = Robots(server.server_port)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
