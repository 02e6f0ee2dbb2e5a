"""`python -m bench.proxy.features`: what each part of the rendered configuration costs a request.

Each part in turn is taken out, and the instructions are counted that nginx then executes for a small answer over kept
connections. Counted, not timed (valgrind's callgrind): the same on a busy machine. The kernel's work is not in them.
"""

from __future__ import annotations

import re
import ssl
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import MappingProxyType

import click

from bench.beginning import begin
from bench.errors import BenchError
from bench.hosts import BenchHost, borrowed
from bench.progress import say
from bench.proxy.cases import DOMAIN, EDGES, PLATFORM_NAME, PUBLIC_PREFIX, SMALL
from bench.proxy.files import PEERS, put
from bench.proxy.proxies import Certificate, Gateway, engine_values
from bench.proxy.report import FEATURES as HEADING
from bench.proxy.report import REPORT, table, with_section
from bench.proxy.upstream import Upstream
from bench.schools import HOME, Edge
from lab import LabError, pki

_REQUESTS = 500
_INSTALL = """
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq valgrind
systemctl stop nginx
"""
# One process, so that it is the one that works. What it prints is shown where it does not come up.
_START = """
rm -f /run/bench.cg*
setsid valgrind -q --tool=callgrind --callgrind-out-file=/run/bench.cg \\
    nginx -g 'daemon off; master_process off;' >/run/bench.out 2>&1 </dev/null &
"""
_STOP = "pkill -x -TERM callgrind-.* || true; while pgrep -x 'callgrind-.*' >/dev/null; do sleep 0.05; done"
_ZERO = "callgrind_control -z $(pgrep -x 'callgrind-.*') >/dev/null"
_READ = "callgrind_control -d $(pgrep -x 'callgrind-.*') >/dev/null && awk '/^totals:/ { print $2 }' /run/bench.cg.1"


@dataclass(frozen=True)
class Feature:
    """A part of the configuration, and how it is taken out: expressions and what comes in their place, by file."""

    name: str
    edits: tuple[tuple[str, str, str], ...]

    def taken_out(self, files: Mapping[str, str]) -> dict[str, str]:
        """The files that change, without the part. Raises BenchError where an expression finds nothing."""
        changed = dict(files)
        for pattern, expression, instead in self.edits:
            texts = {path: re.subn(expression, instead, changed[path], flags=re.M) for path in _like(files, pattern)}
            if not sum(count for _, count in texts.values()):
                raise BenchError(f"{self.name}: {pattern} no longer says {expression}")
            changed |= {path: text for path, (text, _) in texts.items()}
        return {path: text for path, text in changed.items() if text != files[path]}


_SITES, _HTTP = "sites/.*", "gateway.conf"
_HEADERS, _PROXY, _SERVER = (f"snippets/{name}.conf" for name in ("headers", "proxy", "server"))


def _without_in_log(*variables: str) -> tuple[tuple[str, str, str], ...]:
    return tuple((_HTTP, rf"""("\w+":"?)\${one}\b(?=.*'$|.*';$)""", r"\1-") for one in variables)


_UPSTREAM = ("upstream_addr", "upstream_status", "upstream_response_time")

