"""What a real nginx says of requests that fail: why, in a log of the gateway's own, and nowhere a login code."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from gateway.deploys.neighbours import ENTRIES
from gateway.onhost import scripts
from gateway.onhost.constants import ERROR_LOG, ERROR_SOCKET

from .test_real_nginx import Room, _release, host, pytestmark

__all__ = ["host", "pytestmark"]

CODE = "S3cret"
# Stands for systemd: has the socket, and hands it to the script. Beside it a platform that cannot prove its name.
_HEARS = """
import os, socket, sys
os.makedirs(os.path.dirname(sys.argv[1]), exist_ok=True)
heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
heard.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
os.dup2(heard.fileno(), 0)
os.execvp("perl", ["perl", *sys.argv[2:]])
"""
_PLATFORM = """
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(*sys.argv[1:])
with socket.create_server(("127.0.0.1", 8443)) as listener:
    while True:
        connection, _ = listener.accept()
        try:
            context.wrap_socket(connection, server_side=True).recv(1)
        except OSError:
            pass
        connection.close()
"""
_ASKS = """
import json, socket, ssl, sys, time
answers = []
for port, name, head, size in json.load(open(sys.argv[1])):
    began = time.monotonic()
    connection = socket.create_connection(("127.0.0.1", port), timeout=5)
    if name:
        connection = ssl._create_unverified_context().wrap_socket(connection, server_hostname=name)
    connection.sendall(head.encode() + b"x" * size)
    answers.append([connection.recv(65536).split(b"\\r\\n")[0].decode(), time.monotonic() - began])
    connection.close()
print(json.dumps(answers))
"""
_LONG = "GET /o/bk_itsm/weixin/long?{} HTTP/1.1\r\nHost: a.edu.cn\r\n\r\n"


def _get(path: str, name: str, more: str = "", method: str = "GET") -> str:
    referer = f"Referer: https://{name}/from?code={CODE}"
    return f"{method} {path}?code={CODE}&state=1 HTTP/1.1\r\nHost: {name}\r\n{referer}\r\n{more}\r\n"


BY_HTTP = (80, "", _get("/o/bk_itsm/weixin/plain", "a.edu.cn"), 0)
BY_TLS = (443, "t.edu.cn", _get("/bserver/tls", "t.edu.cn"), 0)
# nginx has no place to put it
LARGE = (80, "", _get("/o/bk_itsm/weixin/large", "a.edu.cn", "Content-Length: 600000\r\n", "POST"), 600000)
TOO_LARGE = (443, "t.edu.cn", _get("/bserver/toolarge", "t.edu.cn", "Content-Length: 9000000000\r\n", "POST"), 0)
CUT = (80, "", _LONG.format("a" * 1000 + f"&code={CODE}&" + "b" * 30000), 0)
ODD = (80, "", f'GET /o/bk_itsm/weixin/odd?a="b"?c=",host:"&code={CODE} HTTP/1.1\r\nHost: a.edu.cn\r\n\r\n', 0)
NOBODY = (80, "", _get("/nobody", "nobody.example"), 0)
NOT_HTTP = (80, "", f"GET /x?code={CODE} HTTP/9.9\r\n\r\n", 0)


class Desk(Room):
    """A host on which nginx may be heard, and asked."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        for name, text in (("hears", _HEARS), ("platform", _PLATFORM), ("asks", _ASKS)):
            (root / f"{name}.py").write_text(text)
        (root / "errors.pl").write_text(scripts.perl("errors"))
        self._asked = 0

    def hear(self) -> None:
        root = self.root
        self.command(f"{sys.executable} {root}/hears.py {ERROR_SOCKET} {root}/errors.pl {ERROR_LOG} & heard=$!")
        self.command(f"for _ in $(seq 100); do [ ! -S {ERROR_SOCKET} ] || break; sleep 0.1; done")

    def ask(self, *requests: tuple[int, str, str, int]) -> str:
        """Asks; the answers are in the file that this returns."""
        name = f"asked{self._asked}"
        self._asked += 1
        (self.root / f"{name}.json").write_text(json.dumps(requests))
        self.command(f"{sys.executable} {self.root}/asks.py {self.root}/{name}.json >{self.root}/{name}")
        return name

    def reload(self) -> None:
        """Has nginx read its configuration anew, and waits until its former workers take no more requests."""
        self.command("old=$(cat /proc/$(</run/nginx.pid)/task/*/children); systemctl kill")
        taking = "grep -qsxz 'nginx: worker process' $(printf '/proc/%s/cmdline ' $old)"
        self.command(f"for _ in $(seq 100); do {taking} || break; sleep 0.1; done")

    def statuses(self, name: str) -> list[str]:
        answers = json.loads((self.root / name).read_text())
        assert max(seconds for _, seconds in answers) < 3, "a request has waited for the log"
        return [line.split(" ")[1] if line else "" for line, _ in answers]

    def logged(self, name: str) -> str:
        path = self.root / "var/log/nginx" / name
        return path.read_text(errors="replace") if path.exists() else ""

    def logs(self) -> str:
        return "".join(self.logged(path.name) for path in (self.root / "var/log/nginx").iterdir())


