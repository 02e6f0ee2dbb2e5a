"""As many visitors as a large school has at once, on a host that has other sites too."""

from __future__ import annotations

import re
import resource
import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from lab import topology

from . import checkout as own
from .checkout import SLB

HOST = "t01"
KEPT, ACTIVE = 5000, 500
NGINX_CONF = "/etc/nginx/nginx.conf"

NEIGHBOUR = """
server { listen 80; server_name neighbour.example; location / { return 200 "still here"; } }
"""


@pytest.fixture
def room_for_sockets() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = KEPT + 1000
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"this machine allows {hard} open files, the test needs {wanted}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _request(more: str = "") -> bytes:
    return f"GET /x HTTP/1.1\r\nHost: {SLB['domain']}\r\n{more}\r\n".encode()


def _statuses(connections: list[socket.socket], seconds: float) -> list[bytes]:
    """The status of each whole answer; what does not answer is missing."""
    received = dict.fromkeys(connections, b"")
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ, connection)
        until = time.monotonic() + seconds
        while selector.get_map() and time.monotonic() < until:
            for ready, _ in selector.select(timeout=1):
                piece = ready.data.recv(65536)
                received[ready.data] += piece
                if not piece or _is_whole(received[ready.data]):
                    selector.unregister(ready.data)
    return [answer[9:12] for answer in received.values() if _is_whole(answer)]


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return bool(end and length) and len(body) >= int(length[1])


def _in_waves(connections: list[socket.socket]) -> int:
    """How many answer 200 to a request, asked by the hundred: the stand-in platform is no large one."""
    answered = 0
    for start in range(0, len(connections), 100):
        wave = connections[start : start + 100]
        for connection in wave:
            connection.sendall(_request())
        answered += _statuses(wave, 30).count(b"200")
    return answered


def test_five_thousand_kept_connections_and_five_hundred_at_work(packaged_host, checkout, room_for_sockets):
    own.on_host(HOST, f"cat >/etc/nginx/conf.d/neighbour.conf <<'E'\n{NEIGHBOUR}\nE\nsystemctl reload nginx")
    checkout.write_sites(SLB)
    checkout.deploy_well()
    with ExitStack() as stack:
        connections = []
        for _ in range(KEPT // 100):
            wave = [socket.create_connection((topology.address(HOST), 80), timeout=10) for _ in range(100)]
            connections += [stack.enter_context(connection) for connection in wave]
            assert _in_waves(wave) == len(wave)  # at once: a connection that asks nothing is closed
        for connection in connections[:ACTIVE]:
            connection.sendall(_request("X-Lab-Delay: 3\r\n"))
        assert own.ask(HOST, "http://neighbour.example/").body == b"still here"
        assert own.ask(HOST, f"http://{SLB['domain']}/x").status == 200
        assert _statuses(connections[:ACTIVE], 30).count(b"200") == ACTIVE
        assert _in_waves(connections[ACTIVE:]) == KEPT - ACTIVE


def test_the_room_is_one_number_in_nginx_conf_and_what_others_wrote_there_stays(packaged_host, checkout):
    own.on_host(
        HOST,
        f"sed -i '1i # ours' {NGINX_CONF} && sed -i 's/worker_connections .*/worker_connections 700;/' {NGINX_CONF}",
    )
    own.on_host(HOST, "systemctl reload nginx")
    before = own.on_host(HOST, f"cat {NGINX_CONF}")
    checkout.write_sites(SLB)
    assert not own.no_changes(checkout.deploy_well())
    expected = before.replace("worker_connections 700;", "worker_connections 16384; # 700 before wecom-gateway")
    assert own.on_host(HOST, f"cat {NGINX_CONF}") == expected
    assert own.on_host(HOST, "ls /etc/nginx/*before* /etc/nginx/*wecom-gateway.?* 2>/dev/null || true") == ""
    assert own.no_changes(checkout.deploy_well())


def test_more_room_stays_and_a_limit_of_somebody_elses_is_not_said_twice(packaged_host, checkout):
    own.on_host(HOST, f"sed -i 's/worker_connections .*/worker_connections 40000;/' {NGINX_CONF}")
    own.on_host(HOST, f"sed -i '1i worker_rlimit_nofile 100000;' {NGINX_CONF}")
    checkout.write_sites({**SLB, "hsts": 5})
    checkout.deploy_well()
    assert "worker_connections 40000;" in own.on_host(HOST, f"cat {NGINX_CONF}")
    assert own.no_changes(checkout.deploy_well())


def test_a_release_that_nginx_does_not_take_leaves_nginx_conf_as_it_was(packaged_host, checkout):
    own.on_host(HOST, f"sed -i 's/worker_connections .*/worker_connections 600;/' {NGINX_CONF}")
    before = own.on_host(HOST, f"cat {NGINX_CONF}")
    snippet = checkout.path / "templates" / "nginx" / "snippets" / "server.conf.j2"
    snippet.write_text(snippet.read_text() + "no_such_directive on;\n")
    checkout.write_sites(SLB)
    assert checkout.deploy().returncode != 0
    assert own.on_host(HOST, f"cat {NGINX_CONF}") == before
