"""Whatever goes wrong in a deploy: the old release serves on, the operator is told, the cause gone it heals.

Every drill runs under a load of requests on a site that does not change, none of which may fail. Every drill
has a reboot of the host, after which that site must answer by itself.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from lab import client, hosts, topology

from . import checkout as own
from . import moments
from .checkout import HOME, SLB, no_changes, result_of
from .load import Load

HOST = "t01"
_numbers = count(1)
URL = "http://a.edu.example/x"


def on_host(script: str) -> str:
    return own.on_host(HOST, script)


def _pid() -> str:
    return on_host("systemctl show -p MainPID --value nginx").strip()


def _current() -> str:
    return on_host(f"readlink {HOME}/current || true").strip().removeprefix("releases/")


def _running() -> str:
    return on_host("curl -s http://127.0.0.1:19001/release || true").strip()


@dataclass
class Served(own.Checkout):
    """A checkout whose one site is in force on the host, and that wants another, never seen there before."""

    other: dict[str, Any]


@pytest.fixture
def served(packaged_host, checkout):
    checkout.write_sites(SLB)
    checkout.deploy_well()
    other = {**SLB, "domain": f"other{next(_numbers)}.edu.example"}
    checkout.write_sites(SLB, other)
    yield Served(checkout.path, checkout.default_host, other)
    moments.let_be(HOST)
    on_host("systemctl stop squatter 2>/dev/null; rm -f /etc/nginx/conf.d/theirs.conf")


@contextmanager
def _old_release_serves_on(reboot: bool = True) -> Iterator[None]:
    """The block must leave release, nginx process and every request as they are, and so must a reboot."""
    release, pid = _running(), _pid()
    with Load(URL, topology.address(HOST)):
        yield
        assert _running() == release
        assert _pid() == pid
    if reboot:
        _reboot_and_serve()


def _reboot_and_serve() -> None:
    hosts.restart(HOST)
    hosts.wait_until(lambda: _status() == 200, f"{HOST}: {URL} does not answer after a reboot", seconds=20)


def _status() -> int | None:
    try:
        return own.ask(HOST, URL).status
    except OSError:
        return None


def _heals(checkout: Served, under_load: bool = True) -> None:
    with Load(URL, topology.address(HOST)) if under_load else nullcontext():
        checkout.deploy_well()
    assert own.ask(HOST, f"http://{checkout.other['domain']}/x").status == 200
    assert no_changes(checkout.deploy_well())
    assert checkout.status()[0] == 0
    assert on_host(f"ls -A {HOME}/releases | grep -c '^[.]' || true").strip() == "0"


def _fails(checkout: Served, *texts: str) -> None:
    done = checkout.deploy()
    assert done.returncode == 1
    for text in texts:
        assert text in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


def test_a_template_that_renders_invalid_nginx(served):
    template = served.path / "templates" / "nginx" / "site-slb.conf.j2"
    good = template.read_text()
    template.write_text(good + "nonsense on;\n")
    with _old_release_serves_on():
        for _ in range(2):
            _fails(served, "nginx refuses the new release", 'unknown directive "nonsense"')
    template.write_text(good)
    _heals(served)


def test_a_port_held_by_another_process(served):
    platforms = served.path / "group_data" / "all.py"
    platforms.write_text(platforms.read_text().replace('"port": 9001', '"port": 9002'))
    on_host(_squat(9002))
    with _old_release_serves_on(reboot=False):
        for _ in range(2):
            _fails(served, "port 9002 is held by python3", "free the port")
    on_host("systemctl stop squatter")
    _heals(served)
    _reboot_and_serve()


def test_a_port_taken_between_the_check_and_the_reload(served):
    """nginx itself reports success then: only asking the running one tells."""
    platforms = served.path / "group_data" / "all.py"
    platforms.write_text(platforms.read_text().replace('"port": 9001', '"port": 9003'))
    _shim("systemctl", f'if [ "$1" = kill ]; then {_squat(9003)}; fi')
    with _old_release_serves_on(reboot=False):
        _fails(served, "did not take release", "is in force again", "Address already in use")
        assert _current() == _running()
    _unshim("systemctl")
    on_host("systemctl stop squatter")
    _heals(served)
    _reboot_and_serve()


def _squat(port: int) -> str:
    """The commands that have a process of somebody else's listen on a port, and wait until it does."""
    code = f"import socket,time; held = socket.create_server((str(),{port})); time.sleep(900)"
    listens = f"(exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null"
    return (
        f"systemd-run --quiet --unit squatter python3 -c '{code}'"
        f"; for _ in $(seq 100); do {listens} && break; sleep 0.1; done"
    )


