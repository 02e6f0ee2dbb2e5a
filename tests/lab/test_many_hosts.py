"""One run over many hosts, and a pair behind a load balancer rolled node by node."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

import lab
from lab import hosts, topology

from . import checkout as own
from .checkout import SLB, Checkout, no_changes
from .load import Load

FLEET = [f"t{number}" for number in range(10, 26)]
PAIR = FLEET[:2]
BALANCER = "t30"

HAPROXY = """
defaults
    mode http
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    timeout check 2s
    option redispatch
frontend public
    bind :80
    default_backend gateways
backend gateways
    option httpchk GET /healthz
    http-check expect status 200
    default-server inter 200ms fall 1 rise 2
"""

# Refuses connections to port 2222 until one was refused, then hands them to sshd.
LATE = """
import re, socket, threading
from pathlib import Path

def refused():
    words = [line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Tcp:")]
    return int(dict(zip(*words))["OutRsts"])

def hand_over(source, target):
    while data := source.recv(65536):
        target.sendall(data)
    target.shutdown(socket.SHUT_WR)

door = socket.socket()
door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
door.bind(("", 2222))
before = refused()
Path("/run/late").write_text("bound")
while refused() == before:
    threading.Event().wait(0.01)
door.listen()
Path("/run/late").write_text("refused")
while True:
    visitor, _ = door.accept()
    sshd = socket.create_connection(("127.0.0.1", 22))
    for pair in ((visitor, sshd), (sshd, visitor)):
        threading.Thread(target=hand_over, args=pair, daemon=True).start()
"""
# In the place of sudo: ends the connection that it is called by, once.
ENDING = """#!/bin/bash
[ -e /tmp/ending ] || exec /usr/bin/sudo "$@"
rm /tmp/ending
for path in /proc/[0-9]*; do
    [ ! -O "$path" ] || [ "$(<"$path/comm")" != sshd ] || kill -9 "${path##*/}"
done
"""


@pytest.fixture(scope="module")
def fleet() -> Iterator[list[str]]:
    lab.up(FLEET, basis="packaged")
    yield FLEET
    hosts.remove(FLEET)


@pytest.fixture
def mine(tmp_path) -> Checkout:
    return Checkout.make(tmp_path, FLEET[0])


@pytest.fixture(scope="module")
def everywhere(fleet, tmp_path_factory) -> Checkout:
    """Deployed to all of them; later tests deploy other things to the pair."""
    checkout = Checkout.make(tmp_path_factory.mktemp("everywhere"), FLEET[0])
    checkout.write_hosts({name: [SLB, {**SLB, "domain": f"{name}.edu.example"}] for name in fleet})
    checkout.deploy_well()
    return checkout


def test_sixteen_hosts_in_one_run(fleet, everywhere):
    """Every host gets its own site and the shared one; a second run changes none of them."""
    for name in fleet:
        assert own.ask(name, f"http://{name}.edu.example/x").status == 200
    assert no_changes(everywhere.deploy_well())
    code, report = everywhere.status()
    assert code == 0
    assert [one["host"] for one in report["hosts"]] == fleet


def test_a_host_that_is_off_is_named_and_a_terminal_sees_how_far_it_is(fleet, everywhere):
    """In one run with the others, which are told as always."""
    off = fleet[7]
    hosts.stop(off)
    try:
        code, out, err = _on_terminal(everywhere, "status", "inventory/own.py", "--no-outside")
        lines = {line.split()[0]: line for line in out.splitlines() if line.startswith("t")}
        assert code == 2
        assert list(lines) == fleet
        assert "unreachable: " in lines[off]
        assert all("in sync" in line for name, line in lines.items() if name != off)
        seen = re.findall(r"(\d+) of 16 hosts asked", err)
        assert seen == [str(done) for done in range(17)]
        _, out, err = _on_terminal(
            everywhere, "status", "inventory/own.py", "--no-outside", "--json", "--limit", PAIR[0]
        )
        assert [one["host"] for one in json.loads(out)["hosts"]] == [PAIR[0]]
        assert err == ""
    finally:
        hosts.start(off)


@pytest.fixture(scope="module")
def balancer() -> Iterator[str]:
    """A load balancer with active health checks in front of the pair."""
    lab.up([BALANCER])
    own.on_host(BALANCER, "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q haproxy")
    servers = "".join(f"    server {name} {topology.address(name)}:80 check\n" for name in PAIR)
    subprocess.run(
        ["docker", "exec", "-i", topology.container(BALANCER), "bash", "-c", "cat >/etc/haproxy/haproxy.cfg"],
        input=HAPROXY + servers,
        text=True,
        check=True,
    )
    own.on_host(BALANCER, "systemctl restart haproxy")
    yield topology.address(BALANCER)
    hosts.remove([BALANCER])


def test_a_pair_is_rolled_node_by_node_without_losing_a_request(fleet, balancer, mine):
    url = "http://a.edu.example/x"
    mine.write_hosts({name: [SLB] for name in PAIR})
    mine.deploy_well("--serial")
    hosts.wait_until(lambda: own.answers(BALANCER, url), "the load balancer sees no gateway", seconds=20)
    with Load(url, balancer):
        for number in range(3):
            mine.write_hosts({name: [SLB, {**SLB, "domain": f"roll{number}.edu.example"}] for name in PAIR})
            mine.deploy_well("--serial")
    assert mine.status()[0] == 0


def test_a_node_that_fails_goes_on_with_what_it_had(fleet, balancer, mine):
    url = "http://a.edu.example/x"
    mine.write_hosts({name: [SLB] for name in PAIR})
    mine.deploy_well("--serial")
    before = own.on_host(PAIR[0], "curl -s http://127.0.0.1:19001/release")
    own.on_host(PAIR[0], "echo 'broken by them;' >/etc/nginx/conf.d/theirs.conf")
    try:
        mine.write_hosts({name: [SLB, {**SLB, "domain": "half.edu.example"}] for name in PAIR})
        with Load(url, balancer):
            done = mine.deploy("--serial")
        assert done.returncode == 1
        assert own.on_host(PAIR[0], "curl -s http://127.0.0.1:19001/release") == before
        assert own.ask(PAIR[1], "http://half.edu.example/x").status == 200
    finally:
        own.on_host(PAIR[0], "rm /etc/nginx/conf.d/theirs.conf")


def test_a_host_that_refuses_once_is_asked_again(fleet, mine, tmp_path):
    """As while sshd is restarted: nothing listens there until one attempt was refused."""
    mine.write_hosts({PAIR[0]: [SLB]})
    mine.deploy_well()
    own.on_host(PAIR[0], f"cat >/run/late.py <<'END'\n{LATE}END\nsystemd-run -q --unit late python3 /run/late.py")
    hosts.wait_until(lambda: "bound" in own.on_host(PAIR[0], "cat /run/late 2>&1 || true"), "the port is not bound")
    mine.write_hosts({PAIR[0]: [SLB]}, ssh_port=2222, ssh_known_hosts_file=str(tmp_path / "known_hosts"))
    code, report = mine.status()
    own.on_host(PAIR[0], "systemctl stop late")
    assert (code, report["hosts"][0]["in_sync"]) == (0, True)
    assert "refused" in own.on_host(PAIR[0], "cat /run/late")


def test_a_connection_that_is_lost_in_the_middle_is_made_anew(fleet, mine):
    mine.write_hosts({PAIR[0]: [SLB]})
    mine.deploy_well()
    own.on_host(
        PAIR[0], f"cat >/usr/local/bin/sudo <<'END'\n{ENDING}END\nchmod 755 /usr/local/bin/sudo; touch /tmp/ending"
    )
    own.on_host(PAIR[0], "chown ops /tmp/ending")
    try:
        code, report = mine.status()
        assert (code, report["hosts"][0]["findings"]) == (0, [])
        assert own.on_host(PAIR[0], "ls /tmp").split().count("ending") == 0
    finally:
        own.on_host(PAIR[0], "rm -f /usr/local/bin/sudo /tmp/ending")


def _on_terminal(mine: Checkout, *words: str) -> tuple[int, str, str]:
    """Exit code, standard output and what a terminal gets of a command whose standard error is one."""
    ours, theirs = pty.openpty()
    with (
        os.fdopen(ours, "rb", buffering=0) as terminal,
        subprocess.Popen(
            [sys.executable, "-m", "gateway", *words], cwd=mine.path, stdout=subprocess.PIPE, stderr=theirs, text=True
        ) as process,
    ):
        os.close(theirs)
        out = process.stdout.read()
        told = b""
        # Linux has no end of file there
        with contextlib.suppress(OSError):
            while more := terminal.read(4096):
                told += more
    return process.returncode, out, told.decode()
