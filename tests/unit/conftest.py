"""What unit tests share: a checkout of their own and certificates made on the spot."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pyinfra import logger

from gateway.fleet.host import Host
from gateway.fleet.parsing import parse_host
from gateway.outside import checks
from gateway.outside.places import Target
from tests.conftest import REPO
from tests.platforms import PLATFORMS

from .answering import FILE, SITES, AnsweringSite
from .nginx_reading import Block
from .protected import EVERY_NGINX, http_level


def long_domain(length: int) -> str:
    """A domain of so many characters."""
    return (f"{'a' * 60}." * 5)[: length - len("b.edu.cn")] + "b.edu.cn"


def make_pair(
    domain: str, *, start: timedelta = timedelta(days=-1), end: timedelta = timedelta(days=60)
) -> tuple[bytes, bytes]:
    """A self-signed certificate and its key, valid from now + start to now + end."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domain[:64])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + start)
        .not_valid_after(now + end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(domain)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """An empty files/ folder."""
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


@pytest.fixture
def closed() -> Iterator[tuple[Path, Callable[[Path], AbstractContextManager[None]]]]:
    """A files/ folder that everybody reaches, and what closes a folder in it to whoever runs within."""

    @contextmanager
    def close(folder: Path) -> Iterator[None]:
        is_root = os.geteuid() == 0
        folder.chmod(0)
        if is_root:  # whom no mode keeps out
            os.seteuid(65534)
        try:
            yield
        finally:
            if is_root:
                os.seteuid(0)
            folder.chmod(0o700)

    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "files"
        folder.mkdir()
        yield folder, close


@pytest.fixture
def store_pair(files: Path) -> Callable[..., tuple[bytes, bytes]]:
    """Puts a certificate and key for a domain where the convention wants them."""

    def store(domain: str, **validity: timedelta) -> tuple[bytes, bytes]:
        chain, key = make_pair(domain, **validity)
        folder = files / "certs" / domain
        folder.mkdir(parents=True)
        (folder / "fullchain.pem").write_bytes(chain)
        (folder / "privkey.pem").write_bytes(key)
        (folder / "privkey.pem").chmod(0o600)
        return chain, key

    return store


@pytest.fixture
def parse(files: Path) -> Callable[..., tuple[Host | None, list[str]]]:
    """Checks sites as one host's data: the host, and the problems as an operator reads them."""

    def check(*sites: Any, **data: Any) -> tuple[Host | None, list[str]]:
        host, problems = parse_host("h1", {"platforms": PLATFORMS, "sites": list(sites), **data}, files)
        return host, [str(one) for one in problems if one.severity == "error"]

    return check


@pytest.fixture
def inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Writes an inventory; loading happens from the repository's top, as operators do."""
    monkeypatch.chdir(REPO)

    def write(text: str) -> str:
        # pyinfra keeps compiled inventories by name for the length of a process
        path = tmp_path / f"inventory{len(list(tmp_path.iterdir()))}.py"
        path.write_text(text)
        return str(path)

    return write


@pytest.fixture
def answering(
    parse: Callable[..., Any], store_pair: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., AnsweringSite]:
    """Makes an AnsweringSite of a kind in SITES; a `straight` one is asked at the host behind its load balancer. Nobody
    waits between two attempts to connect."""
    monkeypatch.setattr(checks, "_PAUSE", 0)

    def site(kind: str, *, straight: bool = False) -> AnsweringSite:
        entry = SITES[kind]
        if entry["edge"] == "tls":
            store_pair(entry["domain"])
        host, problems = parse(entry)
        assert not problems
        return AnsweringSite(Target(host.sites[0], ("h1",), (FILE,), straight=straight))

    return site


@pytest.fixture(params=EVERY_NGINX, ids="-".join)
def http(request: pytest.FixtureRequest) -> Block:
    """Everything at http level: sites of one edge, on one nginx."""
    return http_level(*request.param)


@pytest.fixture(autouse=True)
def log_without_translation() -> Iterator[None]:
    """Each test finds pyinfra's log as a program that has just begun: without the words of a run before it."""
    yield
    logger.filters.clear()
