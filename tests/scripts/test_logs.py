"""The access log as a real nginx writes it, and as a host looks through its own."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.deploys import host_log
from gateway.deploys.host_log import HostLog
from gateway.onhost import scripts

from .test_real_nginx import BODY, Room, _release, _why_not, host_with
from .test_refusals import _exchange, _request

CODE = "C0deOfOneLogin"
BEIJING = "+08:00"
OLD = '10.0.0.9 - [2026-11-27T01:00:00+08:00] a.edu.cn:80 "GET /x" 200 1 0.001s upstream=-:- -s "agent"'
IDS = [f"{number:032x}" for number in range(40)]


def line(number: int, **fields: Any) -> str:
    """A line as nginx writes it, a minute after the one before."""
    when = datetime(2026, 11, 27, 23, 50, tzinfo=UTC) + timedelta(minutes=number)
    local = (when + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M:%S")
    usual = {"time": f"{local}{BEIJING}", "request_id": IDS[number], "site": "a.edu.cn", "port": 443}
    usual |= {"client": "10.0.0.9", "method": "GET", "path": "/x", "status": 200, "bytes": 1, "seconds": 0.1}
    usual |= {"upstream": "", "upstream_status": "", "upstream_seconds": "", "tls": "", "user_agent": "phone"}
    return json.dumps(usual | fields, separators=(",", ":"), ensure_ascii=False)


class Logs:
    """A host's folder of logs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._age = 0

    def write(self, name: str, *lines: str | bytes) -> None:
        """Each file that is written is older than the one before, nginx's own the newest."""
        packed = {".gz": gzip.compress, ".xz": lzma.compress, ".bz2": bz2.compress}.get(Path(name).suffix, bytes)
        text = b"".join((one if isinstance(one, bytes) else one.encode()) + b"\n" for one in lines)
        (self.folder / name).write_bytes(packed(text))
        self._age += 3600
        age = 0 if name == "wecom-gateway.access.log" else self._age
        written = datetime(2026, 11, 28, 1, tzinfo=UTC).timestamp() - age
        os.utime(self.folder / name, (written, written))

    def run(self, *arguments: str, most_bytes: int = 4_000_000) -> subprocess.CompletedProcess[str]:
        script = scripts.text("logs").replace("/var/log/nginx", str(self.folder))
        script = script.replace("most_bytes=4000000", f"most_bytes={most_bytes}")
        return subprocess.run(
            ["bash", "-c", script, "wecom-gateway", *arguments], capture_output=True, text=True, check=False
        )

    def ask(
        self,
        request_id: str = "-",
        site: str = "-",
        status: str = "-",
        since: float = 0,
        lines: int = 50,
        most_bytes: int = 4_000_000,
    ) -> HostLog:
        done = self.run(request_id, site, status, str(int(since)), str(lines), most_bytes=most_bytes)
        assert (done.returncode, done.stderr) == (0, "")
        return host_log.read(done.stdout.splitlines())


@pytest.fixture
def logs(tmp_path) -> Logs:
    made = Logs(tmp_path)
    made.write("wecom-gateway.access.log", line(30), line(31, status=502, site="b.edu.cn"), line(32, status=499))
    made.write("wecom-gateway.access.log.1", line(20, status=504), line(21))
    made.write("wecom-gateway.access.log.2.gz", OLD, line(10, site="b.edu.cn"))
    made.write("wecom-gateway.access.log-20261101.xz", line(5))
    made.write("wecom-gateway.access.log-20261031.bz2", line(4))
    made.write("access.log", line(1))
    made.write("wecom-gateway.error.log", "nothing")
    return made


def _ids(found: HostLog) -> list[int]:
    return [int(one.text("request_id"), 16) for one in found.lines]


def test_lines_of_all_files_are_found_the_newest_last_and_old_ones_counted(logs):
    found = logs.ask()
    assert _ids(found) == [4, 5, 10, 20, 21, 30, 31, 32]
    assert (found.found, found.older, found.unread) == (8, 1, 0)


