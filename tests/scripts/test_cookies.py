"""A visitor's cookies after the same dialogue with an upstream, with the gateway in between and without it.

What an upstream sets and deletes comes to the visitor through a real nginx with the gateway's rules; which cookies the
visitor then sends is asked of the upstream. The names of hosts are only said: everything is on the loopback interface.
"""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.cookiejar import CookieJar
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.request import Request

import pytest

from gateway.fleet.parsing import parse_host
from gateway.inventory.site import Route, Site
from gateway.nginx import answers

NGINX = Path("/usr/sbin/nginx")
pytestmark = pytest.mark.skipif(not NGINX.is_file(), reason="no nginx is installed (apt-get install nginx)")

SCHOOL = "wx.school.edu.cn"
# Another host of the school, which no gateway stands before.
ELSEWHERE = "http://cas.school.edu.cn/login"
OF_ALL = "Domain=school.edu.cn; Path=/"
LONG_AGO = "Expires=Thu, 01 Jan 1970 00:00:00 GMT"

# The routes of a site: each a public path and what it leads to. Visitors go to the first.
HUB = (("/", "https://hub.17wanxiao.com/"),)
HUB_AND_OPEN = (*HUB, ("/open/", "https://open.17wanxiao.com/"))
OF_THE_SCHOOL = (("/", "https://oa.school.edu.cn/"),)
UNDER_A_PREFIX = (("/app/", "https://oa.inner.example/"),)
PREFIX_FOR_PREFIX = (("/bserver/", "https://api.17wanxiao.com/b-server/"),)
TWO_PREFIXES = (*PREFIX_FOR_PREFIX, ("/", "https://api.17wanxiao.com/"))

Routes = tuple[tuple[str, str], ...]
# The rest of a path, or a whole URL, and the cookies that are set there.
Step = tuple[str, ...]


class _Upstream(BaseHTTPRequestHandler):
    """Sets the cookies that a request asks for, and tells those that came with it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps(sorted(filter(None, self.headers.get("Cookie", "").split("; ")))).encode()
        self.send_response(200)
        for cookie in json.loads(self.headers["X-Set"]):
            self.send_header("Set-Cookie", cookie)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def upstream() -> Iterator[int]:
    """The port of an upstream that does as it is told."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Upstream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def site(routes: Routes) -> Site:
    """The school's site on a platform of its own, which has these routes on the entry port."""
    rows = [{"port": "entry", "path": path, "upstream": url} for path, url in routes]
    data = {"platforms": {"own": {"routes": rows}}, "sites": [{"domain": SCHOOL, "edge": "slb", "platform": "own"}]}
    host, problems = parse_host("h1", data, Path("files"))
    assert host, problems
    return host.sites[0]


@contextmanager
def running(http: str, folder: Path) -> Iterator[int]:
    """The port of an nginx with this at http level, where @PORT@ stands for the port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log stderr;\nevents {{}}\n"
        f"http {{ access_log off;\n{http.replace('@PORT@', str(port))} }}\n"
    )
    with subprocess.Popen([NGINX, "-p", folder, "-c", folder / "nginx.conf"], stderr=subprocess.DEVNULL) as nginx:
        try:
            _wait(port)
            yield port
        finally:
            nginx.terminate()


def _server(of: Site, upstream: int) -> str:
    """A server that has the site's rules for cookies and passes everything to the upstream."""
    locations = "\n".join(
        f"location {route.path} {{ proxy_pass http://127.0.0.1:{upstream}{route.upstream_path};\n{_rules(of, route)} }}"
        for route in of.routes
    )
    return f"server {{ listen 127.0.0.1:@PORT@;\n{locations} }}"


def _rules(of: Site, route: Route) -> str:
    found = answers.rules(of, route, answers.shared_names(of))
    return "".join(
        [f"proxy_cookie_domain {rule.match} {rule.replacement};\n" for rule in found.cookie_domains]
        + [f"proxy_cookie_path {rule.match} {rule.replacement};\n" for rule in found.cookie_paths]
    )


