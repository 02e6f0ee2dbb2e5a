"""Logins that go wrong, with nobody there to ask: a sentence for that host, and the others are deployed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import lab
from lab import hosts, interrupts, topology

from . import checkout as own
from .checkout import SLB, Checkout

HOST, OTHER = "t40", "t41"
# Over the host's own.
TMP = "mount -t tmpfs -o mode=1777"
SUDO = "/etc/sudoers.d/ops"
# Nobody to ask: no terminal of its own, nothing on standard input.
ALONE: dict[str, Any] = {"stdin": subprocess.DEVNULL, "start_new_session": True}


@pytest.fixture(scope="module", autouse=True)
def pair() -> Iterator[None]:
    """Two hosts, one of which gets into trouble."""
    lab.up([HOST, OTHER])
    own.on_host(
        HOST, "echo ops:geheim | chpasswd; cp -p /etc/sudoers.d/ops /root/sudoers; cp -p ~ops/.bashrc /root/bashrc"
    )
    yield
    hosts.remove([HOST, OTHER])


@pytest.fixture
def mine(tmp_path) -> Checkout:
    return Checkout.make(tmp_path, HOST)


@contextmanager
def _changed(script: str) -> Iterator[None]:
    """The host with a change to its logins, undone afterwards."""
    own.on_host(HOST, script)
    try:
        yield
    finally:
        own.on_host(
            HOST,
            "usermod -s /bin/bash ops; cp -p /root/sudoers /etc/sudoers.d/ops; cp -p /root/bashrc ~ops/.bashrc;"
            "[ $(grep -c ' /tmp ' /proc/mounts) = 1 ] || umount /tmp; chage -d 2026-01-01 -M -1 ops",
        )


def _write(mine: Checkout, **data: Any) -> None:
    """An inventory of both; `data` is the troubled one's."""
    mine.write_hosts({HOST: [SLB], OTHER: [SLB]})
    path = mine.path / "inventory" / "own.py"
    more = f"hosts[0][1].update({data!r})\nfor key in [key for key, value in hosts[0][1].items() if value is None]:\n"
    path.write_text(f"{path.read_text()}{more}    del hosts[0][1][key]\n")


def _deploy(mine: Checkout, *options: str) -> subprocess.CompletedProcess[str]:
    return mine.run("pyinfra", "-y", *options, "inventory/own.py", "deploy.py", timeout=120, **ALONE)


def _status(mine: Checkout) -> tuple[int, dict[str, dict[str, Any]]]:
    done = mine.run("python", "-m", "gateway", "status", "inventory/own.py", "--json", "--no-outside", **ALONE)
    return done.returncode, {one["host"]: one for one in json.loads(done.stdout)["hosts"]}


def _told(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What a deploy says of the host in trouble, apart from pyinfra's own words."""
    said = done.stdout + done.stderr
    assert "Traceback" not in said, said
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in said.splitlines()]
    told = [line.partition("] ")[2].strip() for line in lines if line.startswith(f"    [{HOST}]")]
    return [line for line in told if not line.startswith(("Error: ", "Connected", "Ready: "))]


