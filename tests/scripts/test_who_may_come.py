"""Who is answered by a real nginx: visitors whom a site's `allow` names, and connections that come by the load balancer
of layer 4 that `proxy_protocol` names."""

from __future__ import annotations

import base64
import json
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gateway.deploys.neighbours import ENTRIES
from gateway.fleet.host import Host
from gateway.nginx import release as releases
from gateway.nginx.build import Build
from gateway.nginx.release import Release
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree

from .test_real_nginx import BODY, NGINX, Room, pytestmark

__all__ = ["pytestmark"]

HOST, BALANCER, SOMEBODY = "10.9.0.1", "10.9.0.2", "10.9.0.3"
HOST_6, BALANCER_6, SOMEBODY_6 = "2001:db8:9::1", "2001:db8:9::2", "2001:db8:9::3"
INSIDE, INSIDE_6, OUTSIDE, OUTSIDE_6 = "198.51.100.7", "2001:db8:5::7", "203.0.113.7", "2001:db8:6::7"
ALLOW = ["198.51.100.0/24", "2001:db8:5::/48"]
FILE = f"/WW_verify_{BODY}.txt"
_BK = {"upstream": "https://paas.inner.example", "apps": ["bk_itsm"]}
_BELOW = "/o/bk_itsm/weixin/"

# Asks as visitors do, each question a dict; the answers are a status, or why there was none, and the body.
_ASKING = """
import base64, http.client, json, socket, ssl, sys
found = {}
for one in json.loads(sys.stdin.read()):
    try:
        plain = socket.create_connection((one["to"], one["port"]), timeout=5, source_address=(one["by"], 0))
        plain.sendall(base64.b64decode(one["preface"]))
        if one["tls"]:
            plain = ssl._create_unverified_context().wrap_socket(plain, server_hostname=one["host"])
        plain.sendall(one["request"].encode("latin-1"))
        answer = http.client.HTTPResponse(plain)
        answer.begin()
        body = answer.read().decode("utf-8", "replace")
        found[one["name"]] = [answer.status, body, answer.getheader("location") or ""]
    except (OSError, http.client.HTTPException) as error:
        found[one["name"]] = [type(error).__name__, "", ""]
    finally:
        plain.close()
print(json.dumps(found))
"""


class Visit(NamedTuple):
    """A request: who connects from where, what is said before TLS and in the request."""

    host: str
    path: str = "/"
    by: str = BALANCER
    tls: bool = True
    port: int = 443
    preface: bytes = b""
    headers: tuple[str, ...] = ()
    request: str = ""
    to: str = ""

    def question(self, name: str) -> dict[str, Any]:
        lines = [f"GET {self.path} HTTP/1.1", f"Host: {self.host}", "Connection: close", *self.headers]
        return {
            "name": name,
            "host": self.host,
            "by": self.by,
            "tls": self.tls,
            "port": self.port,
            "to": self.to or (HOST_6 if ":" in self.by else HOST),
            "preface": base64.b64encode(self.preface).decode(),
            "request": self.request or "\r\n".join([*lines, "", ""]),
        }


def version_1(client: str, to: str = HOST) -> bytes:
    family = "TCP6" if ":" in client else "TCP4"
    return f"PROXY {family} {client} {HOST_6 if ':' in client else to} 40000 443\r\n".encode()


def version_2(client: str | None) -> bytes:
    """A header that tells the client, or of a connection of the load balancer's own where there is none."""
    start = b"\r\n\r\n\x00\r\nQUIT\n"
    if client is None:
        return start + struct.pack("!BBH", 0x20, 0x00, 0)
    family = socket.AF_INET6 if ":" in client else socket.AF_INET
    addresses = socket.inet_pton(family, client) + socket.inet_pton(family, HOST_6 if ":" in client else HOST)
    body = addresses + struct.pack("!HH", 40000, 443)
    return start + struct.pack("!BBH", 0x21, 0x21 if ":" in client else 0x11, len(body)) + body