def test_each_option_chooses(logs):
    assert _ids(logs.ask(IDS[10])) == [10]
    assert _ids(logs.ask(IDS[11])) == []
    assert _ids(logs.ask(site="b.edu.cn")) == [10, 31]
    assert _ids(logs.ask(site="edu.cn")) == []
    assert _ids(logs.ask(status="5xx")) == [20, 31]
    assert _ids(logs.ask(status="499")) == [32]
    assert _ids(logs.ask(site="b.edu.cn", status="5xx")) == [31]
    newest = logs.ask(lines=2)
    assert (_ids(newest), newest.found) == ([31, 32], 8)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "UTC", "America/Lima"])
def test_since_counts_by_the_zone_of_the_line_and_not_of_the_host(logs, zone, monkeypatch):
    monkeypatch.setenv("TZ", zone)
    since = datetime(2026, 11, 27, 23, 50, tzinfo=UTC) + timedelta(minutes=31)
    for path in logs.folder.iterdir():
        os.utime(path)
    assert _ids(logs.ask(since=since.timestamp())) == [31, 32]
    west = line(0).replace("2026-11-28T07:50:00+08:00", "2026-11-27T18:20:00-05:30")
    logs.write("wecom-gateway.access.log", west)
    moment = datetime(2026, 11, 27, 23, 50, tzinfo=UTC).timestamp()
    os.utime(logs.folder / "wecom-gateway.access.log")
    assert 0 in _ids(logs.ask(since=moment))
    assert 0 not in _ids(logs.ask(since=moment + 1))


def test_a_file_that_nobody_has_written_to_since_is_not_even_opened(logs):
    (logs.folder / "wecom-gateway.access.log.2.gz").write_bytes(b"no gzip")
    os.utime(logs.folder / "wecom-gateway.access.log.2.gz", (0, 0))
    assert logs.ask(since=1).unread == 0
    assert logs.ask().unread == 1


def test_a_visitor_cannot_send_what_looks_like_a_field(logs):
    forged = f'x","site":"b.edu.cn","status":502,"request_id":"{IDS[39]}","'
    logs.write("wecom-gateway.access.log", line(33, user_agent=forged, path=forged))
    assert 33 not in _ids(logs.ask(site="b.edu.cn"))
    assert 33 not in _ids(logs.ask(status="502"))
    assert _ids(logs.ask(IDS[39])) == []
    (kept,) = logs.ask(IDS[33]).lines
    assert kept.text("user_agent") == forged


def test_bytes_that_are_no_characters_and_halves_of_lines_end_nothing(logs):
    odd = line(33, path="/@").encode().replace(b"@", b"\xff\xfe")
    logs.write("wecom-gateway.access.log", odd, line(34)[:80], "x", b"\x00\x00" + line(35).encode())
    found = logs.ask(lines=3)
    assert _ids(found) == [33, 35]
    assert found.lines[0].text("path") == "/\ufffd\ufffd"
    # with the old one in the file before
    assert (found.found, found.older) == (7, 3)


def test_an_answer_is_bounded_whatever_is_asked_for(logs):
    logs.write("wecom-gateway.access.log", *(line(33, path="/" + "x" * 30_000) for _ in range(300)), line(34))
    found = logs.ask(lines=5000)
    assert 100 < len(found.lines) < found.found
    assert _ids(found)[-1] == 34


@pytest.mark.parametrize("agent", ["count x ", "line [", "said x "])
def test_where_an_answer_is_cut_no_visitor_can_speak_for_the_host(logs, agent):
    """The cut goes through a line, and what is left of it may begin with anything that was sent."""
    for name in logs.folder.glob("wecom-gateway.*"):
        name.unlink()
    for padding in range(len(agent)):
        logs.write("wecom-gateway.access.log", *(line(number, user_agent=agent * 400) for number in range(3)))
        found = logs.ask(most_bytes=5000 + padding)
        assert (_ids(found), found.found, found.older, found.unread) == ([2], 3, 0, 0)


def test_what_nginx_said_of_that_request_comes_with_it(logs):
    logs.write("wecom-gateway.access.log", line(33, status=502, seconds=2.0, path="/学", site="a.edu.cn"))
    before = "[error] 7#7: *5 connect() failed (111: Connection refused), client: "
    request = 'request: "GET /%E5%AD%A6", upstream: "https://10.0.0.5:443", host: "a.edu.cn"'
    right = f"2026/11/28 08:22:58 {before}10.0.0.9, server: shared.edu.cn, {request}"
    others = [
        right.replace("10.0.0.9", "10.0.0.99"),
        right.replace("08:22:58", "08:22:50"),
        right.replace("08:22:58", "08:23:01"),
        right.replace('"a.edu.cn"', '"b.edu.cn"'),
        right.replace("GET", "POST"),
        right.replace("%E5%AD%A6", "y"),
    ]
    logs.write("wecom-gateway.error.log", right, *others)
    logs.write("wecom-gateway.error.log.2.gz", others[0])
    assert logs.ask(IDS[33]).said == (right,)
    assert logs.ask(site="a.edu.cn").said == ()


