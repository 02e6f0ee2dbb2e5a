"""Requests that nginx refuses itself, and verification files whatever a request asks for, by a real nginx."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gateway.deploys.neighbours import ENTRIES
from gateway.fleet.host import Host

from .test_real_nginx import BODY, SITES, Room, _release, _why_not, host_with

pytestmark = pytest.mark.skipif(bool(_why_not()), reason=_why_not())

FILE = f"/WW_verify_{BODY}.txt"
JSON = "Accept: application/json"
LONG = "x" * 40_000

# One more, which shares a server with the first and has no file.
WITHOUT = {**SITES[0], "domain": "b.edu.cn"}


@pytest.fixture
def host(parse, store_pair, files) -> Host:
    return host_with(parse, store_pair, files, WITHOUT)


# Sends requests as they are. Each has a name, a port, what TLS is to be asked for by, and its text.
_SENDER = """
import json, socket, ssl, sys
found = {}
for name, port, tls, text in json.load(open(sys.argv[1])):
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    if tls:
        connection = ssl._create_unverified_context().wrap_socket(connection, server_hostname=tls)
    answer = b""
    try:
        connection.sendall(text.encode())
        while piece := connection.recv(65536):
            answer += piece
    except OSError as error:
        answer += repr(error).encode()
    connection.close()
    found[name] = answer.decode("utf-8", "replace")
print(json.dumps(found))
"""


class Answer(NamedTuple):
    status: int
    kind: str
    body: str


def _read(text: str) -> Answer:
    head, _, body = text.partition("\r\n\r\n")
    status = re.match(r"HTTP/[\d.]+ (\d+)", head)
    kind = re.search(r"(?im)^content-type: *([^;\r]*)", head)
    return Answer(int(status[1]) if status else 0, kind[1] if kind else "", body)


def _request(line: str, *headers: str, host: str = "a.edu.cn", body: str = "", version: str = "1.1") -> str:
    return "\r\n".join([f"{line} HTTP/{version}", f"Host: {host}", *headers, "Connection: close", "", body])


def _exchange(room: Room, requests: dict[str, tuple[int, str, str]], root: Path) -> None:
    (root / "sender.py").write_text(_SENDER)
    (root / "requests").write_text(json.dumps([[name, *rest] for name, rest in requests.items()]))
    room.command(f"{sys.executable} {root}/sender.py {root}/requests >{root}/answers")


def _ask(host: Host, root: Path, requests: dict[str, tuple[int, str, str]], *commands: str) -> dict[str, Answer]:
    """What the host's nginx answers to these requests. The commands run after them."""
    room, release = Room(root), _release(host)
    room.publish(release)
    room.then("activate", release.id, "deploy", ENTRIES[0])
    _exchange(room, requests, root)
    for command in commands:
        room.command(command)
    room.run()
    found: dict[str, Any] = json.loads((root / "answers").read_text())
    return {name: _read(text) for name, text in found.items()}


REFUSED = {
    "POST for a file": (405, _request(f"POST {FILE}", JSON, "Content-Length: 2", body="ab")),
    "POST for a file, with conditions": (
        405,
        _request(f"POST {FILE}", JSON, 'If-Match: "x"', "Content-Length: 2", body="ab"),
    ),
    "PUT": (405, _request(f"PUT {FILE}", JSON)),
    "TRACE": (405, _request("TRACE /", JSON)),
    "two names": (400, _request("GET /", JSON, "Host: a.edu.cn")),
    "length that is none": (400, _request("POST /o/bk_itsm/weixin/", JSON, "Content-Length: x")),
    "chunk that is none": (
        400,
        _request("POST /o/bk_itsm/weixin/", JSON, "Transfer-Encoding: chunked", body="ZZ\r\n"),
    ),
    "unknown coding": (501, _request("POST /o/bk_itsm/weixin/", JSON, "Transfer-Encoding: none-such")),
    "body too large": (413, _request("POST /o/bk_itsm/weixin/", JSON, f"Content-Length: {1 << 40}")),
    "line too long": (431, _request("GET /", JSON, f"Cookie: {LONG}")),
    "a page that is nobody's": (404, _request("GET /.wecom-gateway-error.json", JSON)),
    "the page itself": (404, _request("GET /.wecom-gateway-error.html", JSON)),
    "its beginning": (404, _request("GET /.wecom-gateway-error", JSON)),
    "nginx's question to itself": (404, _request(f"GET /verify/a.edu.cn{FILE}", JSON)),
    "a path that no file has": (404, _request(f"GET /conditional{FILE}", JSON)),
}


