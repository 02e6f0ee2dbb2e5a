"""The load balancer stand-in. TLS ends on its ports 443 and 9001, which pass plain http to the gateways' 80 and 9001.

Its ports 80 and 9080 take plain http, pass it to the same two, and say so in X-Forwarded-Proto.
"""

import http.client
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab import containers, hosts, pki
from lab.engine import docker
from lab.images import fingerprint, infra_image
from lab.progress import Say, silent
from lab.topology import LAB, STATE, address, container

_STAGED = STATE / "slb"
_TARGET = "/etc/nginx/lab"
_NGINX = ("nginx", "-c", f"{_TARGET}/nginx.conf")
_BACKEND_PORTS = {443: 80, 9001: 9001}
_PLAIN_PORTS = {443: 80, 9001: 9080}


def ensure(say: Say = silent) -> None:
    """Sees that the load balancer runs. A new one refuses every name until `configure`."""
    initial = _STAGED / "initial"
    _stage(initial, {})
    spec = containers.Spec(
        name="slb",
        image=infra_image(),
        options=("--stop-signal", "SIGTERM"),
        command=(*_NGINX, "-g", "daemon off;"),
        files={initial: _TARGET},
    )
    started = containers.ensure(spec)
    hosts.wait_until(lambda: _running_digest() is not None, f"slb: nginx does not answer at {address('slb')}")
    if started:
        say(f"slb: up at {address('slb')}")


def configure(mapping: Mapping[str, Sequence[str]]) -> None:
    """Has it serve exactly these domains, {domain: [gateway addresses]}, with certificates from the lab CA.

    Returns when the running nginx has the configuration; does nothing when it has it already.
    """
    wanted = _STAGED / "wanted"
    digest = _stage(wanted, mapping)
    if _running_digest() == digest:
        return
    docker("cp", f"{wanted}/.", f"{container('slb')}:{_TARGET}")
    containers.exec_in("slb", [*_NGINX, "-t", "-q"])
    containers.exec_in("slb", [*_NGINX, "-s", "reload"])
    hosts.wait_until(lambda: _running_digest() == digest, "slb: nginx did not take its configuration")


def _stage(directory: Path, mapping: Mapping[str, Sequence[str]]) -> str:
    """Writes nginx.conf and certs/ into a directory and returns the configuration's digest."""
    sites, certificates = [], []
    for domain, gateways in sorted(mapping.items()):
        certificate = directory / "certs" / domain
        pki.issue(domain, [domain], certificate)
        certificates.append((certificate / "fullchain.pem").read_text())
        sites += [_site(domain, port, gateways) for port in _BACKEND_PORTS]
    template = (LAB / "slb.conf").read_text()
    digest = fingerprint(template, *sites, *certificates)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = template.replace("@DIGEST@", digest).replace("@SITES@", "".join(sites))
    (directory / "nginx.conf").write_text(text)
    return digest


def _site(domain: str, port: int, gateways: Sequence[str]) -> str:
    backend_port = _BACKEND_PORTS[port]
    servers = "\n".join(f"        server {gateway}:{backend_port};" for gateway in gateways)
    text = (LAB / "slb_site.conf").read_text()
    ports = {"PORT": str(port), "PLAIN_PORT": str(_PLAIN_PORTS[port]), "BACKEND_PORT": str(backend_port)}
    values = {"DOMAIN": domain, "SERVERS": servers, **ports}
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def _running_digest() -> str | None:
    connection = http.client.HTTPConnection(address("slb"), 8080, timeout=2)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