def test_a_host_without_a_log_says_so(tmp_path):
    done = Logs(tmp_path).run("-", "-", "-", "0", "5")
    assert done.returncode == 1
    assert done.stderr.endswith("wecom-gateway.access.log; deploy this host first\n")
    done = Logs(tmp_path / "gone").run("-", "-", "-", "0", "5")
    assert "cannot be read; set _sudo" in done.stderr


NASTY = {
    "code": (80, "", _request(f"GET /x?code={CODE}&state=1")),
    "encoded": (80, "", _request(f"GET /x%3Fcode={CODE}")),
    "fragment": (80, "", _request(f"GET /x%23code={CODE}")),
    "session": (80, "", _request(f"GET /x;jsessionid={CODE}")),
    "referer": (80, "", _request("GET /x", f"Referer: https://c.cn/?code={CODE}")),
    "cookie": (80, "", _request("GET /x", f"Cookie: {CODE}", f"Authorization: {CODE}")),
    "own id": (80, "", _request("GET /x", f"X-Request-Id: {'f' * 32}")),
    "quotes": (80, "", _request("GET /%22,%22status%22:200,%22", 'User-Agent: a"b\\c\t{"x":1}')),
    "control": (80, "", _request("GET /%01%1f%0a%7f%c2%85")),
    "no UTF-8": (80, "", _request("GET /%ff%fe", "User-Agent: \u0100\xff")),
    "Chinese": (80, "", _request("GET /%E5%AD%A6%E6%A0%A1")),
    "two names": (80, "", _request("GET /x", "Host: a.edu.cn")),
    "bad length": (80, "", _request("POST /x", "Content-Length: x")),
    "coding": (80, "", _request("POST /x", "Transfer-Encoding: none-such")),
    "0.9": (80, "", "GET /x\r\n"),
    "1.0": (80, "", "GET /x HTTP/1.0\r\nHost: a.edu.cn\r\n\r\n"),
    "9.9": (80, "", _request("GET /x", version="9.9")),
    "no host": (80, "", "GET /x HTTP/1.1\r\n\r\n"),
    "CONNECT": (80, "", _request("CONNECT a.edu.cn:80")),
    "options": (80, "", _request("OPTIONS *")),
    "unreadable": (80, "", "GARBAGE\r\n\r\n"),
    "long line": (80, "", _request("GET /" + "x" * 40_000)),
    "long header": (80, "", _request("GET /x", "Cookie: " + "x" * 40_000)),
    "plain to TLS": (443, "", _request("GET /x", host="t.edu.cn")),
    "by TLS": (443, "t.edu.cn", _request("GET /nothing", host="t.edu.cn")),
    "no upstream": (443, "t.edu.cn", _request("GET /bserver/x", host="t.edu.cn")),
    "file": (443, "t.edu.cn", _request(f"GET /WW_verify_{BODY}.txt", host="t.edu.cn")),
}
NUMBERS = {"port": int, "status": int, "bytes": int, "seconds": float}
TEXTS = (
    *("time", "request_id", "site", "client", "method", "path", "upstream", "upstream_status", "upstream_seconds"),
    *("tls", "user_agent"),
)
FIELDS = NUMBERS | dict.fromkeys(TEXTS, str)