@cache
def _version() -> Version:
    return Version.parse(subprocess.run([NGINX, "-v"], capture_output=True, text=True, check=True).stderr)


def _release(host: Host) -> Release:
    return releases.build(tree(host, Build(_version())))


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """A host with addresses of its own, its load balancer's and somebody else's."""
    made = Room(tmp_path / "room")
    for address in (HOST, BALANCER, SOMEBODY):
        made.command(f"ip addr add {address}/32 dev lo")
    for address in (HOST_6, BALANCER_6, SOMEBODY_6):
        made.command(f"ip -6 addr add {address}/128 dev lo nodad")
    return made


def deploy(room: Room, release: Release) -> None:
    room.publish(release)
    room.then("activate", release.id, "deploy", ENTRIES[0])


def ask(room: Room, into: str, visits: Iterable[tuple[str, Visit]]) -> None:
    root = room.root
    (root / "asking.py").write_text(_ASKING)
    (root / f"{into}.questions").write_text(json.dumps([visit.question(name) for name, visit in visits]))
    room.command(f"{sys.executable} {root}/asking.py <{root}/{into}.questions >{root}/{into}")


@pytest.fixture
def host(parse: Callable[..., Any], store_pair: Callable[..., Any], files: Path) -> Callable[..., Host]:
    def make(*sites: dict[str, Any], **data: Any) -> Host:
        for site in sites:
            if site["edge"] == "tls" and not (files / "certs" / site["domain"]).exists():
                store_pair(site["domain"])
            folder = files / "verify" / site["domain"]
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"WW_verify_{BODY}.txt").write_text(BODY)
        parsed, problems = parse(*sites, **data)
        assert not problems
        return parsed

    return make


SLB = {"edge": "slb", "slb_cidrs": [f"{BALANCER}/32", f"{BALANCER_6}/128"], "allow": ALLOW}


def _by_slb(host: str, path: str, client: str, *more: str, by: str = BALANCER) -> Visit:
    return Visit(host, path, by, tls=False, port=80, headers=(f"X-Forwarded-For: {client}", *more))


