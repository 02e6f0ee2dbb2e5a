"""The platform that the proxies stand in front of: an nginx that answers at once, and counts connections."""

from __future__ import annotations

from pathlib import Path

from bench.hosts import BenchHost
from bench.proxy import cores
from bench.proxy.cases import LARGE, PLATFORM_NAME, SMALL
from bench.proxy.files import PEERS, put
from lab import pki

_SET_UP = f"""
sed -i 's/^worker_processes .*/worker_processes 1;/; s/worker_connections .*/worker_connections 8192;/' \
    /etc/nginx/nginx.conf
rm -f /etc/nginx/sites-enabled/default
mkdir -p /srv/bench/b-server/bench
head -c {LARGE} /dev/zero | tr '\\0' x >/srv/bench/b-server/bench/{LARGE}
nginx -t -q && systemctl restart nginx
"""


class Upstream:
    """A host with the platform's name, certificate and answers."""

    def __init__(self, host: BenchHost, folder: Path) -> None:
        self.host = host
        pki.issue(PLATFORM_NAME, [PLATFORM_NAME], folder / "upstream")
        put(host, folder / "upstream", "/etc/nginx/bench")
        put(host, PEERS / "upstream.conf", "/etc/nginx/conf.d/bench.conf", {"BODY": "x" * SMALL})
        host.run(_SET_UP)
        cores.pin(host, cores.OTHER_CORE)

    def connections(self) -> int:
        """TCP connections accepted so far; each of them but those that ask for this number is one TLS handshake."""
        text = self.host.run("curl -sf http://127.0.0.1:8081/connections")
        return int(text.splitlines()[2].split()[0])
