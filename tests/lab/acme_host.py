"""A host whose certificates come from an ACME server, and what its visitors are shown; for tests to import."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import lab
from lab import acme, client, hosts, topology

from . import checkout as own
from .checkout import HOME, Checkout

HOST = "t42"
# Names that the ACME server finds at the host, one where nobody answers; any other it does not find at all.
KNOWN = {f"{name}.acme.example": topology.address(HOST) for name in ("a", "b", "c", "d", "e", "bound")}
KNOWN["away.acme.example"] = str(topology.subnet()[250])
FILES = {"domain": "files.edu.example", "edge": "tls", "platform": "wanxiao_prod"}
RENEW = "systemctl start wecom-gateway-renew.service"
CODE = "AcmeAcmeAcme0001"
_CA_FILE = "files/acme/ca.pem"


def site(name: str, email: str = "ops@school.edu.cn", **settings: Any) -> dict[str, Any]:
    """An entry whose certificate the server issues."""
    wanted = {"email": email, "directory": acme.DIRECTORY, "ca": _CA_FILE, **settings}
    return {"domain": f"{name}.acme.example", "edge": "tls", "platform": "wanxiao_prod", "cert": {"acme": wanted}}


def on_host(script: str) -> str:
    return own.on_host(HOST, script)


@pytest.fixture(scope="module")
def authority() -> Iterator[None]:
    """A bare host and a server that has never heard of it."""
    lab.up()
    hosts.remove([HOST])
    lab.up([HOST])
    acme.make_impatient(HOST)
    acme.ensure(KNOWN)
    yield
    acme.remove()
    hosts.remove([HOST])


@pytest.fixture
def mine(authority: None, tmp_path: Path) -> Checkout:
    path = tmp_path / "checkout"
    path.mkdir()
    made = Checkout.make(path, HOST)
    made.certificate(FILES["domain"])
    for name in ("a", "c"):
        made.verification(f"{name}.acme.example", CODE)
    (path / _CA_FILE).parent.mkdir()
    shutil.copy(acme.CA, path / _CA_FILE)
    return made


@pytest.fixture
def root(mine: Checkout, tmp_path: Path) -> Path:
    return acme.write_root(tmp_path / "root.pem")


def ask(domain: str, ca: Path, connect: str = topology.address(HOST)) -> client.Response:
    """The answer to a visitor of the domain. For a moment after a reload the old workers still take connections, which
    know nothing of a new site."""
    answers: list[client.Response] = []

    def answered() -> bool:
        with contextlib.suppress(ssl.SSLError):
            answers.append(client.request(f"https://{domain}/x", connect=connect, ca=ca))
        return bool(answers)

    hosts.wait_until(answered, f"{domain}: no TLS", seconds=2)
    return answers[0]


def serial(domain: str) -> int:
    """What names the certificate that a visitor is shown."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection((topology.address(HOST), 443), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=domain) as connection,
    ):
        return hash(connection.getpeercert(binary_form=True))


def is_replaced(domain: str, before: int) -> None:
    """For a moment after a reload the old workers still take connections."""
    hosts.wait_until(lambda: serial(domain) != before, f"{domain}: the old certificate was shown", seconds=5)


def has_no_tls(domain: str) -> bool:
    with pytest.raises(ssl.SSLError):
        serial(domain)
    return True


def journal(unit: str, since: str) -> str:
    return on_host(f"journalctl --sync; journalctl -u {unit} --since @{since} -o cat --no-pager")


def now() -> str:
    return on_host("date +%s.%N").strip()


@contextlib.contextmanager
def a_alone_not_renewed() -> Iterator[int]:
    """A renewal of a and b, while the server does not find a, whose serial number stays the one given."""
    before = serial("a.acme.example"), serial("b.acme.example")
    acme.ensure({name: address for name, address in KNOWN.items() if not name.startswith("a.")})
    try:
        on_host(f"! {RENEW}")
        assert serial("a.acme.example") == before[0]
        is_replaced("b.acme.example", before[1])
        yield before[0]
    finally:
        acme.ensure(KNOWN)


def deactivate(domain: str) -> None:
    """At the server; the host goes on believing in its account."""
    on_host(
        f"read -r account _ <{HOME}/acme/issued/{domain}/order; cd {HOME}/acme/accounts/$account\n"
        "cp -a accounts /run/kept\n"
        f"export REQUESTS_CA_BUNDLE={HOME}/current/acme-ca/$account.pem\n"
        f"certbot unregister -n --config-dir $PWD --work-dir work --logs-dir log --server {acme.DIRECTORY}\n"
        "rm -rf accounts; mv /run/kept accounts"
    )
