"""The scripts of a host with a real nginx, which has a network and folders of its own: it serves what a deploy put
there, the host says so, and who is nobody's visitor gets nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gateway.deploys import health
from gateway.deploys.facts import GatewayState
from gateway.deploys.neighbours import ENTRIES
from gateway.deploys.objections import objections
from gateway.deploys.state import HostState
from gateway.fleet.host import Host
from gateway.nginx import release as releases
from gateway.nginx.build import Build
from gateway.nginx.release import Release
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree
from gateway.onhost import scripts
from gateway.onhost.constants import MAIN_FILE, MAIN_LINE

from .host_scripts import upload

NGINX = Path("/usr/sbin/nginx")
_BK = {"upstream": "https://paas.inner.example", "apps": ["bk_itsm"]}
SITES = (
    {"domain": "a.edu.cn", "edge": "slb", "platform": "bkitsm", "bk": _BK},
    {"domain": "t.edu.cn", "edge": "tls", "platform": "wanxiao_test"},
)
BODY = "AbCdEfGhIjKlMnOp"

# Stands for systemd, of which a namespace has none.
_SYSTEMCTL = """#!/bin/bash
pid=$(cat /run/nginx.pid 2>/dev/null || true)
case $1 in
    is-active) [[ ${*: -1} != nginx.service || -n $pid ]] ;;
    # without the script's locks, which systemd has not
    start) nginx 8>&- 9>&- ;;
    stop) nginx -s quit ;;
    kill) [ -e /run/deaf ] || kill -HUP "$pid" ;;
    show)
        if [ "$3" = MainPID ]; then echo "MainPID=${pid:-0}"; exit; fi
        echo "Id=nginx.service"
        echo LoadState=loaded
        echo UnitFileState=enabled
        echo Result=success
        echo "ActiveState=$([ -n "$pid" ] && echo active || echo inactive)"
        echo "MainPID=${pid:-0}" ;;
esac
"""
# Asks as visitors do; each answer is a status, or why there was none, and the body.
_VISITOR = """
import http.client, json, socket, ssl, sys
found = {}
for name, port, host, path, tls in json.loads(sys.argv[1]):
    plain = socket.create_connection(("127.0.0.1", port), timeout=5)
    try:
        if tls:
            context = ssl._create_unverified_context()
            plain = context.wrap_socket(plain, server_hostname=host)
        plain.sendall(f"GET {path} HTTP/1.1\\r\\nHost: {host}\\r\\nConnection: close\\r\\n\\r\\n".encode())
        answer = http.client.HTTPResponse(plain)
        answer.begin()
        found[name] = [answer.status, answer.read().decode("utf-8", "replace"), answer.getheader("location") or ""]
    except (OSError, http.client.HTTPException) as error:
        found[name] = [type(error).__name__, "", ""]
    plain.close()