def test_a_stranger_gets_403_wherever_he_asks_and_those_who_may_come_are_served(host, room):
    a, b, c = "a.edu.cn", "b.edu.cn", "c.edu.cn"
    parsed = host(
        {"domain": a, "platform": "bkitsm", "bk": _BK, **SLB},
        {"domain": b, "platform": "wanxiao_test", **SLB},
        {"domain": c, "platform": "wanxiao_test", **SLB, "allow": []},
    )
    deploy(room, _release(parsed))
    paths = {
        a: (
            _BELOW,
            f"{_BELOW}x",
            _BELOW[:-1],
            "/",
            "/o/bk_itsm/admin/",
            f"{_BELOW}%252e%252e/",
            f"{_BELOW};x/",
            FILE[:-1],
        ),
        b: ("/bserver/", "/bserver/x", "/bserver", "/bserverX", "/", "/favicon.ico"),
    }
    strangers = {
        f"{domain}{path} {client} {kind}": _by_slb(domain, path, client, *said)
        for domain, some in paths.items()
        for path in some
        for client in (OUTSIDE, OUTSIDE_6, f"::ffff:{OUTSIDE}")
        for kind, said in {
            "": (),
            "by plain http": ("X-Forwarded-Proto: http",),
            "WebSocket": ("Upgrade: websocket",),
        }.items()
    }
    known = {
        "inside": _by_slb(b, "/bserver/x", INSIDE),
        "inside by IPv6": _by_slb(b, "/bserver/x", INSIDE_6),
        "inside, IPv4 in IPv6's form": _by_slb(b, "/bserver/x", f"::ffff:{INSIDE}"),
        "by the balancer's IPv6": _by_slb(b, "/bserver/x", INSIDE, by=BALANCER_6),
        "over a hop of the balancer's": _by_slb(b, "/bserver/x", f"{OUTSIDE}, {INSIDE}, {BALANCER}"),
        "another's word before it": _by_slb(b, "/bserver/x", f"{INSIDE}, {OUTSIDE}"),
        "and a hop of the balancer's": _by_slb(b, "/bserver/x", f"{INSIDE}, {OUTSIDE}, {BALANCER}"),
        "in two headers": _by_slb(b, "/bserver/x", INSIDE, f"X-Forwarded-For: {OUTSIDE}"),
        "past the balancer": _by_slb(b, "/bserver/x", INSIDE, by=SOMEBODY),
        "past the balancer by IPv6": _by_slb(b, "/bserver/x", INSIDE, by=SOMEBODY_6),
        "in another header": Visit(
            b, "/bserver/x", tls=False, port=80, headers=(f"X-Real-IP: {INSIDE}", f"Forwarded: for={INSIDE}")
        ),
        "no address": _by_slb(b, "/bserver/x", "inside"),
        "unpublished, inside": _by_slb(b, "/bserverX", INSIDE),
        "bare, inside": _by_slb(b, "/bserver", INSIDE),
        "ambiguous, inside": _by_slb(a, f"{_BELOW}%252e%252e/", INSIDE),
        "plain http, inside": _by_slb(b, "/bserver/x", INSIDE, "X-Forwarded-Proto: http"),
        "another site": _by_slb(c, "/bserver/x", OUTSIDE),
        "file": _by_slb(a, FILE, OUTSIDE),
        "file by plain http": _by_slb(b, FILE, OUTSIDE, "X-Forwarded-Proto: http"),
        "health": _by_slb("10.0.0.1", "/healthz", OUTSIDE),
        "health of the site": _by_slb(a, "/healthz", OUTSIDE),
        "JSON": _by_slb(b, "/bserver/x", OUTSIDE, "Accept: application/json"),
    }
    ask(room, "strangers", strangers.items())
    ask(room, "known", known.items())
    room.run()

    refused = room.answers("strangers")
    assert {name: answer[0] for name, answer in refused.items() if answer[0] != 403} == {}
    # but for the id of the request, nothing tells one path from another
    assert len({len(answer[1]) for answer in refused.values()}) == 1
    answers = room.answers("known")
    served = ("inside", "inside by IPv6", "inside, IPv4 in IPv6's form", "by the balancer's IPv6", "another site")
    # the platform's name resolves nowhere in here
    assert {name: answers[name][0] for name in (*served, "over a hop of the balancer's")} == dict.fromkeys(
        (*served, "over a hop of the balancer's"), 502
    )
    forged = ("another's word before it", "and a hop of the balancer's", "in two headers", "past the balancer")
    for name in (*forged, "past the balancer by IPv6", "in another header", "no address"):
        assert answers[name][0] == 403, name
    assert answers["unpublished, inside"][0] == answers["ambiguous, inside"][0] == 404
    assert answers["bare, inside"][::2] == [301, "/bserver/"]
    assert answers["plain http, inside"][::2] == [301, "https://b.edu.cn/bserver/x"]
    assert [answers[name][:2] for name in ("file", "file by plain http")] == [[200, BODY]] * 2
    assert [answers[name][:2] for name in ("health", "health of the site")] == [[200, "ok\n"]] * 2
    said = json.loads(answers["JSON"][1])
    assert (answers["JSON"][0], said["status"], said["message_zh"]) == (403, 403, "当前网络不能访问本网站")


TLS = {"edge": "tls", "platform": "wanxiao_test"}
NETWORKS = [f"{BALANCER}/32", f"{BALANCER_6}/128"]
CLOSED = ("ConnectionResetError", "RemoteDisconnected", "SSLEOFError", "SSLZeroReturnError", "ConnectionAbortedError")


def _by_tcp(
    path: str, preface: bytes, by: str = BALANCER, port: int = 443, host: str = "t.edu.cn", **more: Any
) -> Visit:
    return Visit(host, path, by, port=port, preface=preface, **more)


