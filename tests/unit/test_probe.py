"""How one request from outside ends, whatever answers; servers on the loopback interface."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from datetime import timedelta

import pytest

import gateway.fleet.loading  # noqa: F401  -- pyinfra makes sockets cooperative, as it does in the command
from gateway.outside import probe
from gateway.outside.probe import Client, Door, Unanswered

from .conftest import make_pair

DOMAIN = "wx.school.edu.cn"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: 1\r\n\r\nok"


@pytest.fixture
def serve(tmp_path):
    """Starts a server that treats each connection as told; returns the door to it and the CA that its client needs."""
    stack = contextlib.ExitStack()
    threads: list[threading.Thread] = []

    def start(treat, *, name=DOMAIN, tls=True, newest=ssl.TLSVersion.MAXIMUM_SUPPORTED, **validity):
        chain, key = make_pair(name, **validity)
        (tmp_path / "chain.pem").write_bytes(chain)
        (tmp_path / "key.pem").write_bytes(key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "chain.pem", tmp_path / "key.pem")
        if newest is not ssl.TLSVersion.MAXIMUM_SUPPORTED:
            context.set_ciphers("ALL:@SECLEVEL=0")  # else this OpenSSL refuses to speak the old protocols
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = newest
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

        def run():
            while True:
                try:
                    plain, _ = server.accept()
                except OSError:
                    return
                with (
                    contextlib.suppress(OSError),
                    plain,
                    context.wrap_socket(plain, server_side=True) if tls else plain as connection,
                ):
                    treat(connection)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        threads.append(thread)
        return Door("127.0.0.1", server.getsockname()[1], tls), tmp_path / "chain.pem"

    with stack:
        yield start
    # One that has not seen its socket close would go on in a process that a later test forks, and end there in a
    # traceback.
    for thread in threads:
        thread.join(5)


def _answering(data):
    def treat(connection):
        connection.recv(4096)
        connection.sendall(data)

    return treat


def _fails(call) -> Unanswered:
    with pytest.raises(Unanswered) as caught:
        call()
    return caught.value


def test_an_answer_is_read_with_its_time(serve):
    door, ca = serve(_answering(OK))
    answer = Client(ca).ask(door, DOMAIN, "/")
    assert (answer.status, answer.body, answer.headers["x-a"]) == (200, b"ok", "1")
    assert 0 < answer.seconds < 5


def test_a_handshake_tells_protocol_and_expiry(serve):
    door, ca = serve(lambda connection: None, end=timedelta(days=40))
    tls = Client(ca).greet(door, DOMAIN)
    assert tls.protocol == "TLSv1.3"
    assert 39 < (tls.not_after - time.time()) / 86400 < 41


def test_the_request_is_exact(serve):
    seen = []

    def treat(connection):
        seen.append(connection.recv(4096))
        connection.sendall(OK)

    door, ca = serve(treat)
    client = Client(ca)
    client.ask(door, DOMAIN, "/a?b=%2F")
    client.ask(door, DOMAIN, "/", host="other.invalid", version="1.0")
    assert seen[0].startswith(b"GET /a?b=%2F HTTP/1.1\r\nHost: " + f"{DOMAIN}:{door.port}".encode())
    assert seen[1].startswith(b"GET / HTTP/1.0\r\nHost: other.invalid\r\n")


@pytest.mark.parametrize(
    ("validity", "code"),
    [
        ({"name": "other.school.edu.cn"}, 62),
        ({"start": timedelta(days=-9), "end": timedelta(days=-1)}, 10),
        ({"start": timedelta(days=1)}, 9),
    ],
)
def test_a_certificate_that_a_phone_refuses_is_told_by_its_kind(serve, validity, code):
    door, ca = serve(_answering(OK), **validity)
    why = _fails(lambda: Client(ca).greet(door, DOMAIN))
    assert (why.kind, why.code) == ("certificate", code)
    assert Client(ca).ask(door, DOMAIN, "/", believe=False).status == 200


def test_an_unknown_authority_is_refused(serve):
    door, _ = serve(_answering(OK))
    assert _fails(lambda: Client().greet(door, DOMAIN)).kind == "certificate"


@pytest.mark.parametrize(
    ("treat", "kind"),
    [
        (lambda connection: connection.recv(4096), "closed"),
        (_answering(b"hello\r\n"), "garbled"),
        (_answering(b"HTTP/1.1 999999 x\r\n\r\n"), "garbled"),
        (_answering(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70000 + b"\r\n\r\n"), "garbled"),
        (_answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"), "closed"),
    ],
    ids=["nothing", "no http", "no status", "endless header", "half a body"],
)
@pytest.mark.parametrize("tls", [True, False])
def test_what_is_no_answer_is_told_by_its_kind(serve, treat, kind, tls):
    door, ca = serve(treat, tls=tls)
    assert _fails(lambda: Client(ca).ask(door, DOMAIN, "/")).kind == kind


def test_tls_asked_of_a_plain_port(serve):
    door, ca = serve(_answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"), tls=False)
    assert _fails(lambda: Client(ca).greet(Door(door.address, door.port, True), DOMAIN)).kind == "handshake"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_a_server_that_speaks_old_tls_alone_is_told_as_that(serve, newest):
    door, ca = serve(_answering(OK), newest=newest)
    why = _fails(lambda: Client(ca).greet(door, DOMAIN))
    assert (why.kind, str(why)) == ("outdated", "speaks neither TLS 1.2 nor 1.3")


def test_a_server_that_answers_in_old_tls_unasked_is_told_as_that(serve):
    """What servers do that know no alert for it: a ServerHello of TLS 1.1."""
    hello = b"\x03\x02" + bytes(32) + b"\x00" + b"\x00\x2f" + b"\x00"
    message = b"\x02" + len(hello).to_bytes(3, "big") + hello
    door, ca = serve(_answering(b"\x16\x03\x02" + len(message).to_bytes(2, "big") + message), tls=False)
    assert _fails(lambda: Client(ca).greet(Door(door.address, door.port, True), DOMAIN)).kind == "outdated"


def test_a_closed_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert _fails(lambda: Client().greet(Door("127.0.0.1", port, False), DOMAIN)).kind == "refused"


def test_a_server_that_drips_is_given_up(serve, monkeypatch):
    monkeypatch.setattr(probe, "WHOLE", 0.5)

    def drip(connection):
        connection.recv(4096)
        for _ in range(100):
            connection.sendall(b"H")
            time.sleep(0.1)

    door, ca = serve(drip)
    before = time.monotonic()
    assert _fails(lambda: Client(ca).ask(door, DOMAIN, "/")).kind == "slow"
    assert time.monotonic() - before < 8


def test_an_endless_body_is_cut(serve):
    door, ca = serve(_answering(b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 1_000_000), tls=False)
    assert len(Client(ca).ask(door, DOMAIN, "/").body) == 64 * 1024