print(json.dumps(found))
"""
_FOLDERS = (
    *("etc/nginx", "etc/systemd/system", "etc/dpkg/dpkg.cfg.d", "run", "usr/local/sbin", "var/lib/nginx"),
    *("var/log/nginx", "etc/logrotate.d"),
)


# Networks, mounts and processes of their own, which end with the first of them.
_NAMESPACES = ("unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child")


@cache
def _why_not() -> str:
    """Why these tests cannot run here; empty where they can."""
    if os.geteuid() != 0:
        return "only root may have namespaces of its own and ports below 1024 in them"
    if not NGINX.is_file() or not Path("/etc/nginx/nginx.conf").is_file():
        return "no nginx of Debian's package is installed (apt-get install nginx)"
    tried = subprocess.run([*_NAMESPACES, "true"], capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"no namespaces can be made here: {tried.stderr.strip()}"


pytestmark = pytest.mark.skipif(bool(_why_not()), reason=_why_not())


class Room:
    """A host of its own: its commands see the folders below `root` in the place of the machine's."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lines: list[str] = []
        for folder in _FOLDERS:
            (root / folder).mkdir(parents=True)
        shutil.rmtree(root / "etc/nginx")
        shutil.copytree("/etc/nginx", root / "etc/nginx", symlinks=True)
        (root / "etc/nginx/sites-enabled/default").unlink(missing_ok=True)
        (root / "run/systemd/system").mkdir(parents=True)
        program = root / "usr/local/sbin/systemctl"
        program.write_text(_SYSTEMCTL)
        program.chmod(0o755)

    def then(self, script: str, *arguments: str, stdin: str = "", into: str = "", fails: str = "") -> None:
        """The script next; what it prints goes `into` that file. Where it has to fail, why goes into file `fails`."""
        number = len(self._lines)
        (self.root / f"{number}.sh").write_text(scripts.text(script))
        (self.root / f"{number}.in").write_text(stdin)
        place = f"{self.root}/{into}" if into else "/dev/null"
        words = " ".join(map(repr, arguments))
        line = f"bash {self.root}/{number}.sh {words} <{self.root}/{number}.in >{place}"
        self._lines.append(f"! {line} 2>{self.root}/{fails}" if fails else line)

    def command(self, line: str) -> None:
        self._lines.append(line)

    def publish(self, release: Release) -> None:
        *arguments, archive = upload(release)
        self.then("publish", *arguments, stdin=archive)

    def visit(self, *questions: tuple[str, int, str, str, bool], into: str) -> None:
        (self.root / "visitor.py").write_text(_VISITOR)
        (self.root / "questions").write_text(json.dumps(questions))
        root = self.root
        self.command(f'{sys.executable} {root}/visitor.py "$(cat {root}/questions)" >{root}/{into}')

    def run(self) -> None:
        binds = "\n".join(f"mount --bind {self.root}/{folder} /{folder}" for folder in _FOLDERS)
        start = (
            f"set -e\nmount --make-rprivate /\nip link set lo up\nmount --bind {self.root} {self.root}\n{binds}\n"
            # nothing else of the machine can be written
            "mount -o remount,bind,ro /\n"
        )
        # Not into a pipe, which nginx would hold open.
        with (self.root / "output").open("w") as output:
            done = subprocess.run(
                [*_NAMESPACES, "bash", "-c", start + "\n".join(self._lines)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=100,
                check=False,
            )
        assert done.returncode == 0, (self.root / "output").read_text()

    def lines(self, name: str) -> list[str]:
        return (self.root / name).read_text().splitlines()

    def answers(self, name: str) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = json.loads((self.root / name).read_text())
        return found


def host_with(parse, store_pair, files, *more: dict[str, Any]) -> Host:
    """SITES, each with a verification file, and further sites without one."""
    store_pair("t.edu.cn")
    for site in SITES:
        folder = files / "verify" / site["domain"]
        folder.mkdir(parents=True)
        (folder / f"WW_verify_{BODY}.txt").write_text(BODY)
    parsed, problems = parse(*SITES, *more)
    assert not problems
    return parsed


@pytest.fixture
def host(parse, store_pair, files) -> Host:
    return host_with(parse, store_pair, files)


def _tree(host: Host, **more: Any) -> dict[str, releases.File]:
    said = subprocess.run([NGINX, "-v"], capture_output=True, text=True, check=True).stderr
    return dict(tree(host, Build(Version.parse(said), ipv6=False, **more)))


def _release(host: Host, **more: Any) -> Release:
    return releases.build(_tree(host, **more))


def _state(room: Room, name: str) -> HostState:
    return GatewayState().process(room.lines(name))


def test_what_the_running_nginx_serves_is_what_the_host_says_and_nobody_else_is_answered(host, tmp_path):
    room, release = Room(tmp_path / "room"), _release(host)
    room.publish(release)
    room.then("state", into="before")
    room.then("activate", release.id, "deploy", ENTRIES[0])
    room.then("state", into="after")
    room.then("health", into="health")
    file = f"/WW_verify_{BODY}.txt"
    room.visit(
        ("file", 80, "a.edu.cn", file, False),
        ("file by tls", 443, "t.edu.cn", file, True),
        ("file of the other edge", 80, "t.edu.cn", file, False),
        ("to https", 80, "t.edu.cn", "/x?code=1", False),
        ("health", 80, "10.0.0.1", "/healthz", False),
        ("nobody", 80, "nobody.example", "/", False),
        ("nobody's file", 80, "nobody.example", file, False),
        ("nobody by tls", 443, "nobody.example", "/", True),
        ("unpublished", 443, "t.edu.cn", "/bserverX", True),
        ("guarded", 80, "a.edu.cn", "/o/bk_itsm/weixin/x", False),
        ("beside it", 80, "a.edu.cn", "/o/bk_itsm/admin/", False),
        ("encoded twice", 80, "a.edu.cn", "/o/bk_itsm/weixin/%252e%252e/", False),
        ("encoded", 80, "a.edu.cn", "/o/bk_itsm/weixin/..%2f..%2fadmin/", False),
        ("parameter", 80, "a.edu.cn", "/o/bk_itsm/weixin/..;/admin/", False),
        ("no upstream", 443, "t.edu.cn", "/bserver/x", True),
        into="answers",
    )
    # it is written once a second
    room.command(f"sleep 2; cp /var/log/nginx/wecom-gateway.access.log {tmp_path}/room/log")
    room.run()

    before, after = _state(room, "before"), _state(room, "after")
    assert not before.broken
    assert (before.running, before.current, before.entries) == (None, None, frozenset())
    assert not before.in_force(release.id)
    assert objections(host, before) == []
    assert (after.running, after.current, after.activated) == (release.id,) * 3
    assert after.digest == release.digest()
    assert after.in_force(release.id)
    assert not after.broken
    assert objections(host, after) == []
    assert {80, 443, 9001, 19001} <= {one.port for one in after.around.listeners}
    # which no unit of systemd runs in here
    assert [(one.program, one.unit) for one in after.around.nginx] == [(str(NGINX), "")]
    # the platforms' names resolve nowhere in here, and nginx runs all the same
    assert set(after.unresolved) == {"paas.inner.example", "api.17wanxiao.com"}
    seen = health.read(room.lines("health"))
    assert (seen.loads, seen.nginx_is_down) == ("yes", False)

    answers = room.answers("answers")
    assert [answers[name][:2] for name in ("file", "file by tls", "file of the other edge")] == [[200, BODY]] * 3
    assert answers["to https"][::2] == [301, "https://t.edu.cn/x?code=1"]
    assert answers["health"][:2] == [200, "ok\n"]
    for name in ("nobody", "nobody's file", "nobody by tls"):
        assert isinstance(answers[name][0], str), answers[name]
    assert [answers[name][0] for name in ("no upstream", "guarded")] == [502] * 2
    for name in ("unpublished", "beside it", "encoded twice", "encoded", "parameter"):
        assert answers[name][0] == 404, name

    logged = [json.loads(line) for line in room.lines("log")]
    for name in ("no upstream", "guarded", "unpublished"):
        (shown,) = re.findall(r"\b[0-9a-f]{32}\b", answers[name][1])
        assert [line["status"] for line in logged if line["request_id"] == shown] == [answers[name][0]], name
    well = [(line["path"], line["status"]) for line in logged if line["status"] < 400]
    # each server writes at a time of its own
    assert sorted(well) == [(file, 200)] * 3 + [("/x", 301)]


def test_a_release_that_nginx_did_not_take_is_not_in_force_whatever_the_link_says(host, tmp_path):
    room, first = Room(tmp_path / "room"), _release(host)
    second = _release(host, foreign_limits=True)
    for release in (first, second):
        room.publish(release)
    room.then("activate", first.id, "deploy", ENTRIES[0])
    room.command(f"ln -sfn releases/{second.id} /etc/nginx/wecom-gateway/current; touch /run/deaf")
    room.then("state", into="state")
    room.run()
    known = _state(room, "state")
    assert (known.current, known.running) == (second.id, first.id)
    assert not known.in_force(second.id)
    assert not known.in_force(first.id)


def test_what_nginx_refuses_leaves_the_old_release_in_force(host, tmp_path):
    room, first = Room(tmp_path / "room"), _release(host)
    files = _tree(host)
    closed = releases.File(files["closed.conf"].body + b"no_such_directive on;\n")
    broken = releases.build({**files, "closed.conf": closed})
    for release in (first, broken):
        room.publish(release)
    room.then("activate", first.id, "deploy", ENTRIES[0])
    room.then("activate", broken.id, "deploy", ENTRIES[0], fails="said")
    room.then("state", into="state")
    room.run()
    assert any("no_such_directive" in line for line in room.lines("said"))
    assert _state(room, "state").in_force(first.id)


THEIRS = """user www-data;
pid /run/nginx.pid;
events { worker_connections 20000; } # http { }
http {
    log_format mine '{"a": "$remote_addr"}'; # }
    server {
        listen 80;
        server_name theirs.example;
        location / { return 200 "theirs ${host}"; }
    }
}
"""


def test_an_nginx_that_includes_nothing_gets_one_line_and_keeps_it_for_as_long_as_it_is_needed(host, tmp_path):
    room = Room(tmp_path / "room")
    tree_there = _tree(host, foreign_defaults=frozenset({"80"}))
    first = releases.build(tree_there)
    main = room.root / "etc/nginx/nginx.conf"
    main.write_text(THEIRS)
    closed = releases.File(tree_there["closed.conf"].body + b"no_such_directive on;\n")
    broken = releases.build({**tree_there, "closed.conf": closed})
    questions = (
        ("file", 80, "a.edu.cn", f"/WW_verify_{BODY}.txt", False),
        ("theirs", 80, "theirs.example", "/", False),
        ("unknown", 80, "nobody.example", "/", False),
    )
    for release in (first, broken):
        room.publish(release)
    room.then("activate", broken.id, "deploy", MAIN_FILE, fails="refused first")
    room.command(f"cp {MAIN_FILE} {tmp_path}/room/untouched")
    room.command("nginx")
    room.visit(*questions, into="before")
    room.then("activate", first.id, "deploy", MAIN_FILE)
    room.then("state", into="state")
    room.then("health", into="health")
    room.command(f"cp {MAIN_FILE} {tmp_path}/room/lined")
    room.visit(*questions, into="answers")
    room.then("activate", broken.id, "deploy", MAIN_FILE, fails="refused")
    room.command(f"cp {MAIN_FILE} {tmp_path}/room/still")
    # a folder for links is there now, behind their server
    room.command(f"sed -i '/# wecom-gateway$/i include /etc/nginx/conf.d/*.conf;' {MAIN_FILE}")
    room.then("activate", first.id, "deploy", ENTRIES[0])
    room.then("state", into="linked")
    room.command(f"cp {MAIN_FILE} {tmp_path}/room/unlined")
    room.run()

    assert (room.root / "untouched").read_text() == THEIRS
    known = _state(room, "state")
    assert known.neighbours.included == {MAIN_FILE} == known.entries
    assert known.in_force(first.id)
    assert objections(host, known) == []
    assert health.read(room.lines("health")).loads == "yes"
    assert (room.root / "lined").read_text() == THEIRS.removesuffix("}\n") + f"    {MAIN_LINE}\n}}\n"
    before, answers = room.answers("before"), room.answers("answers")
    assert [before["file"][1], answers["file"][1]] == ["theirs a.edu.cn", BODY]
    assert {**answers, "file": before["file"]} == before
    assert answers["theirs"][:2] == [200, "theirs theirs.example"]
    assert any("no_such_directive" in line for line in room.lines("refused"))
    assert (room.root / "still").read_text() == (room.root / "lined").read_text()
    linked = _state(room, "linked")
    assert linked.entries == {ENTRIES[0]}
    assert linked.in_force(first.id)
    assert MAIN_LINE not in (room.root / "unlined").read_text()
