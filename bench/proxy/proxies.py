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
from bench.proxy.cases import DOMAIN, PLAIN_PREFIX, PLATFORM_NAME, Case
from bench.proxy.files import PEERS, put
from bench.schools import Edge
from bench.tools import copied_checkout, pyinfra_data
from gateway.nginx import tls_profile
from gateway.nginx.request_headers import STRIPPED
from lab import pki

GATEWAY = "this project"
ENGINE = "nginx alone"
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
# The platform wanxiao_test, and its pages once more by plain http.
_PLATFORM = f"""
platforms["bench"] = {{
    "routes": [
        *platforms["wanxiao_test"]["routes"],
        {{"port": "entry", "path": "{PLAIN_PREFIX}", "upstream": "http://{PLATFORM_NAME}/b-server/"}},
    ]
}}
"""
_VERSION = "dpkg-query -W -f '${Version}' \"$1\""


class Proxy(Protocol):
    """One of them. `process` is the name of its processes."""

    name: str
    process: str
    host: BenchHost

    def serve(self, edge: Edge) -> None:
        """Serves the domain at this edge, and at no other."""

    def can_serve(self, case: Case) -> bool:
        """Whether it is set up for the case."""

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
        with (self._folder / "group_data" / "all.py").open("a") as platforms:
            platforms.write(_PLATFORM)
        host.run(_ONE_WORKER)

    def serve(self, edge: Edge) -> None:
        data = {**pyinfra_data(self.host), "sites": [{"domain": DOMAIN, "edge": edge, "platform": "bench"}]}
        entry = pprint.pformat((self.host.name, data), sort_dicts=False)
        (self._folder / "inventory" / "bench.py").write_text(f"wanxiao_test = [\n{entry},\n]\n")
        commands.run([commands.beside_python("pyinfra"), "-y", "inventory/bench.py", "deploy.py"], self._folder)
        self.host.run("systemctl restart nginx")  # so that no worker of the other edge is left

    def can_serve(self, case: Case) -> bool:
        return True

    def version(self) -> str:
        return f"nginx {self.host.run(_VERSION, 'nginx')}"


class Engine:
    """nginx as the gateway has it, with nothing to do but to pass requests on."""

    name = ENGINE
    process = "nginx"

    def __init__(self, host: BenchHost, certificate: Certificate) -> None:
        self.host = host
        put(host, certificate.folder, "/etc/nginx/bench")
        host.run(f"rm -f /etc/nginx/sites-enabled/default\n{_ONE_WORKER}")

    def serve(self, edge: Edge) -> None:
        put(self.host, PEERS / "nginx.conf", "/etc/nginx/conf.d/bench.conf", engine_values(edge))
        self.host.run("nginx -t -q && systemctl restart nginx")

    def can_serve(self, case: Case) -> bool:
        return True

    def version(self) -> str:
        return f"nginx {self.host.run(_VERSION, 'nginx')}"


def engine_values(edge: Edge, folder: str = "/etc/nginx/bench") -> Mapping[str, str]:
    """What peers/nginx.conf is filled with. The certificate is in `folder`."""
    lines = (
        f"ssl_certificate {folder}/fullchain.pem;",
        f"ssl_certificate_key {folder}/privkey.pem;",
        f"ssl_protocols {' '.join(tls_profile.PROTOCOLS)};",
        f"ssl_ciphers {':'.join(tls_profile.CIPHERS)};",
        "ssl_prefer_server_ciphers off;",
        f"ssl_ecdh_curve {':'.join(tls_profile.CURVES)};",
        "ssl_session_cache shared:bench:10m;",
        "ssl_session_tickets off;",
    )
    return {"LISTEN": {"slb": "80", "tls": "443 ssl"}[edge], "TLS": "\n    ".join(lines) if edge == "tls" else ""}


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

    def can_serve(self, case: Case) -> bool:
        return not case.plain

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

    def can_serve(self, case: Case) -> bool:
        return True

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
