"""What a deployed host looks like from inside. Changes nothing on it."""

from __future__ import annotations

import re

import pytest

from gateway.nginx import release
from gateway.nginx.tree import tree

from .conftest import state_of

HOME = "/etc/nginx/wecom-gateway"


def _wanted(remote, target) -> release.Release:
    return release.build(tree(target.host, state_of(remote).build))


def test_nginx_runs_and_comes_back_after_a_reboot(remote):
    """A host that reboots at night must serve logins in the morning."""
    known = state_of(remote)
    assert known.around.main_pid
    if not known.layout.unit:
        pytest.skip("no unit of systemd starts this nginx: that it comes back is its owner's")
    nginx = remote.service(known.layout.unit)
    assert nginx.is_running
    assert nginx.is_enabled


def test_the_running_nginx_serves_what_the_inventory_says(remote, target):
    """A reload that did not happen leaves yesterday's configuration in force, with every file in place."""
    answer = remote.run(
        "bash -c 'exec 3<>/dev/tcp/127.0.0.1/19001; printf \"GET /release HTTP/1.0\\r\\n\\r\\n\" >&3; cat <&3'"
    ).stdout
    wanted = _wanted(remote, target)
    assert answer.splitlines()[-1] == wanted.id
    assert remote.file(f"{HOME}/current").linked_to == f"{HOME}/releases/{wanted.id}"


def test_the_release_on_disk_is_intact(remote, target):
    """A hand-edited file works until the next restart of nginx, and then does not."""
    wanted = _wanted(remote, target)
    listing = remote.run(
        f"cd {HOME}/current/ && find . -type f -printf '%m:%g %u %P\\n' "
        "&& find . -type f -printf '%P\\0' | xargs -0 sha256sum"
    ).stdout.splitlines()
    modes = {line.split(" ", 2)[2]: line.split(" ", 2)[:2] for line in listing if re.match(r"\d+:\S+ \S+ ", line)}
    digests = {line.split("  ", 1)[1]: line.split("  ", 1)[0] for line in listing if re.match(r"[0-9a-f]{64} ", line)}
    expected = {entry.path: entry.mode if ":" in entry.mode else f"{entry.mode}:root" for entry in wanted.manifest()}
    assert modes == {path: [mode, "root"] for path, mode in expected.items()}
    assert digests == {entry.path: entry.sha256 for entry in wanted.manifest()}


def test_nginx_accepts_the_configuration(remote):
    """What a restart would load must load."""
    layout = state_of(remote).layout
    assert remote.run(" ".join((layout.program, *layout.options, "-t"))).rc == 0


def test_every_listener_is_open(remote, target):
    """A port that another process holds is not ours, whatever `nginx -t` says."""
    for port in {port for site in target.host.sites for port in site.listeners()}:
        assert remote.socket(f"tcp://0.0.0.0:{port}").is_listening, port
    if target.host.egress:
        assert remote.socket(f"tcp://{target.host.egress.address}:{target.host.egress.port}").is_listening
    assert remote.socket("tcp://127.0.0.1:19001").is_listening
    assert not remote.socket("tcp://0.0.0.0:19001").is_listening


def test_keys_are_roots_alone(remote):
    """A key that a log shipper can read is a key that leaks. Sites that share a server have it read their keys."""
    found = remote.run(f"grep -rl 'PRIVATE KEY' {HOME} || true").stdout.split()
    workers = state_of(remote).build.group
    for path in found:
        file = remote.file(path)
        allowed = (0o640, 0o750) if file.group == workers else (0o600, 0o700)
        assert (file.user, file.mode) == ("root", allowed[0]), path
        folder = remote.file(path.rpartition("/")[0])
        assert (folder.user, folder.mode, folder.group) == ("root", allowed[1], file.group), path


def test_nothing_of_an_upload_is_left(remote):
    """Leftovers of uploads hold keys."""
    assert remote.run(f"ls -A {HOME}/releases | grep '^\\.' ; ls -d /run/wecom-gateway.* 2>/dev/null").stdout == ""