FEATURES = (
    Feature("the access log", ((_SERVER, r"^access_log .*;", "access_log off;"),)),
    Feature("its upstream's address, status and time", _without_in_log(*_UPSTREAM)),
    Feature("its domain and port", _without_in_log("host", "server_port")),
    Feature("its path", _without_in_log("wecom_gateway_logged_path")),
    Feature("its user agent", _without_in_log("http_user_agent")),
    Feature("its buffer, 16k in place of 64k", ((_SERVER, "buffer=64k", "buffer=16k"),)),
    Feature("the maps of Upgrade and Connection", ((_HEADERS, r"\$wecom_gateway_(upgrade|connection)", '""'),)),
    Feature(
        "X-Real-IP and X-Forwarded-*",
        (
            (_HEADERS, r"^proxy_set_header X-(Real|Forw).* \S*[$a-z]\S*;$", ""),
            (_SITES, r"^ *proxy_set_header X-.*", ""),
        ),
    ),
    Feature(
        "the request id, in the log, to the upstream and to the visitor",
        (
            *_without_in_log("request_id"),
            (_HEADERS, r"^proxy_set_header X-Request-Id .*", ""),
            ("snippets/errors.conf", r"^add_header X-Request-Id .*", ""),
        ),
    ),
    Feature("Host by a variable", ((_SITES, r"(proxy_set_header Host) \$\w+", rf"\1 {PLATFORM_NAME}"),)),
    Feature("the headers that are stripped", ((_HEADERS, r'^proxy_set_header \S+ "";$', ""),)),
    Feature(
        "Access-Control-Allow-Origin mapped",
        ((_SITES, r"^ *(add_header Access-Control-|set \$wecom_gateway_kind).*", ""),),
    ),
    Feature("rules for redirects and cookies", ((_SITES, r"^ *proxy_(redirect|cookie).*", ""),)),
    Feature("error pages", (("snippets/(errors|too-long).conf", r"^error_page .*", ""),)),
    Feature("headers ignored and hidden", ((_PROXY, r"^proxy_(ignore|hide)_header.*", ""),)),
    Feature("the servers for unknown names", ((_HTTP, r"^include .*/closed.conf;", ""),)),
    Feature("proxy_ssl_verify", ((_PROXY, "proxy_ssl_verify on", "proxy_ssl_verify off"),)),
    Feature("a kept connection's limits", ((_HTTP, r"^ *keepalive_(requests|timeout) .*", ""),)),
    Feature(
        "proxy_buffer_size 64k, 4k in its place", ((_PROXY, r"(proxy_buffer_size|proxy_buffers 8) 64k", r"\1 4k"),)
    ),
    Feature("proxy_buffering off, on in its place", ((_PROXY, "proxy_buffering off", "proxy_buffering on"),)),
)