@pytest.mark.skipif(bool(_why_not()), reason=_why_not())
def test_every_line_that_nginx_writes_is_json_without_a_code_and_can_be_found(parse, store_pair, files, tmp_path):
    room, release = Room(tmp_path / "room"), _release(host_with(parse, store_pair, files))
    room.publish(release)
    room.then("activate", release.id, "deploy", "/etc/nginx/conf.d/wecom-gateway.conf")
    _exchange(room, NASTY, room.root)
    room.command("sleep 1.5")
    room.then("logs", "-", "-", "-", "0", "500", into="found")
    room.run()
    raw = (room.root / "var/log/nginx/wecom-gateway.access.log").read_bytes()
    assert CODE.encode() not in raw
    lines = [json.loads(one.decode(errors="replace")) for one in raw.splitlines()]
    for one in lines:
        assert {name: type(value) for name, value in one.items()} == FIELDS
        assert len(one["request_id"]) == 32
    assert len({one["request_id"] for one in lines}) == len(lines)
    assert "f" * 32 not in str(lines)
    assert [one["path"] for one in lines].count("/x") >= 8
    by_path = {one["path"]: one for one in lines}
    assert by_path["/学校"]["tls"] == ""
    assert by_path["/nothing"]["tls"] == "TLSv1.3"
    assert by_path['/","status":200,"']["user_agent"] == 'a"b\\c\t{"x":1}'
    assert by_path["/bserver/x"]["upstream"] != ""
    found = host_log.read(room.lines("found"))
    assert [dict(one.fields) for one in found.lines] == lines
    assert found.older == 0
    answers = json.loads((room.root / "answers").read_text())
    for name in ("code", "by TLS", "no upstream", "file", "no host", "two names"):
        head = answers[name].partition("\r\n\r\n")[0].lower()
        shown = [one.partition(": ")[2] for one in head.splitlines() if one.startswith("x-request-id: ")]
        assert name == "no host" or shown[0] in {one["request_id"] for one in lines}, name
        assert len(shown) <= 1


class Sizes:
    """logsize.sh on a folder of logs, on a disk of so many kilobytes."""

    def __init__(self, folder: Path, kilobytes: int) -> None:
        self.log = folder / "wecom-gateway.access.log"
        self.full = folder / "wecom-gateway.access.log.full"
        stand_ins = (
            f"df() {{ printf 'head\\nx {kilobytes} 1 1\\n'; }}; master_pid() {{ echo $$; }}; trap 'echo told' USR1"
        )
        before, own = scripts.text("logsize").split("# Run every minute", 1)
        self._script = f"{before}\n{stand_ins}\n# {own}".replace("/var/log/nginx", str(folder))

    def look(self) -> str:
        done = subprocess.run(["bash", "-c", self._script], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout


def test_a_log_that_is_too_large_for_its_disk_goes_aside_and_nginx_is_told(tmp_path):
    sizes = Sizes(tmp_path, 200)
    sizes.log.write_bytes(b"x" * 10_240)
    sizes.log.chmod(0o640)
    os.chown(sizes.log, 33, 4)
    assert sizes.look() == ""
    assert not sizes.full.exists()
    with sizes.log.open("ab") as nginx:
        nginx.write(b"x")
        nginx.flush()
        said = sizes.look()
        nginx.write(b"y")
    assert said == f"<4>{sizes.log} was over 0 MB and is now {sizes.full}\ntold\n"
    assert sizes.full.read_bytes() == b"x" * 10_241 + b"y"
    assert sizes.log.read_bytes() == b""
    new = sizes.log.stat()
    assert (new.st_mode & 0o777, new.st_uid, new.st_gid) == (0o640, 33, 4)
    assert sizes.look() == ""
    sizes.log.write_bytes(b"z" * 10_241)
    sizes.look()
    assert sizes.full.read_bytes()[:1] == b"z"
    assert sorted(path.name for path in tmp_path.iterdir()) == [sizes.log.name, sizes.full.name]


def test_what_went_aside_is_gone_after_two_weeks_and_found_until_then(tmp_path):
    sizes, logs = Sizes(tmp_path, 10_000_000_000), Logs(tmp_path)
    logs.write("wecom-gateway.access.log", line(2))
    logs.write("wecom-gateway.access.log.full", line(1))
    assert _ids(logs.ask()) == [1, 2]
    now = datetime.now(UTC).timestamp()
    os.utime(sizes.full, (now - 13 * 86400,) * 2)
    sizes.look()
    assert sizes.full.exists()
    os.utime(sizes.full, (now - 16 * 86400,) * 2)
    sizes.look()
    assert not sizes.full.exists()
    assert sizes.log.exists()


def test_a_host_without_logs_has_none_to_look_at(tmp_path):
    assert Sizes(tmp_path, 200).look() == ""