def _wait(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            threading.Event().wait(0.05)
        else:
            return
    raise AssertionError("nginx did not start")


class Visitor:
    """Goes to hosts of whatever name, with a browser's cookies."""

    def __init__(self) -> None:
        self._jar = CookieJar()

    def go(self, port: int, url: str, cookies: Sequence[str]) -> list[str]:
        """The cookies that were sent to this URL, which is asked for on `port`. The answer sets `cookies`."""
        request = Request(url)  # noqa: S310 - which is not opened
        self._jar.add_cookie_header(request)
        sent = {name: value for name, value in request.header_items() if name == "Cookie"}
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", request.selector, headers={**sent, "X-Set": json.dumps(cookies)})
            answer = connection.getresponse()
            seen: list[str] = json.loads(answer.read())
        finally:
            connection.close()
        headers = answer.headers
        self._jar.extract_cookies(SimpleNamespace(info=lambda: headers), request)  # type: ignore[arg-type]
        return seen


def _last_sent(origin: str, port: int, upstream: int, steps: Sequence[Step]) -> list[str]:
    """The cookies that a visitor has at the end of a dialogue with what stands at `origin`, which is on `port`."""
    visitor, sent = Visitor(), []
    for place, *cookies in [*steps, ("end",)]:
        if place == ELSEWHERE:
            visitor.go(upstream, place, cookies)
        else:
            sent = visitor.go(port, origin + place, cookies)
    return sent


@pytest.mark.parametrize(
    ("routes", "steps", "left"),
    [
        # an upstream's own name, its parent and no name: each is deleted as it was set
        (HUB, [("a", "s=1; Domain=17wanxiao.com; Path=/"), ("b", "s=; Domain=17wanxiao.com; Path=/; Max-Age=0")], []),
        (HUB, [("a", "s=1; Domain=.17wanxiao.com"), ("b", f"s=; domain=17wanxiao.com; {LONG_AGO}")], []),
        (HUB, [("a", "s=1; Domain=HUB.17wanxiao.com"), ("b", "s=; Domain=hub.17wanxiao.com; Max-Age=0")], []),
        (HUB, [("a", "s=1; Path=/"), ("b", f"s=; Path=/; {LONG_AGO}")], []),
        # and what has no name is not deleted by one
        (HUB, [("a", "s=1; Path=/"), ("b", "s=; Domain=17wanxiao.com; Path=/; Max-Age=0")], ["s=1"]),
        (HUB, [("a", "s=1; Domain=17wanxiao.com; Path=/"), ("b", "s=; Path=/; Max-Age=0")], ["s=1"]),
        # a parent of the school's own domain, of which other hosts of the school know
        (HUB, [(ELSEWHERE, f"s=1; {OF_ALL}"), ("b", f"s=; {OF_ALL}; Max-Age=0")], []),
        (OF_THE_SCHOOL, [(ELSEWHERE, f"s=1; {OF_ALL}"), ("b", f"s=; {OF_ALL}; Max-Age=0")], []),
        (OF_THE_SCHOOL, [(ELSEWHERE, f"s=1; {OF_ALL}"), ("b", f"s=2; {OF_ALL}")], ["s=2"]),
        (OF_THE_SCHOOL, [("a", "s=1; Domain=oa.school.edu.cn; Path=/")], ["s=1"]),
        # a name that the upstream may not speak for
        (HUB_AND_OPEN, [("a", "s=1; Domain=open.17wanxiao.com; Path=/")], []),
        (
            HUB_AND_OPEN,
            [("a", "s=1; Domain=17wanxiao.com; Path=/"), ("b", "s=; Domain=open.17wanxiao.com; Path=/; Max-Age=0")],
            ["s=1"],
        ),
        # a browser makes up the path that is not named
        (UNDER_A_PREFIX, [("a", "s=1"), ("b", "s=; Path=/; Max-Age=0")], []),
        (UNDER_A_PREFIX, [("a", "s=1; Path=/"), ("b", "s=; Max-Age=0")], []),
        (UNDER_A_PREFIX, [("a", "s=1"), ("b", "s=2; Path=/")], ["s=2"]),
        (UNDER_A_PREFIX, [("d/a", "s=1"), ("d/b", "s=; Path=/d; Max-Age=0")], []),
        (UNDER_A_PREFIX, [("a", "s=1; Path=/"), ("d/a", "t=1; Path=/d")], ["s=1"]),
        (PREFIX_FOR_PREFIX, [("a", "s=1"), ("b", "s=; Path=/b-server; Max-Age=0")], []),
        (PREFIX_FOR_PREFIX, [("a", "s=1"), ("b", "s=; Path=/b-server/; Max-Age=0")], ["s=1"]),
        (PREFIX_FOR_PREFIX, [("a", "s=1; Path=/"), ("b", "s=; Path=/; Max-Age=0")], []),
        (TWO_PREFIXES, [("a", "s=1; Path=/b-server"), ("b", "s=; Path=/b-server; Max-Age=0")], []),
    ],
)
def test_a_visitor_has_the_cookies_that_he_would_have_without_a_gateway(upstream, tmp_path, routes, steps, left):
    """A cookie that outlives its deletion keeps a session that the platform has ended; a lost one ends a login."""
    path, url = routes[0]
    assert _last_sent(url.replace("https:", "http:"), upstream, upstream, steps) == left
    with running(_server(site(routes), upstream), tmp_path) as port:
        assert _last_sent(f"http://{SCHOOL}{path}", port, upstream, steps) == left