def test_the_load_balancer_of_layer_4_says_who_comes_and_nobody_else_is_answered(host, room):
    parsed = host({"domain": "t.edu.cn", **TLS}, {"domain": "u.edu.cn", **TLS, "allow": ALLOW}, proxy_protocol=NETWORKS)
    deploy(room, _release(parsed))
    told = version_1(INSIDE)
    good = {
        "version 1": _by_tcp(FILE, told),
        "version 2": _by_tcp(FILE, version_2(INSIDE)),
        "IPv6 in version 1": _by_tcp(FILE, version_1(INSIDE_6)),
        "IPv6 in version 2": _by_tcp(FILE, version_2(INSIDE_6)),
        "by IPv6": _by_tcp(FILE, version_2(INSIDE_6), BALANCER_6),
        "by IPv6 of an IPv4 client": _by_tcp(FILE, told, BALANCER_6),
        "its own check": _by_tcp(FILE, version_2(None)),
        "its own check in version 1": _by_tcp(FILE, b"PROXY UNKNOWN\r\n"),
        "another port": _by_tcp("/bserver/x", told, port=9001),
        "a stranger's file": _by_tcp(FILE, version_1(OUTSIDE), host="u.edu.cn"),
        "the host itself": _by_tcp(FILE, b"", "127.0.0.1", to="127.0.0.1"),
    }
    judged = {
        "inside": _by_tcp("/bserver/x", told, host="u.edu.cn"),
        "inside by version 2": _by_tcp("/bserver/x", version_2(INSIDE), host="u.edu.cn"),
        "inside by IPv6": _by_tcp("/bserver/x", version_2(INSIDE_6), BALANCER_6, host="u.edu.cn"),
        "inside, IPv4 in IPv6's form": _by_tcp("/bserver/x", version_2(f"::ffff:{INSIDE}"), host="u.edu.cn"),
        "outside": _by_tcp("/bserver/x", version_1(OUTSIDE), host="u.edu.cn"),
        "outside by version 2": _by_tcp("/bserver/x", version_2(OUTSIDE_6), host="u.edu.cn"),
        "outside with a forged header": _by_tcp(
            "/bserver/x", version_1(OUTSIDE), host="u.edu.cn", headers=(f"X-Forwarded-For: {INSIDE}",)
        ),
        "nobody told": _by_tcp("/bserver/x", version_2(None), host="u.edu.cn"),
        "outside, unpublished": _by_tcp("/other", version_1(OUTSIDE), host="u.edu.cn"),
        "the host itself, asking": _by_tcp("/bserver/x", b"", "127.0.0.1", to="127.0.0.1", host="u.edu.cn"),
    }
    malformed = "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"
    closed = {
        "without a header": _by_tcp(FILE, b""),
        "without a header, somebody": _by_tcp(FILE, b"", SOMEBODY),
        "no header's form": _by_tcp(FILE, b"PROXY TCP4 nonsense\r\n"),
        "a broken version 2": _by_tcp(FILE, version_2(INSIDE)[:14]),
        "forged": _by_tcp(FILE, told, SOMEBODY),
        "forged with the balancer's own": _by_tcp(FILE, version_1(BALANCER), SOMEBODY),
        "forged, version 2": _by_tcp(FILE, version_2(INSIDE), SOMEBODY),
        "forged, a check": _by_tcp(FILE, version_2(None), SOMEBODY),
        "forged by IPv6": _by_tcp(FILE, version_2(INSIDE_6), SOMEBODY_6),
        "forged, as this host": _by_tcp(FILE, version_1("127.0.0.1"), SOMEBODY),
        "forged on another port": _by_tcp("/", told, SOMEBODY, 9001),
        "forged, unpublished": _by_tcp("/other", told, SOMEBODY),
        "forged, no request": _by_tcp("/", told, SOMEBODY, request="nonsense\r\n\r\n"),
        "forged, malformed": _by_tcp("/", told, SOMEBODY, request=malformed),
        "forged, CONNECT": _by_tcp(
            "/", told, SOMEBODY, request="CONNECT t.edu.cn:443 HTTP/1.1\r\nHost: t.edu.cn\r\n\r\n"
        ),
        "forged, too long": _by_tcp("/" + "x" * 40000, told, SOMEBODY),
        "forged, another name": _by_tcp(
            "/", told, SOMEBODY, request="GET / HTTP/1.1\r\nHost: nobody.example\r\nConnection: close\r\n\r\n"
        ),
        "forged, for the site with networks": _by_tcp("/bserver/x", told, SOMEBODY, host="u.edu.cn"),
        "past the balancer to the host's own name": _by_tcp("/", told, SOMEBODY, host="nobody.example"),
        "a header where this host asks": _by_tcp(FILE, told, "127.0.0.1", to="127.0.0.1"),
    }
    plain = {
        "file": Visit("t.edu.cn", FILE, SOMEBODY, tls=False, port=80),
        "to https": Visit("u.edu.cn", "/x", SOMEBODY, tls=False, port=80),
    }
    for name, some in {"good": good, "judged": judged, "closed": closed, "plain": plain}.items():
        ask(room, name, some.items())
    root = room.root
    # as scripts/acme.sh looks for the certificate that is served
    room.command(
        f"openssl s_client -connect 127.0.0.1:443 -servername t.edu.cn </dev/null 2>/dev/null"
        f" | openssl x509 -noout -fingerprint -sha256 >{root}/shown"
    )
    room.command(
        "openssl x509 -noout -fingerprint -sha256"
        f" </etc/nginx/wecom-gateway/current/certs/t.edu.cn/fullchain.pem >{root}/has"
    )
    for name, address in {"balancer": BALANCER, "somebody": SOMEBODY}.items():
        room.command(
            f"curl -sko {root}/h2-{name} -w '%{{http_version}} %{{http_code}}' --http2 --haproxy-protocol"
            f" --interface {address} --resolve t.edu.cn:443:{HOST} --max-time 5 https://t.edu.cn{FILE}"
            f" >{root}/h2-{name}.said || true"
        )
    room.command("sleep 1.5")
    room.run()

    answers = room.answers("good")
    assert answers.pop("another port")[0] == 502
    assert {name: answer[:2] for name, answer in answers.items()} == {name: [200, BODY] for name in answers}
    served = {name: answer[0] for name, answer in room.answers("judged").items()}
    assert served == {name: 502 if name.startswith("inside") else 403 for name in judged}
    ended = {name: answer[0] for name, answer in room.answers("closed").items()}
    assert {name: how for name, how in ended.items() if how not in CLOSED and not str(how).startswith("SSL")} == {}
    assert room.answers("plain")["file"][:2] == [200, BODY]
    assert room.answers("plain")["to https"][::2] == [301, "https://u.edu.cn/x"]
    assert room.lines("shown") == room.lines("has") != []
    assert room.lines("h2-balancer.said") == ["2 200"]
    assert room.lines("h2-somebody.said")[0].split()[-1] == "000"
    assert not (root / "h2-somebody").exists() or not (root / "h2-somebody").read_bytes()

    # the log names the visitor
    lines = map(json.loads, (root / "var/log/nginx/wecom-gateway.access.log").read_text().splitlines())
    told_of = {line["client"] for line in lines if line["status"]}
    assert {INSIDE, INSIDE_6, OUTSIDE, BALANCER} <= told_of


def test_the_header_is_expected_from_the_moment_that_a_deploy_says_so_and_no_longer(host, room):
    """It is a flag of the socket, which a reload hands on."""
    sites = ({"domain": "t.edu.cn", **TLS}, {"domain": "u.edu.cn", **TLS})
    without, with_it = _release(host(*sites)), _release(host(*sites, proxy_protocol=NETWORKS))
    visits = {"with": _by_tcp(FILE, version_2(INSIDE)), "without": _by_tcp(FILE, b"")}
    for place, release in enumerate((without, with_it, without)):
        deploy(room, release)
        ask(room, f"after {place}".replace(" ", "-"), visits.items())
    room.run()
    for place, right in enumerate(("without", "with", "without")):
        answers = room.answers(f"after-{place}")
        assert answers.pop(right)[:2] == [200, BODY], place
        assert not any(isinstance(answer[0], int) for answer in answers.values()), place