def _shim(command: str, script: str) -> None:
    moments.before(HOST, command, script)


def _unshim(command: str) -> None:
    moments.let_be(HOST, command)


# What is killed is the script of the deploy on the host, which no dropped connection stops.
_KILL = "kill -9 $PPID; exit 1"
# Before mktemp makes the folder in which an activation has nginx test the release. Of the scripts only activate.sh has
# that word.
_KILL_ACTIVATION = """if grep -qa held_ports /proc/$PPID/cmdline; then
    kill -9 $(grep -la held_ports /proc/[0-9]*/cmdline 2>/dev/null | cut -d / -f 3) 2>/dev/null
fi"""


@pytest.mark.parametrize(
    ("moment", "command", "script"),
    [
        ("in the middle of the upload", "base64", _KILL),
        ("after the upload, before the switch", "mktemp", _KILL_ACTIVATION),
        ("after the switch, before the reload", "systemctl", f'if [ "$1" = kill ]; then {_KILL}; fi'),
    ],
)
def test_the_deploy_is_killed_on_the_host(served, moment, command, script):
    with _old_release_serves_on(reboot=False):
        _shim(command, script)
        assert served.deploy().returncode == 1, moment
    _unshim(command)
    # Whatever a restart picks up now has passed nginx -t.
    on_host("nginx -t")
    _reboot_and_serve()
    _heals(served)


def test_a_refused_deploy_after_a_killed_one_goes_back_to_what_serves(served):
    """The killed one left the link at a release that never ran, and somebody has edited nginx.conf since."""
    on_host("sed -i 's/worker_connections .*/worker_connections 700;/' /etc/nginx/nginx.conf")
    with _old_release_serves_on():
        _shim("systemctl", f'if [ "$1" = kill ]; then {_KILL}; fi')
        assert served.deploy().returncode == 1
        _unshim("systemctl")
        assert _current() != _running()
        on_host("sed -i '1i # edited since' /etc/nginx/nginx.conf")
        edited = on_host("cat /etc/nginx/nginx.conf")
        served.write_sites(SLB, served.other, {**served.other, "domain": f"third-{served.other['domain']}"})
        platforms = served.path / "group_data" / "all.py"
        kept = platforms.read_text()
        platforms.write_text(kept.replace('"port": 9001', '"port": 9004'))
        _shim("systemctl", f'if [ "$1" = kill ]; then {_squat(9004)}; fi')
        _fails(served, "did not take release", f"release {_running()} is in force again")
        _unshim("systemctl")
        on_host("systemctl stop squatter")
        assert _current() == _running()
        assert on_host("cat /etc/nginx/nginx.conf") == edited
    platforms.write_text(kept)
    served.write_sites(SLB, served.other)
    _heals(served)


def test_a_first_deploy_that_was_killed_is_nothing_to_go_back_to(served):
    theirs = "find /etc/nginx ! -path '*/wecom-gateway/*' ! -name nginx.conf | sort"
    # The timer would signal nginx as well, and before the deploy does.
    on_host("systemctl stop wecom-gateway-resolve.timer wecom-gateway-resolve.service")
    on_host(f"rm -rf {HOME} /etc/nginx/*/*wecom-gateway.conf; systemctl restart nginx")
    before = on_host(theirs)
    _shim("systemctl", f'if [ "$1" = kill ]; then {_KILL}; fi')
    assert served.deploy().returncode == 1
    _shim("systemctl", f'if [ "$1" = kill ]; then {_squat(9001)}; fi')
    _fails(served, "did not take release", "what was there before is in force again")
    _unshim("systemctl")
    on_host("systemctl stop squatter")
    assert on_host(theirs).replace(f"{HOME}\n", "") == before
    assert _current() == _running() == ""
    hosts.restart(HOST)
    hosts.wait_until(lambda: on_host("systemctl is-active nginx || true").strip() == "active", "nginx does not start")
    assert _status() != 200
    _heals(served, under_load=False)