NO_PASSWORD = "sudo wants a password of ops and nobody is asked for one; allow it without .*NOPASSWD.*`_sudo_password`"
HELPER = "sudo cannot get `_sudo_password`: pyinfra's helper cannot run in /tmp.*set `_temp_dir`"
TROUBLES = [
    pytest.param(f"echo 'ops ALL=(ALL) ALL' >{SUDO}", {}, NO_PASSWORD, id="sudo wants a password"),
    pytest.param(f"echo >{SUDO}", {}, NO_PASSWORD, id="no sudo for this user"),
    pytest.param(
        f"echo 'ops ALL=(ALL) NOPASSWD: /bin/true' >{SUDO}",
        {"_sudo_password": "geheim"},
        "sudo cannot get|ops may not use sudo",
        id="sudo for another program alone",
    ),
    pytest.param(
        f"printf 'Defaults requiretty\\nops ALL=(ALL) NOPASSWD: ALL\\n' >{SUDO}",
        {},
        "sudo wants a terminal of ops .*!requiretty",
        id="requiretty",
    ),
    pytest.param(f"echo 'ops ALL=(ALL) ALL' >{SUDO}", {"_sudo_password": "geheim"}, HELPER, id="noexec"),
    pytest.param(
        f"echo 'ops ALL=(ALL) ALL' >{SUDO}; {TMP},size=64k tmpfs /tmp; head -c 70000 /dev/zero >/tmp/x || :",
        {"_sudo_password": "geheim"},
        HELPER,
        id="full",
    ),
    pytest.param(
        f"echo 'ops ALL=(ALL) ALL' >{SUDO}; {TMP},ro tmpfs /tmp",
        {"_sudo_password": "geheim"},
        HELPER,
        id="read-only",
    ),
    pytest.param(
        f"echo 'ops ALL=(ALL) ALL' >{SUDO}",
        {"_sudo_password": "falsch", "_temp_dir": "/home/ops"},
        "sudo does not take `_sudo_password` for ops",
        id="wrong password",
    ),
    pytest.param(
        "true", {"_sudo": None}, "this runs as ops, not as root; set `_sudo = True` in group_data/", id="no _sudo"
    ),
    pytest.param("true", {"_sudo_user": "ops"}, "this runs as ops, not as root; .* no `_sudo_user`", id="_sudo_user"),
    pytest.param("true", {"_sudo_user": "nosuch"}, 'no user "nosuch".*leave it out', id="unknown _sudo_user"),
    pytest.param(
        "usermod -s /usr/sbin/nologin ops", {}, "ops may log in but run nothing.*usermod -s /bin/bash", id="nologin"
    ),
    pytest.param("sed -i '1i exit 0' ~ops/.bashrc", {}, "login shell|runs nothing", id="a .bashrc that ends"),
    pytest.param(
        r"sed -i '1i printf \"\\\\xbb\\\\xb6\\\\xd3\\\\xad\\\\n\"' ~ops/.bashrc",
        {},
        "says nothing that can be read; .*encodings",
        id="a .bashrc in GBK",
    ),
    pytest.param("chage -d 0 ops", {}, "the password of ops has expired", id="password expired"),
]


def _is_told_and_stops_nobody_else(done: subprocess.CompletedProcess[str], sentence: str) -> None:
    told = _told(done)
    assert len(told) == 1, told
    assert re.search(sentence, told[0]), told
    assert "geheim" not in done.stdout + done.stderr
    assert done.returncode == 1
    assert own.ask(OTHER, "http://a.edu.example/x").status == 200


@pytest.mark.parametrize(("script", "data", "sentence"), TROUBLES)
def test_a_login_that_runs_nothing_is_one_sentence(mine, script, data, sentence):
    _write(mine, **data)
    with _changed(script):
        done = _deploy(mine)
        code, report = _status(mine)
    _is_told_and_stops_nobody_else(done, sentence)
    assert code == 2
    assert re.search(sentence, report[HOST]["problem"]), report
    assert report[HOST]["reachable"]
    assert report[OTHER]["in_sync"]


