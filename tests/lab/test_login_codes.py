"""What is logged of requests that fail: why, in a file of its own, and nowhere the login code in their address."""

from __future__ import annotations

from itertools import count

import pytest

from lab import client, hosts, topology

from . import checkout as own
from .checkout import HOME, SLB, TLS, Checkout

HOST = "t01"
LOG = "/var/log/nginx/wecom-gateway.error.log"
SOCKET = "wecom-gateway-errors.socket"
CODE = "C0deOfOneLogin"
ORIGINS = {"slb": "http://a.edu.example/o/itsm/weixin", "tls": "https://b.edu.example/o/itsm/weixin"}
_numbers = count(1)


def on_host(script: str) -> str:
    return own.on_host(HOST, script)


@pytest.fixture(scope="module")
def gateway(packaged_host, tmp_path_factory) -> Checkout:
    """A site of each edge, in force."""
    made = Checkout.make(tmp_path_factory.mktemp("own"), HOST)
    made.certificate(TLS["domain"])
    made.write_sites(SLB, TLS)
    made.deploy_well()
    return made


def _fails(edge: str = "slb", **headers: str) -> str:
    """A request to which the platform gives no answer that can be passed on; its path, which nobody has asked for
    before."""
    path = f"/n{next(_numbers)}"
    url = f"{ORIGINS[edge]}{path}?code={CODE}&state=1"
    more = {"Referer": f"https://login.example/?code={CODE}", **(headers or {"X-Lab-Close": "1"})}
    # Not asked twice, as a GET would be.
    assert own.ask(HOST, url, method="POST", body=b"x", headers=more).status == 502
    return path


def _logged(path: str) -> str:
    search = f"grep -F '{path}\"' {LOG}"
    return on_host(f"for _ in $(seq 40); do {search} && exit 0; sleep 0.25; done; exit 1")


def _codes() -> str:
    """Every line with a code, of whatever is logged on the host."""
    return on_host(f"grep -rF {CODE} /var/log || true; journalctl --no-pager -o cat | grep -F {CODE} || true")


def _in_sync(gateway: Checkout) -> None:
    code, report = gateway.status()
    assert code == 0, report


@pytest.mark.parametrize("edge", ORIGINS)
def test_the_reason_is_logged_and_the_code_nowhere(gateway, edge):
    line = _logged(_fails(edge))
    assert "upstream prematurely closed connection while reading response header from upstream" in line
    domain = {"slb": SLB, "tls": TLS}[edge]["domain"]
    assert f'server: {domain}, request: "POST /o/itsm/weixin/n' in line
    assert f'upstream: "https://{topology.address("platform")}:443", host: "{domain}"' in line
    assert _codes() == ""


def test_over_http_2_too(gateway):
    url = f"{ORIGINS['tls']}/h2?code={CODE}"
    curl = f"curl -sS --http2 -o /dev/null -w '%{{http_version}} %{{http_code}}' -d x -H 'X-Lab-Close: 1' -e '{url}'"
    assert on_host(f"{curl} --resolve b.edu.example:443:127.0.0.1 '{url}'") == "2 502"
    assert "prematurely closed" in _logged("/h2")
    assert _codes() == ""


def test_what_is_no_request_is_logged_without_one(gateway):
    for start in (f"GET /x?code={CODE} HTTP/9.9", f"GET?code={CODE}", f"GET /x?code={CODE} HTTP/1.1\r\nHost: x y"):
        client.raw(topology.address(HOST), 80, f"{start}\r\n\r\n".encode())
    assert _codes() == ""


def test_logrotate_goes_on_as_before(gateway):
    first = _fails()
    _logged(first)
    on_host("logrotate -f /etc/logrotate.d/nginx")
    second = _fails()
    assert "prematurely closed" in _logged(second)
    assert first not in on_host(f"cat {LOG}")
    assert on_host(f"stat -c '%a %U %G' {LOG}").strip() == "640 www-data adm"
    assert first in on_host(f"cat {LOG}.1")


def test_who_writes_it_may_write_nothing_else(gateway):
    _logged(_fails())
    pid = on_host("systemctl show -p MainPID --value wecom-gateway-errors.service").strip()
    capabilities = on_host(f"grep ^CapEff: /proc/{pid}/status").split()[1]
    assert int(capabilities, 16) == 1 << 1, "to write what logrotate gave to another user"
    assert " ro," in on_host(f"grep ' / ' /proc/{pid}/mounts").splitlines()[-1]


def test_nobody_who_listens_costs_no_answer_and_brings_no_code_into_the_log_of_nginx(gateway):
    on_host(f"systemctl stop {SOCKET}; nginx -t -q; systemctl reload nginx")
    try:
        for edge in ORIGINS:
            _fails(edge)
        code, report = gateway.status()
        assert code == 2
        assert f"{SOCKET} is not running; systemctl restart {SOCKET} there" in str(report)
        on_host("systemctl restart nginx")
        _fails()
    finally:
        on_host(f"systemctl restart {SOCKET}")
    assert _codes() == ""
    assert "connect() failed (2: No such file or directory)" in on_host("cat /var/log/nginx/error.log")
    assert "prematurely closed" in _logged(_fails())
    _in_sync(gateway)


def test_who_was_killed_comes_again_with_what_was_said_meanwhile(gateway):
    _logged(_fails())
    on_host("systemctl kill --signal=KILL --kill-who=main wecom-gateway-errors.service")
    path = _fails()
    assert "prematurely closed" in _logged(path)
    _in_sync(gateway)


def test_a_reboot_changes_nothing(gateway):
    hosts.restart(HOST)
    path = _fails()
    assert "prematurely closed" in _logged(path)
    assert _codes() == ""
    _in_sync(gateway)


def test_a_release_of_a_version_without_it_takes_the_units_away_and_a_rollback_brings_them_back(gateway):
    templates = gateway.path / "templates"
    snippet = templates / "nginx/snippets/server.conf.j2"
    texts = {path: path.read_text() for path in [*(templates / "systemd").glob("*-errors.*"), snippet]}
    assert len(texts) == 3
    units = f"ls /etc/systemd/system /etc/systemd/system/*.wants | grep -- -errors; ls {HOME}/current/units; true"
    before = on_host(units)
    assert SOCKET in before
    try:
        for path in texts:
            path.unlink()
        snippet.write_text("".join(line for line in texts[snippet].splitlines(True) if "error_log" not in line))
        gateway.deploy_well()
        assert "-errors" not in on_host(units)
        assert on_host(f"systemctl is-active {SOCKET} wecom-gateway-errors.service || true").split() == ["inactive"] * 2
        _in_sync(gateway)
        done = gateway.roll_back()
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        for path, text in texts.items():
            path.write_text(text)
    assert on_host(units) == before
    assert "prematurely closed" in _logged(_fails())
    _in_sync(gateway)