class _Counter:
    """A host with the gateway on it, whose files are changed and whose nginx runs under callgrind."""

    def __init__(self, host: BenchHost, edge: Edge, folder: Path) -> None:
        self._host, self._edge = host, edge
        folder.mkdir()
        self._release = f"{HOME}/releases/{host.fetch_home(folder)}"
        root = folder / "releases" / Path(self._release).name
        self.files = {str(path.relative_to(root)): path.read_text() for path in root.rglob("*.conf") if path.is_file()}

    def count(self, changed: Mapping[str, str]) -> float:
        """Instructions for one request, with these files in the place of the release's."""
        self._put(changed)
        try:
            return self._counted()
        finally:
            self._host.run(_STOP)
            self._put({path: self.files[path] for path in changed})

    def _put(self, files: Mapping[str, str]) -> None:
        with tempfile.TemporaryDirectory(prefix="wecom-bench-") as folder:
            for path, text in files.items():
                target = Path(folder) / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)
            put(self._host, Path(folder), self._release)

    def _counted(self) -> float:
        self._host.run(_START)
        connection = self._connected()
        _ask(connection, _REQUESTS // 5)
        self._host.run(_ZERO)
        _ask(connection, _REQUESTS)
        return int(self._host.run(_READ)) / _REQUESTS

    def _connected(self) -> HTTPConnection:
        """A connection that has been answered once: its handshake is not counted."""
        deadline = time.monotonic() + 60
        while True:
            connection = self._connection()
            try:
                _ask(connection, 1)
                return connection
            except (OSError, HTTPException) as error:
                if time.monotonic() > deadline:
                    raise BenchError(
                        f"nginx does not answer: {error}; {self._host.run('cat /run/bench.out')}"
                    ) from None
                time.sleep(0.2)

    def _connection(self) -> HTTPConnection:
        kind = {"slb": HTTPConnection, "tls": _ByTls}[self._edge]
        return kind(self._host.address, timeout=30)


class _ByTls(HTTPConnection):
    """Says the domain in the handshake, whatever address it connects to."""

    def connect(self) -> None:
        super().connect()
        context = ssl.create_default_context(cafile=str(pki.ensure_ca()))
        self.sock = context.wrap_socket(self.sock, server_hostname=DOMAIN)


def _ask(connection: HTTPConnection, times: int) -> None:
    for _ in range(times):
        headers = {"Host": DOMAIN, "User-Agent": "bench"}
        connection.request("GET", f"{PUBLIC_PREFIX}bench/{SMALL}", headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200 or len(body) != SMALL:
            raise BenchError(f"answered {answer.status} with {len(body)} bytes, where 200 with {SMALL} would be right")


def _like(files: Mapping[str, str], pattern: str) -> list[str]:
    return [path for path in files if re.fullmatch(pattern, path)]


def _measured(host: BenchHost, gateway: Gateway, edge: Edge, folder: Path) -> dict[str, float]:
    gateway.serve(edge)
    host.run("systemctl stop nginx")
    counter = _Counter(host, edge, folder)
    found = {"": counter.count(MappingProxyType({}))}
    for feature in FEATURES:
        found[feature.name] = counter.count(feature.taken_out(counter.files))
        say(f"edge {edge}, without {feature.name}: {found[feature.name] - found['']:+,.0f}")
    text = (PEERS / "nginx.conf").read_text()
    for name, value in engine_values(edge).items():
        text = text.replace(f"@{name}@", value)
    found["nginx alone"] = counter.count({_HTTP: text})
    return found


def as_markdown(found: Mapping[Edge, Mapping[str, float]], command: str, nginx: str) -> str:
    """The section of PROXY.md, its heading included."""
    edges = list(found)
    whole = {edge: found[edge][""] for edge in edges}
    rows = [
        [name or "the whole", *(f"{found[edge][name]:,.0f}" for edge in edges)]
        + [f"{found[edge][name] - whole[edge]:+,.0f}" if name else "" for edge in edges]
        for name in found[edges[0]]
    ]
    head = ["without", *(f"edge {edge}" for edge in edges), *(f"difference, {edge}" for edge in edges)]
    return f"""{HEADING}

`{command}`, nginx {nginx}: instructions that nginx and its libraries execute for a request, answers of {SMALL} bytes,
kept connections, {_REQUESTS} requests. Counted, so other work on the machine does not show in
them; nor does what the kernel does.

{table(head, rows)}

Below 200 it is nothing: a table of names that is larger or smaller hashes otherwise.
"""


@click.command()
@click.option("--write", is_flag=True, help="Keep the table in bench/PROXY.md.")
def cli(write: bool) -> None:
    """Count what each part of the configuration costs a request."""
    begin()
    found: dict[Edge, Mapping[str, float]] = {}
    try:
        with tempfile.TemporaryDirectory(prefix="wecom-bench-") as name, borrowed(2) as (host, other):
            folder, certificate = Path(name), Certificate(Path(name))
            upstream = Upstream(other, folder)
            host.run('echo "$1" >>/etc/hosts', f"{upstream.host.address} {PLATFORM_NAME}")
            put(host, certificate.folder, "/etc/nginx/bench")
            gateway = Gateway(host, certificate, folder)
            host.run(_INSTALL)
            for edge in EDGES:
                found[edge] = _measured(host, gateway, edge, folder / edge)
            nginx = host.versions()["nginx"]
    except (BenchError, LabError) as error:
        raise click.ClickException(str(error)) from None
    text = as_markdown(found, "python -m bench.proxy.features", nginx)
    click.echo(text)
    if write:
        REPORT.write_text(with_section(REPORT.read_text(), text))


if __name__ == "__main__":
    cli()