def test_who_accepts_json_gets_json_whatever_nginx_refuses(host, tmp_path):
    """A program that asked for JSON and gets a page fails with an error of its parser, not with the message."""
    root = tmp_path / "room"
    as_json = {name: (80, "", text) for name, (_, text) in REFUSED.items()}
    as_page = {f"{name}, page": (80, "", text.replace(f"{JSON}\r\n", "")) for name, (_, text) in REFUSED.items()}
    unread = {
        "address too long": (80, "", _request(f"GET /{LONG}", JSON)),
        "cookie before the wish": (80, "", _request("GET /", f"Cookie: {LONG}", JSON)),
        "HEAD": (80, "", _request("HEAD /", JSON, "Host: a.edu.cn")),
        "plain": (443, "", _request("GET /", JSON, host="t.edu.cn")),
        "unreadable": (80, "", "GARBAGE\r\n\r\n"),
        "by TLS": (443, "t.edu.cn", _request(f"POST {FILE}", JSON, "Content-Length: 1", host="t.edu.cn", body="x")),
    }
    log = f"sleep 2; cp /var/log/nginx/wecom-gateway.access.log {root}/log"
    answers = _ask(host, root, {**as_json, **as_page, **unread}, log)
    for name, (status, _) in REFUSED.items():
        assert answers[name][:2] == (status, "application/json"), name
        assert json.loads(answers[name].body)["status"] == status
        page = answers[f"{name}, page"]
        assert page[:2] == (status, "text/html"), name
        assert "请求编号" in page.body
    # before nginx has read what the client accepts, it has to be a page
    assert answers["address too long"][:2] == (414, "text/html")
    assert answers["cookie before the wish"][:2] == (431, "text/html")
    assert answers["HEAD"] == (400, "application/json", "")
    assert answers["plain"][:2] == (400, "application/json")
    assert answers["unreadable"] == (0, "", "")
    assert answers["by TLS"][:2] == (405, "application/json")
    # the id leads to the line of the request as it was
    told = json.loads(answers["POST for a file"].body)["request_id"]
    lines = [json.loads(line) for line in (root / "log").read_text().splitlines()]
    (line,) = [line for line in lines if line["request_id"] == told]
    assert (line["method"], line["path"], line["status"]) == ("POST", FILE, 405)


CONDITIONS = (
    'If-Match: "x"',
    "If-Match: *",
    "If-None-Match: *",
    'If-None-Match: "x"',
    "If-Unmodified-Since: Thu, 01 Jan 1960 00:00:00 GMT",
    "If-Unmodified-Since: yesterday",
    "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT",
    "If-None-Match: *\r\nIf-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT",
    "Range: bytes=1-3",
    "Range: bytes=100-",
    "If-Match: *\r\nRange: bytes=1-3",
    "Range: bytes=1-3\r\nIf-Range: Thu, 01 Jan 1970 00:00:00 GMT",
)


def test_a_verification_file_is_answered_whole_whatever_a_request_makes_a_condition(host, tmp_path):
    root = tmp_path / "room"
    doors = {"slb": (80, "", "a.edu.cn"), "tls": (443, "t.edu.cn", "t.edu.cn"), "80": (80, "", "t.edu.cn")}
    requests = {
        f"{door}: {condition}": (port, tls, _request(f"GET {FILE}", condition, host=name))
        for door, (port, tls, name) in doors.items()
        for condition in CONDITIONS
    }
    whole = list(requests)
    old = {"HTTP/1.0": (80, "", _request(f"GET {FILE}", CONDITIONS[0], version="1.0"))}
    head = {"HEAD": (80, "", _request(f"HEAD {FILE}", CONDITIONS[0]))}
    odd = {"odd spelling": (80, "", _request(f"GET /%57{FILE[2:]}?x=1", CONDITIONS[0], host="A.EDU.CN.:80"))}
    # of the sites that share a server one has it
    missing = {"missing": (80, "", _request(f"GET {FILE}", CONDITIONS[0], JSON, host="b.edu.cn"))}
    answers = _ask(host, root, {**requests, **old, **head, **odd, **missing})
    for name in (*whole, *old, *odd):
        assert answers[name] == (200, "text/plain", BODY), name
    assert answers["HEAD"] == (200, "text/plain", "")
    assert answers["missing"][:2] == (404, "application/json")


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl is installed")
def test_by_http_2_it_is_the_same(host, tmp_path):
    root = tmp_path / "room"
    file, wish = f"https://t.edu.cn{FILE}", ("-H", JSON)
    asked = [
        *((("-H", condition, file), (200, "text/plain", BODY)) for condition in CONDITIONS if "\r" not in condition),
        (("-I", "-H", CONDITIONS[0], file), (200, "text/plain", "")),
        (("-d", "x", *wish, file), (405, "application/json")),
        (("-d", "x", file), (405, "text/html")),
        (("-X", "TRACE", *wish, "https://t.edu.cn/"), (405, "application/json")),
        ((*wish, "https://t.edu.cn/.wecom-gateway-error.json"), (404, "application/json")),
    ]
    curl = "curl -ski --http2 --max-time 10 --resolve t.edu.cn:443:127.0.0.1"
    words = [" ".join(f"'{argument}'" for argument in arguments) for arguments, _ in asked]
    _ask(host, root, {}, *(f"{curl} {line} >{root}/h2.{number}" for number, line in enumerate(words)))
    for number, (arguments, wanted) in enumerate(asked):
        text = (root / f"h2.{number}").read_bytes().decode()
        assert text.startswith("HTTP/2 "), arguments
        assert _read(text)[: len(wanted)] == wanted, arguments