def test_reasons_are_there_and_codes_nowhere_whether_anybody_listens_or_not(host, files, tmp_path):
    room, first = Desk(tmp_path / "room"), _release(host)
    second = _release(host, foreign_limits=True)
    for release in (first, second):
        room.publish(release)
    room.then("activate", first.id, "deploy", ENTRIES[0])
    pair = files / "certs" / "t.edu.cn"
    room.command(f"{sys.executable} {tmp_path}/room/platform.py {pair}/fullchain.pem {pair}/privkey.pem &")
    everything = (BY_HTTP, BY_TLS, LARGE, TOO_LARGE, CUT, ODD, NOBODY, NOT_HTTP)
    unheard = room.ask(*everything)

    room.hear()
    unresolved = room.ask(BY_HTTP)
    for name, port in (("paas.inner.example", 9), ("api.17wanxiao.com", 8443)):
        room.command(f"echo 'server 127.0.0.1:{port};' >/etc/nginx/wecom-gateway/upstreams/{name}_443.conf")
    room.reload()
    room.command("rm -rf /var/lib/nginx/body")
    heard = room.ask(*everything)

    room.command("kill -9 $heard; sleep 0.2")
    dead = room.ask(*everything)
    room.command(f"rm {ERROR_SOCKET}; nginx -t -q")
    room.reload()
    room.command("rm -rf /var/lib/nginx/body")
    gone = room.ask(*everything)

    room.hear()
    room.then("activate", second.id, "deploy", ENTRIES[0])
    later = room.ask((80, "", _get("/o/bk_itsm/weixin/later", "a.edu.cn"), 0))
    room.command("sleep 0.5")
    room.run()

    assert CODE not in room.logs()
    for name in (heard, dead, gone):
        assert room.statuses(name) == ["502", "502", "500", "413", "502", "502", "", ""]
    assert room.statuses(unheard)[0] == room.statuses(unresolved)[0] == room.statuses(later)[0] == "502"

    said = room.logged("wecom-gateway.error.log")

    def line(path: str) -> str:
        return next(one for one in reversed(said.splitlines()) if f'/{path}"' in one)

    whose = 'client: 127.0.0.1, server: a.edu.cn, request: "GET /o/bk_itsm/weixin/plain", upstream: "https://'
    assert f"no live upstreams while connecting to upstream, {whose}wecom_gateway_paas.inner.example_443" in said
    assert "connect() failed (111: Connection refused) while connecting to upstream" in line("plain")
    assert f'{whose}127.0.0.1:9", host: "a.edu.cn"' in line("plain")
    assert "upstream SSL certificate verify error: (18:" in line("tls")
    assert "[crit]" in line("large")
    assert "client intended to send too large body: 9000000000 bytes" in line("toolarge")
    assert "connect() failed" in line("long")
    assert "connect() failed" in line("odd")
    assert "connect() failed" in line("later")
    # nginx's own log has what is no request's
    assert "connect() failed (2: No such file or directory)" in room.logged("error.log"), "that nobody listened"
    assert "upstream" not in room.logged("error.log")