UNREACHED = [
    pytest.param({"ssh_user": "nosuch"}, 'does not let "nosuch" in with the key .*`ssh_user`', id="user"),
    pytest.param({"ssh_key": "none"}, "none: No such file or directory; .*`ssh_key`", id="no key"),
    pytest.param({"ssh_key": f"{topology.SSH_KEY}.pub"}, "is the public half of a key; right", id="public"),
    pytest.param({"ssh_key": "locked"}, "locked: is encrypted; set `ssh_key_password`", id="passphrase"),
    pytest.param(
        {"ssh_key": "locked", "ssh_key_password": "x"},
        "locked: cannot be opened with `ssh_key_password`",
        id="wrong passphrase",
    ),
    pytest.param({"ssh_port": 2}, "nothing listens at .* port 2; .*`ssh_port`", id="port"),
    pytest.param({"ssh_hostname": "gw.nosuch.example"}, "does not resolve here; .*`ssh_hostname`", id="name"),
    pytest.param({"ssh_hostname": topology.address("t98")}, "(no way from here to|no answer from) .*; ", id="down"),
    pytest.param({"ssh_known_hosts_file": "changed"}, "host key of .* is not the one in changed; .*-R", id="changed"),
    pytest.param(
        {"ssh_known_hosts_file": "empty", "ssh_strict_host_key_checking": "yes"},
        "the host key of .* is not in empty and `ssh_strict_host_key_checking`.*ssh-keyscan",
        id="strict",
    ),
    pytest.param({"ssh_known_hosts_file": "no/such"}, "no/such: No such file.*`ssh_known_hosts_file`", id="folder"),
    pytest.param({"ssh_key": None, "ssh_look_for_keys": False}, "there is no key to log in to .* with", id="nothing"),
    pytest.param(
        {"ssh_key": None, "ssh_look_for_keys": False, "ssh_password": "falsch"},
        'does not let "ops" in with the password in `ssh_password`|lets "ops" in by publickey alone',
        id="password",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("data", "sentence"), UNREACHED)
def test_a_host_that_lets_nobody_in_is_one_sentence(mine, data, sentence):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "geheim", "-f", str(mine.path / "locked")], check=True)
    key = (mine.path / "locked.pub").read_text().split()
    (mine.path / "changed").write_text(f"{topology.address(HOST)} {key[0]} {key[1]}\n")
    (mine.path / "empty").touch()
    _write(mine, **data)
    _is_told_and_stops_nobody_else(_deploy(mine), sentence)
    code, report = _status(mine)
    assert code == 2
    assert re.search(f"^unreachable: .*{sentence}", report[HOST]["problem"]), report
    assert not report[HOST]["reachable"]
    assert report[OTHER]["in_sync"]


NOISE = "echo 'version nginx version: nginx/9.9.9'; echo apart:0.0.0.0:80 a.edu.example; printf 'Welcome, no line end'"
HARMLESS = [
    pytest.param(f'sed -i "1i {NOISE}" ~ops/.bashrc', {}, id="a .bashrc that prints"),
    pytest.param(
        f"sed -i \"1i {NOISE}\" ~ops/.bashrc; echo 'ops ALL=(ALL) ALL' >{SUDO}",
        {"_sudo_password": "geheim", "_temp_dir": "/home/ops"},
        id="a .bashrc that prints, and a password",
    ),
    pytest.param("sed -i '1i export LC_ALL=zh_CN.GBK' ~ops/.bashrc", {}, id="a locale that is not there"),
    pytest.param("usermod -s /bin/sh ops", {}, id="dash"),
    pytest.param(
        f"printf 'Defaults secure_path=/usr/local/bin:/usr/bin:/bin\\nops ALL=(ALL) NOPASSWD: ALL\\n' >{SUDO}",
        {},
        id="no sbin",
    ),
]


@pytest.mark.parametrize(("script", "data"), HARMLESS)
def test_a_login_that_is_odd_but_works_is_none_of_the_gateways_business(mine, script, data):
    """On a host without nginx, so that everything of a deploy is run."""
    hosts.remove(["t42"])
    lab.up(["t42"])
    try:
        own.on_host("t42", f"echo ops:geheim | chpasswd; {script}")
        mine.write_hosts({"t42": [SLB]}, **data)
        done = _deploy(mine)
        assert done.returncode == 0, done.stdout + done.stderr
        assert own.ask("t42", "http://a.edu.example/x").status == 200
        assert own.no_changes(_deploy(mine).stderr)
        code, report = _status(mine)
        assert (code, report["t42"]["problem"]) == (0, "")
        assert mine.run("pyinfra", "-y", "inventory/own.py", "rollback.py", **ALONE).returncode == 1
    finally:
        hosts.remove(["t42"])


def test_a_control_machine_without_known_hosts(mine, tmp_path):
    """As a CI runner is: no ~/.ssh."""
    home = tmp_path / "home"
    home.mkdir()
    _write(mine, ssh_known_hosts_file=None)
    surroundings = {**os.environ, "HOME": str(home)}
    for arguments in (("-m", "gateway", "status", "inventory/own.py", "--json", "--no-outside"),):
        done = mine.run("python", *arguments, env=surroundings, **ALONE)
        assert "unreachable" not in done.stdout
    assert (home / ".ssh").stat().st_mode & 0o777 == 0o700
    for operations in ("deploy.py", "rollback.py"):
        shutil.rmtree(home / ".ssh")
        done = mine.run("pyinfra", "-y", "inventory/own.py", operations, env=surroundings, **ALONE)
        assert "known_hosts" not in done.stderr.replace("to known_hosts", "").replace("found in known_hosts", "")
        assert topology.address(HOST) in (home / ".ssh" / "known_hosts").read_text()


