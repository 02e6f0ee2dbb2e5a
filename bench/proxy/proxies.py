"""The proxies that are compared: each does the same job at either edge, on a host of its own."""

from __future__ import annotations

import pprint
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from bench import commands
from bench.hosts import BenchHost
from bench.proxy.cases import DOMAIN
from bench.proxy.files import PEERS, put
from bench.schools import Edge
from bench.tools import copied_checkout, pyinfra_data
from gateway.nginx import tls_profile
from gateway.nginx.request_headers import STRIPPED
from lab import pki

GATEWAY = "this project"
SAMPLE = "the hand-written sample"
CADDY = "Caddy"
HAPROXY = "HAProxy"

# As everybody has one core: one worker.
_ONE_WORKER = "sed -i 's/^worker_processes .*/worker_processes 1;/' /etc/nginx/nginx.conf"
_INSTALL = """
systemctl disable -q --now nginx
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$1"
"""
# Caddy reads its certificate as its own user.
_OWN_GROUP = 'chown -R "root:$1" "/etc/$1/tls" && chmod 0750 "/etc/$1/tls" && chmod 0640 /etc/$1/tls/*'
_VERSION = "dpkg-query -W -f '${Version}' \"$1\""


class Proxy(Protocol):
    """One of them. `process` is the name of its processes."""

    name: str
    process: str
    host: BenchHost

    def serve(self, edge: Edge) -> None:
        """Serves the domain at this edge, and at no other."""

    def version(self) -> str:
        """Its Debian package's."""


class Certificate:
    """The domain's certificate, the same for all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "certificate"
        pki.issue(DOMAIN, [DOMAIN], self.folder)
        both = self.folder / "both.pem"
        both.touch(mode=0o600)
        both.write_bytes(b"".join((self.folder / name).read_bytes() for name in ("fullchain.pem", "privkey.pem")))


class Gateway:
    """This project, deployed from a copy of the checkout as an operator would."""

    name = GATEWAY
    process = "nginx"

    def __init__(self, host: BenchHost, certificate: Certificate, folder: Path) -> None:
        self.host = host
        self._folder = folder / "checkout"
        copied_checkout(self._folder)
        shutil.copytree(certificate.folder, self._folder / "files" / "certs" / DOMAIN)
        host.run(_ONE_WORKER)

    def serve(self, edge: Edge) -> None:
        data = {**pyinfra_data(self.host), "sites": [{"domain": DOMAIN, "edge": edge}]}
        entry = pprint.pformat((self.host.name, data), sort_dicts=False)
        (self._folder / "inventory" / "bench.py").write_text(f"wanxiao_test = [\n{entry},\n]\n")
        commands.run([commands.beside_python("pyinfra"), "-y", "inventory/bench.py", "deploy.py"], self._folder)
        self.host.run("systemctl restart nginx")  # so that no worker of the other edge is left

    def version(self) -> str:
        return f"nginx {self.host.run(_VERSION, 'nginx')}"


class Sample:
    """The sample that 17wanxiao hands out, word for word, in the nginx that Debian installs."""

    name = SAMPLE
    process = "nginx"

    def __init__(self, host: BenchHost, certificate: Certificate) -> None:
        self.host = host
        put(host, certificate.folder, "/etc/nginx/ssl")
        host.run(f"cd /etc/nginx/ssl && mv fullchain.pem server.crt && mv privkey.pem server.key\n{_ONE_WORKER}")
        host.run("rm -f /etc/nginx/sites-enabled/default")

    def serve(self, edge: Edge) -> None:
        put(self.host, PEERS / f"sample-{edge}.conf", "/etc/nginx/conf.d/sample.conf")
        self.host.run("nginx -t -q && systemctl restart nginx")

    def version(self) -> str:
        return f"nginx {self.host.run(_VERSION, 'nginx')}"


class _Packaged:
    """What Caddy and HAProxy have in common: a Debian package, one file, the service's restart."""

    name: str
    process: str
    _file: str
    _source: str

    def __init__(self, host: BenchHost, certificate: Certificate) -> None:
        self.host = host
        host.run(_INSTALL, self.process)
        put(host, certificate.folder, f"/etc/{self.process}/tls")
        host.run(_OWN_GROUP, self.process)

    def serve(self, edge: Edge) -> None:
        put(self.host, PEERS / self._source, self._file, {"DOMAIN": DOMAIN, **self._values(edge)})
        self.host.run('systemctl restart "$1"', self.process)

    def version(self) -> str:
        return f"{self.name} {self.host.run(_VERSION, self.process)}"

    def _values(self, edge: Edge) -> Mapping[str, str]:
        return MappingProxyType({})


class Haproxy(_Packaged):
    name = HAPROXY
    process = "haproxy"
    _source, _file = "haproxy.cfg", "/etc/haproxy/haproxy.cfg"

    def _values(self, edge: Edge) -> Mapping[str, str]:
        return {
            "BIND": {"slb": ":80", "tls": ":443 ssl crt /etc/haproxy/tls/both.pem"}[edge],
            "CIPHERS": ":".join(tls_profile.CIPHERS),
            "CURVES": ":".join(tls_profile.CURVES),
            "STRIPPED": "\n".join(f"    http-request del-header {name}" for name in STRIPPED),
        }


class Caddy(_Packaged):
    name = CADDY
    process = "caddy"
    _source, _file = "Caddyfile", "/etc/caddy/Caddyfile"

    def _values(self, edge: Edge) -> Mapping[str, str]:
        certificate = "tls /etc/caddy/tls/fullchain.pem /etc/caddy/tls/privkey.pem"
        return {
            "SITE": {"slb": "http", "tls": "https"}[edge] + f"://{DOMAIN}",
            "TLS": {"slb": "", "tls": certificate}[edge],
            "STRIPPED": "\n".join(f"\t\t\theader_up -{name}" for name in STRIPPED),
        }
