"""A name server on a host itself, which says of one name what a test wants, another thing each time if need be."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from lab import topology

from .checkout import on_host

# Each question for an address gets the next line of the file, from the top again after the last one; lines are
# addresses. Nobody else is asked: other names do not exist.
_SERVER = """
import socket, struct, sys
name, path = sys.argv[1], sys.argv[2]
asked = 0
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.53", 53))
while True:
    query, client = server.recvfrom(512)
    labels, place = [], 12
    while query[place]:
        labels.append(query[place + 1 : place + 1 + query[place]].decode().lower())
        place += 1 + query[place]
    kind = struct.unpack_from("!H", query, place + 1)[0]
    known, found = ".".join(labels) == name, []
    if known and kind == 1:
        lines = open(path).read().splitlines()
        found = lines[asked % len(lines)].split()
        asked += 1
    head = query[:2] + struct.pack("!HHHHH", 0x8580 | (0 if known else 3), 1, len(found), 0, 0)
    answers = b"".join(struct.pack("!HHHIH", 0xC00C, 1, 1, 0, 4) + socket.inet_aton(one) for one in found)
    server.sendto(head + query[12 : place + 5] + answers, client)
"""
_ANSWERS = "/run/answers"


@contextmanager
def serving(host: str, name: str, *answers: str) -> Iterator[None]:
    """Has the host ask its own name server, which gives `answers` to the name's questions in turn."""
    give(host, *answers)
    _put(host, "/run/nameserver.py", _SERVER)
    on_host(host, f"systemd-run -q --unit nameserver python3 /run/nameserver.py {name} {_ANSWERS}")
    # Docker mounts the file: it can be written, not replaced.
    on_host(host, "cp /etc/resolv.conf /run/resolv.conf; echo 'nameserver 127.0.0.53' >/etc/resolv.conf")
    try:
        yield
    finally:
        on_host(host, "cat /run/resolv.conf >/etc/resolv.conf; systemctl stop nameserver")


def give(host: str, *answers: str) -> None:
    """The answers from now on; each is one address or several."""
    _put(host, _ANSWERS, "".join(f"{answer}\n" for answer in answers))


@contextmanager
def platform_everywhere(host: str) -> Iterator[None]:
    """Has the platform answer at every address of 127.0.0.0/8 on the host, as a CDN does at many."""
    proxy = f"/lib/systemd/systemd-socket-proxyd {topology.address('platform')}:443"
    on_host(host, f"systemd-run -q --unit everywhere --socket-property=ListenStream=0.0.0.0:443 {proxy}")
    try:
        yield
    finally:
        on_host(host, "systemctl stop everywhere.socket everywhere.service 2>/dev/null; true")


def _put(host: str, path: str, text: str) -> None:
    command = ["docker", "exec", "-i", topology.container(host), "sh", "-c", f"cat >{path}"]
    subprocess.run(command, input=text, text=True, check=True)
