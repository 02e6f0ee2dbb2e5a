"""What a host says of itself where its packages are RPM's, SELinux is in force and firewalld runs, by stand-ins."""

from __future__ import annotations

import pytest

from gateway.deploys.facts import GatewayState
from gateway.deploys.state import HostState

from .host_stage import Stage

# Looked up before this machine's own apt is.
_RPM = "find_manager() { manager=dnf; }"
_PROGRAMS = {
    "rpm": r"""
case $1 in
    -qf) [ -e "$STAGE/owned" ] && echo nginx-core || { echo "file $4 is not owned by any package"; exit 1; } ;;
    -q)
        [ "$2" = --whatprovides ] || { echo "nginx-core 1.20.1-14.el9 Rocky"; exit; }
        shift 2
        for name; do [ "$name" != nginx-mod-stream ] && echo "$name-1" || echo "no package provides $name"; done ;;
esac
""",
    "dnf": r"""
if [ "$*" = "-q list nginx" ] && [ -e "$STAGE/known" ]; then
    printf 'Available Packages\nnginx.x86_64  2:1.20.1-14.el9  appstream\n'
fi
[ "$*" != "-q list epel-release" ] || printf 'Available Packages\nepel-release.noarch 9-7.el9 extras\n'
""",
    "getenforce": "echo Enforcing",
    "getsebool": 'echo "$1 --> off"',
    "semanage": r"""
printf 'http_cache_port_t tcp 8080\nhttp_port_t    tcp   9001, 80, 8000-8010\npegasus_http_port_t tcp 5988\n'
""",
    "firewall-cmd": r"""
case $* in *--state*) ;; --list-ports) echo "9001/tcp 53/udp" ;; --list-services) echo "ssh https" ;; esac
""",
}


@pytest.fixture
def host(tmp_path) -> Stage:
    made = Stage(tmp_path / "host")
    for name, text in _PROGRAMS.items():
        made._program(made.root / "bin" / name, text)
    return made


def _state(host: Stage) -> HostState:
    return GatewayState().process(host.says("state", instead=_RPM))


def test_a_bare_host(host):
    known = _state(host)
    assert (known.installed, known.candidate, known.epel) == (None, None, True)
    (host.told / "known").touch()
    known = _state(host)
    assert known.candidate is not None
    assert (str(known.candidate), known.epel) == ("1.20.1", False)
    assert "nginx-mod-stream" in known.missing
    assert "ca-certificates" not in known.missing
    assert known.layout.is_rpm


def test_the_system_s_nginx_is_told_from_one_that_no_package_brought(host):
    host.install_nginx()
    assert _state(host).foreign
    (host.told / "owned").touch()
    known = _state(host)
    assert (known.foreign, known.package) == (False, "nginx-core 1.20.1-14.el9 Rocky")


def test_what_selinux_and_firewalld_say(host):
    guards = _state(host).guards
    assert (guards.enforcing, guards.may_connect) == (True, False)
    assert guards.web_ports == ((9001, 9001), (80, 80), (8000, 8010))
    assert guards.open_ports == ((9001, 9001), (443, 443))
    for name in ("getenforce", "firewall-cmd"):
        (host.root / "bin" / name).write_text("#!/bin/bash\nexit 1\n")
    guards = _state(host).guards
    assert (guards.enforcing, guards.open_ports) == (False, None)