def test_a_command_that_fails_after_the_switch(served):
    """Shown on nginx's main file, which cannot be replaced while it is a mount point."""
    on_host("sed -i 's/worker_connections .*/worker_connections 700;/' /etc/nginx/nginx.conf")
    before = on_host("ls -A /etc/nginx /etc/nginx/wecom-gateway; cat /etc/nginx/nginx.conf")
    on_host("mount --bind /etc/nginx/nginx.conf /etc/nginx/nginx.conf")
    try:
        with _old_release_serves_on(reboot=False):
            for _ in range(2):
                _fails(served, "Device or resource busy", "is not in force", f"release {_running()} is in force again")
                assert _current() == _running()
    finally:
        on_host("umount /etc/nginx/nginx.conf")
    assert on_host("ls -A /etc/nginx /etc/nginx/wecom-gateway; cat /etc/nginx/nginx.conf") == before
    _reboot_and_serve()
    _heals(served)


def test_the_operators_side_is_killed_in_the_middle_of_the_upload(served):
    """The connection is cut with half of the archive on the way."""
    folder = served.path / "files" / "verify" / served.other["domain"]
    folder.mkdir(parents=True)
    for number in range(400):
        # random enough not to be compressed away
        text = "".join(f"{hash((number, place)):x}" for place in range(700))
        (folder / f"big{number}.txt").write_text(text[:15000])
    with _old_release_serves_on():
        _shim("base64", "sleep 10")  # what unpacks the upload; so much is read of it as a pipe holds
        process = served.start("pyinfra", "-y", "inventory/own.py", "deploy.py")
        hosts.wait_until(lambda: ".incoming" in on_host(f"ls -A {HOME}/releases"), "no upload has begun")
        process.send_signal(signal.SIGKILL)
        process.communicate()
        _unshim("base64")
        hosts.wait_until(lambda: ".incoming" not in on_host(f"ls -A {HOME}/releases"), "an upload was left behind")
    _heals(served)


def test_the_disk_is_full(served):
    """Shown on a small file system under the releases; taken away again, the disk is as it was before."""
    on_host(
        f"mkdir /run/kept && cp -a {HOME}/releases/. /run/kept/"
        f" && mount -t tmpfs -o size=400k,mode=755 tmpfs {HOME}/releases"
        f" && cp -a /run/kept/. {HOME}/releases/"
        f" && dd if=/dev/zero of={HOME}/releases/.filler bs=1k 2>/dev/null || true"
    )
    try:
        with _old_release_serves_on(reboot=False):
            for _ in range(2):
                _fails(served, "disk is full")
            assert on_host(f"ls -A {HOME}/releases | grep -c incoming || true").strip() == "0"
    finally:
        on_host(f"umount -l {HOME}/releases; rm -rf /run/kept")
    _reboot_and_serve()
    _heals(served)


def test_the_disk_is_full_when_an_address_changes(served):
    """Half a minute later the files of addresses are written: nginx must still start with what is there."""
    on_host(
        f"mkdir /run/kept && cp -a {HOME}/upstreams/. /run/kept/"
        f" && mount -t tmpfs -o size=64k,mode=755 tmpfs {HOME}/upstreams && cp -a /run/kept/. {HOME}/upstreams/"
        f" && ! dd if=/dev/zero of={HOME}/upstreams/.filler bs=1k 2>/dev/null"
        f" && cp /etc/hosts /run/hosts && echo '192.0.2.1 {topology.PLATFORM_NAMES[0]}' >>/etc/hosts"
    )
    try:
        with _old_release_serves_on(reboot=False):
            on_host("systemctl start wecom-gateway-resolve.service; nginx -t")
            assert on_host(f"cmp {HOME}/upstreams/*.conf /run/kept/*.conf || find {HOME}/upstreams -empty") == ""
        on_host("systemctl restart nginx")
        assert _status() == 200
    finally:
        on_host(f"cat /run/hosts >/etc/hosts; umount -l {HOME}/upstreams; rm -rf /run/kept /run/hosts")
    _reboot_and_serve()
    _heals(served)


