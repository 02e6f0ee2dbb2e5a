"""A rendered release on the nginx of this machine, in a network of its own with upstreams on addresses of their own.

Runs as a program inside that network: `python network.py FOLDER`. FOLDER/plan.json says which upstreams there are and
what is asked; FOLDER/answers.json gets what came back. The tests' side is tests/scripts/upstreams_here.py.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

_LOOPBACK = ("ip", "link", "set", "lo", "up")


class _Server:
    """One upstream. `kind`: "echo" tells what arrived; "silent" never answers; "drops" closes after it has read; "off"
    takes no connection and refuses none, as a machine that is switched off."""

    def __init__(self, spec: dict[str, Any], seen: list[str]) -> None:
        self._spec, self._seen, self._stopped = spec, seen, False
        self._socket = socket.create_server((spec["address"], spec["port"]), backlog=0 if spec["kind"] == "off" else 64)
        if spec["kind"] == "off":
            # What comes when its queue is full gets no answer.
            self._queued = [_started(spec["address"], spec["port"]) for _ in range(4)]
            return
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._spec.get("certificate"):
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(self._spec["certificate"], self._spec["key"])
                connection = context.wrap_socket(connection, server_side=True)
            while self._answer(connection):
                pass
        except (OSError, ValueError):
            pass
        connection.close()

    def _answer(self, connection: socket.socket) -> bool:
        head = b""
        while b"\r\n\r\n" not in head:
            more = connection.recv(65536)
            if not more:
                return False
            head += more
        text, _, body = head.partition(b"\r\n\r\n")
        first, *lines = text.decode("latin-1").split("\r\n")
        headers = [line.partition(": ")[::2] for line in lines]
        given = {name.lower(): value for name, value in headers}
        while len(body) < int(given.get("content-length", 0)):
            body += connection.recv(65536)
        name = f"{self._spec['address']}:{self._spec['port']}"
        method, target, _ = first.split(" ", 2)
        self._seen.append(f"{name} {method} {target}")
        if self._spec["kind"] == "silent":
            time.sleep(60)
        if self._spec["kind"] == "drops" or target == "/breaks":
            return False
        told = json.dumps({"server": name, "method": method, "target": target, "headers": headers}).encode()
        given_back = [value for key, value in headers if key.lower() == "x-give"]
        status = given.get("x-status", "200 OK")
        answer = [f"HTTP/1.1 {status}", f"Content-Length: {len(told)}", "Content-Type: application/json", *given_back]
        body = b"" if method == "HEAD" else told
        connection.sendall("\r\n".join(answer).encode() + b"\r\n\r\n" + body)
        return True


def _started(address: str, port: int) -> socket.socket:
    """A connection that is asked for and not waited for."""
    one = socket.socket()
    one.setblocking(False)
    one.connect_ex((address, port))
    return one


def _anybody() -> ssl.SSLContext:
    """Who answers is known: only this machine is in the network."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _ask(question: dict[str, Any]) -> dict[str, Any]:
    started = time.monotonic()
    try:
        plain = socket.create_connection(("127.0.0.1", question["port"]), timeout=20)
        if question["tls"]:
            plain = _anybody().wrap_socket(plain, server_hostname=question["host"])
        lines = [
            f"{question['method']} {question['target']} HTTP/1.1",
            f"Host: {question['host']}",
            "Connection: close",
        ]
        lines += [f"{name}: {value}" for name, value in question["headers"]]
        if question["method"] == "POST":
            lines.append("Content-Length: 3")
        plain.sendall(("\r\n".join(lines) + "\r\n\r\n" + ("a=b" if question["method"] == "POST" else "")).encode())
        answer = http.client.HTTPResponse(plain, method=question["method"])
        answer.begin()
        body = answer.read().decode("utf-8", "replace")
        got: dict[str, Any] = {"status": answer.status, "headers": answer.getheaders(), "body": body}
    except (OSError, http.client.HTTPException) as error:
        got = {"status": 0, "headers": [], "body": type(error).__name__}
    return {**got, "seconds": time.monotonic() - started}


def main(folder: Path) -> None:
    plan = json.loads((folder / "plan.json").read_text())
    subprocess.run(_LOOPBACK, check=True)
    for address in {one["address"] for one in plan["upstreams"]}:
        subprocess.run(["ip", "addr", "add", f"{address}/32", "dev", "lo"], check=True)
    seen: list[str] = []
    # Kept: whose socket nobody holds is closed.
    servers = [_Server(spec, seen) for spec in plan["upstreams"]]
    nginx = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf"), "-g", "daemon off;"], cwd=folder)
    deadline = time.monotonic() + 10
    while not (folder / "nginx.pid").exists() and time.monotonic() < deadline and nginx.poll() is None:
        time.sleep(0.05)
    time.sleep(0.2)
    answers = []
    for question in plan["questions"]:
        answers.append(_ask(question) | {"arrived": list(seen)})
        seen.clear()
    assert len(servers) == len(plan["upstreams"])
    nginx.terminate()
    nginx.wait(10)
    (folder / "answers.json").write_text(json.dumps(answers))


main(Path(sys.argv[1]))
