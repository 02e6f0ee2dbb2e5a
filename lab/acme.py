"""An ACME server to get certificates from: Debian's pebble, which visits the domain as a real one does.

It forgets accounts and certificates when it ends, and every start has a new root. Its own TLS is signed by nobody.
"""

import contextlib
import http.client
import json
import shlex
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

from lab import containers, hosts, images, pki
from lab.engine import docker
from lab.progress import Say, silent
from lab.topology import NETWORK, STATE, address, container

NAME = "acme"
DIRECTORY_NAME = "acme.authority.example"
DIRECTORY = f"https://{DIRECTORY_NAME}:14000/dir"

# The external account binding that a server started with `binding` asks for. It is no secret: the lab is public.
KID = "kid-1"
HMAC_KEY = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"

# Python reads such a file whenever it starts.
_IMPATIENCE = "/usr/lib/python3/dist-packages/wecom-lab-acme.pth"
_SHARE = 0.3

_STATE = STATE / "acme"
CA = _STATE / "tls" / "fullchain.pem"
_MANAGEMENT = 15000


def ensure(domains: Mapping[str, str], *, days: int = 20, binding: bool = False, say: Say = silent) -> None:
    """Starts a fresh server that resolves `domains` to these addresses and issues certificates for `days` days.

    With `binding` it asks for external account binding (KID, HMAC_KEY).
    """
    image = images.acme_image(say)
    pki.issue_self_signed(DIRECTORY_NAME, _STATE / "tls")
    config = _STATE / "pebble.json"
    config.write_text(json.dumps(_configuration(days, binding)))
    containers.remove(NAME)
    containers.ensure(
        containers.Spec(
            name=NAME,
            image=image,
            options=(
                *("--network-alias", DIRECTORY_NAME, "--stop-signal", "SIGKILL"),
                *(word for name, target in domains.items() for word in ("--add-host", f"{name}:{target}")),
                # By default it waits before it visits, and refuses one nonce in twenty: not what is tested here.
                *("--env", "PEBBLE_VA_NOSLEEP=1", "--env", "PEBBLE_WFE_NONCEREJECT=0"),
            ),
            command=("pebble", "-config", "/srv/pebble.json"),
            files={config: "/srv/pebble.json", _STATE / "tls": "/srv/tls"},
        )
    )
    hosts.wait_for_port(NAME, _MANAGEMENT)
    hosts.wait_for_port(NAME, 14000)


def make_impatient(host: str) -> None:
    """Has certbot on the host wait for less than a third of the time between its questions.

    By itself it waits a second before each, twice for a certificate; this server has its answers in no time. It still
    asks as often, and about those that are not there yet again and again.
    """
    line = (
        f"import sys, time; time.sleep = (lambda seconds, sleep=time.sleep: sleep({_SHARE} * seconds))"
        " if sys.orig_argv[1:2] == ['/usr/bin/certbot'] else time.sleep\n"
    )
    hosts.exec_in(
        host, ["sh", "-c", f"mkdir -p {_IMPATIENCE.rpartition('/')[0]}; printf %s {shlex.quote(line)} >{_IMPATIENCE}"]
    )


def remove() -> None:
    """Removes the server, if there is one."""
    containers.remove(NAME)


def forget() -> None:
    """Restarts the server, which then knows no account and no certificate any more, as after a disaster."""
    docker("restart", "--time", "0", container(NAME))
    hosts.wait_for_port(NAME, _MANAGEMENT)
    hosts.wait_for_port(NAME, 14000)


@contextlib.contextmanager
def unreachable() -> Iterator[None]:
    """While the context is entered, nobody reaches the server or resolves its name. It keeps what it knows."""
    docker("network", "disconnect", NETWORK, container(NAME))
    try:
        yield
    finally:
        docker("network", "connect", "--ip", address(NAME), "--alias", DIRECTORY_NAME, NETWORK, container(NAME))
        hosts.wait_for_port(NAME, 14000)


def write_root(path: Path) -> Path:
    """Writes the running server's root certificate to `path`, which is returned."""
    context = ssl.create_default_context(cafile=str(CA))
    context.check_hostname = False  # asked by address
    connection = http.client.HTTPSConnection(address(NAME), _MANAGEMENT, context=context, timeout=5)
    try:
        connection.request("GET", "/roots/0")
        path.write_bytes(connection.getresponse().read())
    finally:
        connection.close()
    return path


def _configuration(days: int, binding: bool) -> object:
    pebble = {
        "listenAddress": "0.0.0.0:14000",
        "managementListenAddress": f"0.0.0.0:{_MANAGEMENT}",
        "certificate": "/srv/tls/fullchain.pem",
        "privateKey": "/srv/tls/privkey.pem",
        "httpPort": 80,
        "tlsPort": 443,
        "ocspResponderURL": "",
        "certificateValidityPeriod": days * 86400,
        "externalAccountBindingRequired": binding,
    }
    return {"pebble": pebble | ({"externalAccountMACKeys": {KID: HMAC_KEY}} if binding else {})}