@pytest.mark.parametrize(
    "damage",
    ["rm -f {home}/current", "rm {home}/current; mkdir {home}/current", "ln -sfn nowhere {home}/current"],
)
def test_current_is_deleted_or_unreadable(served, damage):
    with _old_release_serves_on(reboot=False):
        on_host(damage.format(home=HOME))
        assert served.status()[0] == 2
    _heals(served)
    _reboot_and_serve()


def test_a_file_of_the_release_is_edited_by_hand(served):
    served.write_sites(SLB)
    with _old_release_serves_on(reboot=False):
        on_host(f"echo 'nonsense on;' >>{HOME}/current/closed.conf")
        code, report = served.status()
        assert code == 2
        assert report["hosts"][0]["differences"] == ["differs: closed.conf"]
        served.deploy_well()
    _reboot_and_serve()
    assert served.status()[0] == 0


def test_two_deploys_at_once(served, tmp_path_factory):
    """The second waits for the first; what is in force is wholly the one or the other."""
    second = own.Checkout.make(tmp_path_factory.mktemp("second"), HOST)
    second.write_sites(SLB, {**served.other, "domain": f"second-{served.other['domain']}"})
    with Load(URL, topology.address(HOST)):
        processes = [
            one.start("pyinfra", "-y", "--data", "allow_site_removal=1", "inventory/own.py", "deploy.py")
            for one in (served, second)
        ]
        outputs = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    release = _running()
    assert release == _current()
    assert sorted(one.status()[0] for one in (served, second)) == [0, 2]
    _reboot_and_serve()
    assert _running() == release
    _heals(served)


def test_a_release_that_waits_for_its_activation_outlives_another_deploy(served, tmp_path_factory):
    """Two deploys may take turns between their steps; the first to finish must not clear away the other's."""
    _shim("mktemp", _KILL_ACTIVATION)
    assert served.deploy().returncode == 1
    _unshim("mktemp")
    second = own.Checkout.make(tmp_path_factory.mktemp("second"), HOST)
    second.write_sites(SLB, {**served.other, "domain": f"second-{served.other['domain']}"})
    second.deploy_well()
    output = served.deploy_well()
    assert result_of(output, "Publish the release") == ["1", "-", "-", "1"]
    assert result_of(output, "Activate the release")[:2] == ["1", "1"]


def test_nginx_is_stopped(served):
    on_host("systemctl stop nginx")
    served.deploy_well()
    assert _status() == 200
    _reboot_and_serve()


def test_nginx_is_broken_by_somebody_elses_file(served):
    on_host("echo 'broken by them;' >/etc/nginx/conf.d/theirs.conf")
    with _old_release_serves_on(reboot=False):
        for _ in range(2):
            _fails(served, "broken already, without this release", "/etc/nginx/conf.d/theirs.conf")
    on_host("rm /etc/nginx/conf.d/theirs.conf")
    _reboot_and_serve()
    _heals(served)


def test_one_host_of_several_is_unreachable(served):
    served.write_hosts({HOST: [SLB, served.other], "t99": [SLB]}, ssh_connect_retries=0)
    with Load(URL, topology.address(HOST)):
        done = served.deploy()
    assert done.returncode == 1
    assert "[t99]" in done.stderr
    assert "Traceback" not in done.stderr
    assert own.ask(HOST, f"http://{served.other['domain']}/x").status == 200
    code, report = served.status()
    assert code == 2
    assert [(one["host"], one["reachable"], one["in_sync"]) for one in report["hosts"]] == [
        (HOST, True, True),
        ("t99", False, False),
    ]
    _reboot_and_serve()


def test_a_closed_host_name_stays_closed_through_it_all(served):
    with pytest.raises(client.ConnectionClosed):
        own.ask(HOST, "http://nobody.example/")