def test_a_home_that_cannot_be_written_is_a_sentence(mine):
    _write(mine, ssh_known_hosts_file=None)
    done = mine.run("pyinfra", "-y", "inventory/own.py", "deploy.py", env={**os.environ, "HOME": "/proc/none"}, **ALONE)
    assert done.returncode == 1
    (told,) = _told(done)
    assert re.search("/proc/none/.ssh/known_hosts: No such file.*set `ssh_known_hosts_file`", told)


@pytest.fixture
def crowded(tmp_path) -> Iterator[list[int]]:
    """Fifteen ports of this machine that lead to one sshd, which lets in few at a time, each slowly."""
    own.on_host(
        HOST,
        "echo 'MaxStartups 2:50:6' >/etc/ssh/sshd_config.d/few.conf; systemctl restart ssh;"
        "sed -i '1i auth optional pam_exec.so /bin/true\\naccount optional pam_exec.so /bin/sleep 0.3' /etc/pam.d/sshd",
    )
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(_forwarded(topology.address(HOST))) for _ in range(15)]
    own.on_host(HOST, "rm /etc/ssh/sshd_config.d/few.conf; sed -i 1,2d /etc/pam.d/sshd; systemctl restart ssh")


@contextmanager
def _forwarded(address: str) -> Iterator[int]:
    script = (
        "import socket, sys, threading\n"
        "def pump(a, b):\n"
        "    try:\n"
        "        while data := a.recv(65536): b.sendall(data)\n"
        "    except OSError: pass\n"
        "    finally:\n"
        "        for one in (a, b):\n"
        "            try: one.shutdown(2)\n"
        "            except OSError: pass\n"
        "server = socket.create_server(('127.0.0.1', 0)); print(server.getsockname()[1], flush=True)\n"
        "while True:\n"
        "    near, _ = server.accept(); far = socket.create_connection((sys.argv[1], 22))\n"
        "    for pair in ((near, far), (far, near)): threading.Thread(target=pump, args=pair, daemon=True).start()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, address], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def test_many_hosts_behind_one_address_are_let_in_a_few_at_a_time(mine, crowded):
    """sshd drops connections beyond its MaxStartups; a jump host's does so for all hosts behind it."""
    ssh = {
        "ssh_hostname": "127.0.0.1",
        "ssh_user": topology.SSH_USER,
        "ssh_key": str(topology.SSH_KEY),
        "ssh_known_hosts_file": str(mine.path / "known"),
        "ssh_strict_host_key_checking": "off",
        "_sudo": True,
        "sites": [SLB],
    }
    entries = [(f"h{port}", {**ssh, "ssh_port": port}) for port in crowded]
    (mine.path / "inventory" / "own.py").write_text(f"hosts = {entries!r}\n")
    _, report = _status(mine)
    assert [one["host"] for one in report.values() if not one["reachable"]] == []
    # `exec` connects as a deploy does; fifteen deploys of one machine would wait for each other
    done = mine.run("pyinfra", "-y", "inventory/own.py", "exec", "--", "true", timeout=120, **ALONE)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("Connected") == len(entries)


@pytest.mark.parametrize("moment", ["Connecting to hosts", "Starting operation"])
def test_a_deploy_that_is_broken_off_does_not_end_as_if_all_were_well(mine, moment):
    _write(mine)
    with _changed("sed -i '1i sleep 3' ~ops/.bashrc"):
        process = mine.start("pyinfra", "-y", "inventory/own.py", "deploy.py", preexec_fn=interrupts.heeded, **ALONE)
        assert process.stderr is not None
        for line in process.stderr:
            if moment in line:
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert "--> stopped; " in err
    assert "Traceback" not in out + err
