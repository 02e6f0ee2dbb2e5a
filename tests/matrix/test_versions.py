"""What depends on the nginx that a Debian release brings, and a deploy's life cycle on each of them."""

from __future__ import annotations

import os
import re
import socket
import ssl
import subprocess
import sys
from types import SimpleNamespace

import pytest

from lab import client, hosts, topology

from ..lab import checkout as own
from ..lab.checkout import HOME, no_changes
from .conftest import BALANCER, SLB, TLS

NGINX = {"bullseye": (1, 18), "bookworm": (1, 22), "trixie": (1, 26), "forky": (1, 30)}
TLS_PORTS = (443, 9001)
IMPOSTORS = {"wrong_cert": topology.WRONG_CERT_NAME, "self_signed": topology.SELF_SIGNED_NAME}


def _platform_log() -> str:
    log = client.request("http://platform/__lab__/log", connect=topology.address("platform"))
    return log.body.decode()


def _released(host: str) -> str:
    return own.on_host(host, "curl -s http://127.0.0.1:19001/release").strip()


def _status(path: str = "/x") -> int:
    return own.ask(SLB, f"http://card.slb.demo.example{path}").status


@pytest.mark.parametrize("host", [SLB, TLS])
def test_it_is_the_nginx_that_the_matrix_is_for(pair, host):
    """Two suites with one nginx would leave a version untried without a word."""
    found = re.search(r"nginx/(\d+)\.(\d+)", own.on_host(host, "nginx -v 2>&1"))
    version = tuple(map(int, found.groups()))
    # Debian 14 is in the making: its nginx moves on.
    assert version >= NGINX["forky"] if pair.suite == "forky" else version == NGINX[pair.suite]


@pytest.mark.parametrize("host", [SLB, TLS])
def test_nginx_has_nothing_to_complain_about(pair, host):
    """A directive that is deprecated today stops nginx from starting after an upgrade."""
    said = own.on_host(host, "nginx -t 2>&1")
    assert "successful" in said
    assert not re.search(r"\[(warn|error|emerg)\]", said), said


def test_a_second_deploy_changes_nothing(pair):
    """A deploy that always finds something to do reloads nginx for nothing and hides real changes."""
    listing = "find /etc/nginx -path '*/upstreams' -prune -o -printf '%p %m %T@ %s\\n' | sort"
    before = [own.on_host(host, listing) for host in (SLB, TLS)]
    assert no_changes(pair.checkout.deploy_well())
    assert [own.on_host(host, listing) for host in (SLB, TLS)] == before
    code, report = pair.checkout.status()
    assert code == 0, report


def test_the_acceptance_tests_pass(pair):
    """What an operator would run against the same hosts, as a command of its own."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("tests/acceptance", "--inventory", "inventory/own.py"),
        ],
        cwd=pair.checkout.path,
        env={**os.environ, "SSL_CERT_FILE": str(topology.CA)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\b[1-9][0-9]+ passed", done.stdout)


@pytest.mark.parametrize("port", TLS_PORTS)
@pytest.mark.parametrize("name", ["not-a-site.example", ""], ids=["unknown", "none"])
def test_a_handshake_for_no_site_is_refused(pair, port, name):
    """A certificate shown to a scanner tells it whose host this is; 1.18 has no directive to show none."""
    with pytest.raises(ssl.SSLError):
        client.raw(topology.address(TLS), port, b"GET / HTTP/1.0\r\n\r\n", tls_name=name)


def test_a_site_is_served_after_a_refused_handshake(pair):
    """The empty certificate of 1.18 must refuse its own connection only."""
    for _ in range(3):
        with pytest.raises(ssl.SSLError):
            client.raw(topology.address(TLS), 443, b"", tls_name="not-a-site.example")
        assert own.ask(TLS, "https://card.tls.demo.example/x").status == 200


def _tls(**versions: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(topology.CA))
    context.maximum_version = versions.get("at_most", ssl.TLSVersion.MAXIMUM_SUPPORTED)
    return context


def _visit(context: ssl.SSLContext, port: int = 443, session: ssl.SSLSession | None = None) -> SimpleNamespace:
    """One request; its session, and whether that was an earlier one."""
    domain = "card.tls.demo.example"
    plain = socket.create_connection((topology.address(TLS), port), timeout=5)
    with context.wrap_socket(plain, server_hostname=domain, session=session) as connection:
        connection.sendall(f"GET /x HTTP/1.1\r\nHost: {domain}\r\nConnection: close\r\n\r\n".encode())
        while connection.recv(65536):
            pass
        return SimpleNamespace(session=connection.session, reused=connection.session_reused)


@pytest.mark.parametrize("port", TLS_PORTS)
def test_groups_beside_the_guideline_are_refused(pair, port):
    """OpenSSL settles the group before it knows the name: what a site's own server says of it is not asked."""
    context = _tls()
    context.set_ecdh_curve("secp521r1")
    with pytest.raises(ssl.SSLError):
        _visit(context, port)
    context = _tls()
    context.set_ecdh_curve("prime256v1")
    _visit(context, port)


@pytest.mark.parametrize("at_most", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_phone_that_comes_again_resumes(pair, at_most):
    """Settled as early as the group; without it every visit costs both sides a whole handshake."""
    context = _tls(at_most=at_most)
    first = _visit(context)
    assert _visit(context, session=first.session).reused


def test_tickets_only_where_their_keys_rotate(pair):
    """A ticket under a key that lives as long as nginx undoes forward secrecy (TLS 1.2; rotated from 1.23.2)."""
    visit = _visit(_tls(at_most=ssl.TLSVersion.TLSv1_2))
    assert visit.session.has_ticket == (pair.suite not in ("bullseye", "bookworm"))


@pytest.mark.parametrize("port", TLS_PORTS)
def test_http_2_is_offered(pair, port):
    """It is a flag of the socket up to 1.25 and a directive after: in the wrong place nobody gets it."""
    context = ssl.create_default_context(cafile=str(topology.CA))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection((topology.address(TLS), port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="card.tls.demo.example") as connection,
    ):
        assert connection.selected_alpn_protocol() == "h2"


@pytest.mark.parametrize("port", TLS_PORTS)
def test_http_2_is_spoken(pair, port):
    """Offered but broken would be worse than not offered."""
    curl = (
        f"curl -sS --http2 --resolve card.tls.demo.example:{port}:127.0.0.1 -o /dev/null"
        f" -w '%{{http_version}} %{{http_code}}' https://card.tls.demo.example:{port}/x"
    )
    assert own.on_host(TLS, curl).strip() == "2 200"


@pytest.mark.parametrize(("host", "protocol"), [(TLS, "1.1"), (TLS, "2"), (SLB, "1.1")])
def test_events_arrive_one_by_one(pair, host, protocol):
    """A stream that nginx, or TLS inside it, collects first reaches the page when it is over."""
    url = {SLB: "http://card.slb.demo.example", TLS: "https://card.tls.demo.example"}[host]
    curl = (
        f"curl -sSN --http{protocol} -H 'X-Lab-Sse: 5' --connect-to ::127.0.0.1: {url}/x"
        " | while read -r line; do case $line in data:*) date +%s%3N;; esac; done"
    )
    arrived = [int(line) for line in own.on_host(host, curl).split()]
    assert len(arrived) == 5
    # They are sent over 800 ms; a stream that was collected arrives within a few.
    assert arrived[-1] - arrived[0] > 400, arrived


CARD = "https://card.tls.demo.example"


def _asked(*arguments: str, protocol: str = "1.1") -> str:
    """Head and body of an answer to curl on the host itself, with what curl says of an error."""
    words = " ".join(f"'{argument}'" for argument in arguments)
    return own.on_host(TLS, f"curl -sSi --http{protocol} --max-time 4 --connect-to ::127.0.0.1: {words} 2>&1 || true")


@pytest.mark.parametrize("protocol", ["1.1", "2"])
def test_early_hints_confuse_an_nginx_that_does_not_know_them(pair, protocol):
    """The guide says from which nginx on a platform may send them; every other answer has to be mapped."""
    hints = ("-H", "X-Lab-Early-Hints: </x.css>; rel=preload")
    redirect = ("-H", "X-Lab-Status: 302", "-H", "X-Lab-Location: https://hub.17wanxiao.com/y")
    assert f"ocation: {CARD}/y" in _asked(*redirect, f"{CARD}/x", protocol=protocol)
    told = _asked(*hints, *redirect, f"{CARD}/x", protocol=protocol)
    if NGINX[pair.suite] >= (1, 29):
        assert told.startswith(f"HTTP/{protocol} 302")
        assert f"ocation: {CARD}/y" in told
    else:
        assert f"ocation: {CARD}/y" not in told
        assert ("Location: https://hub.17wanxiao.com/y" in told) == (protocol == "1.1")


@pytest.mark.parametrize("protocol", ["1.1", "2"])
@pytest.mark.parametrize(
    "condition", ['If-Match: "x"', "If-None-Match: *", "If-Unmodified-Since: yesterday", "Range: bytes=1-2"]
)
def test_conditions_keep_no_verification_file_back(pair, protocol, condition):
    (file,) = (pair.checkout.path / "files" / "verify" / "card.tls.demo.example").iterdir()
    told = _asked("-H", condition, f"{CARD}/{file.name}", protocol=protocol)
    assert told.startswith(f"HTTP/{protocol} 200")
    assert told.endswith(file.read_text())


@pytest.mark.parametrize("protocol", ["1.1", "2"])
@pytest.mark.parametrize(("accept", "kind"), [("application/json", "application/json"), ("text/html", "text/html")])
def test_a_refused_method_is_told_in_the_form_that_was_asked_for(pair, protocol, accept, kind):
    (file,) = (pair.checkout.path / "files" / "verify" / "card.tls.demo.example").iterdir()
    for arguments in (("-d", "x", f"{CARD}/{file.name}"), ("-X", "TRACE", f"{CARD}/")):
        told = _asked("-H", f"Accept: {accept}", *arguments, protocol=protocol)
        assert told.startswith(f"HTTP/{protocol} 405")
        assert f"ontent-{'T' if protocol == '1.1' else 't'}ype: {kind}" in told


def test_a_platform_that_cannot_prove_its_name_gets_no_request(pair):
    """How a trust store is named to nginx differs by version; named wrongly, anybody could be the platform."""
    platforms = pair.checkout.path / "group_data" / "all.py"
    usual = platforms.read_text()
    rows = [
        f'platforms["{name}"] = {{"routes": [{{"port": "entry", "path": "/", "upstream": "https://{host}/"}}]}}\n'
        for name, host in IMPOSTORS.items()
    ]
    domains = {name: f"{name.replace('_', '-')}.edu.example" for name in IMPOSTORS}
    own.on_host(SLB, f"echo '{topology.address('platform')} {' '.join(IMPOSTORS.values())}' >>/etc/hosts")
    try:
        platforms.write_text(usual + "".join(rows))
        pair.with_more_on(SLB, *({"domain": domains[name], "edge": "slb", "platform": name} for name in IMPOSTORS))
        pair.checkout.deploy_well()
        for name, domain in domains.items():
            marker = f"/secret-{pair.suite}-{name}"
            code = f"C0de-{name}"
            assert own.ask(SLB, f"http://{domain}{marker}?code={code}").status == 502
            assert marker not in _platform_log()
            log = "/var/log/nginx/wecom-gateway.error.log"
            search = f"for _ in $(seq 40); do grep -F {marker} {log} && exit 0; sleep 0.25; done; exit 1"
            said = own.on_host(SLB, search)
            assert "upstream SSL certificate" in said, said
            assert own.on_host(SLB, f"grep -rF {code} /var/log || true; journalctl | grep -F {code} || true") == ""
        marker = f"/known-{pair.suite}"
        assert _status(marker) == 200
        assert marker in _platform_log()
    finally:
        platforms.write_text(usual)
        pair.with_more_on(SLB)
        pair.checkout.deploy_well()


def _new_address_was_asked() -> bool:
    _status()
    log = own.on_host(SLB, "tail -n 20 /var/log/nginx/wecom-gateway.access.log")
    return f'"upstream":"{topology.address(BALANCER)}:443, ' in log


def test_a_changed_address_is_picked_up(pair):
    """Every version resolves upstreams only when it loads; the timer beside it must work on every Debian."""
    assert own.on_host(SLB, "systemctl is-active wecom-gateway-resolve.timer").strip() == "active"
    known = f"cat {HOME}/upstreams/hub.17wanxiao.com_443.conf"
    refresh = "systemctl start wecom-gateway-resolve.service"
    assert _status() == 200
    # The file is Docker's mount: it can be written, not replaced.
    own.on_host(SLB, f"cp /etc/hosts /root/hosts; echo '{topology.address(BALANCER)} hub.17wanxiao.com' >>/etc/hosts")
    try:
        own.on_host(SLB, refresh)
        hosts.wait_until(lambda: topology.address(BALANCER) in own.on_host(SLB, known), "the address stayed")
        # The balancer refuses that name's handshake, which the address before makes up for: nginx's log has both.
        hosts.wait_until(_new_address_was_asked, "the address was not used")
    finally:
        own.on_host(SLB, f"cat /root/hosts >/etc/hosts; {refresh}")
    hosts.wait_until(lambda: _status() == 200, "the address did not come back")


def test_rollback_puts_the_previous_release_back(pair):
    """The night's only way out must work on the Debian that the night happens on."""
    before = _released(SLB)
    late = {"domain": "late.edu.example", "edge": "slb", "platform": "wanxiao_prod"}
    try:
        pair.with_more_on(SLB, late)
        pair.checkout.deploy_well()
        assert own.ask(SLB, "http://late.edu.example/x").status == 200
        done = pair.checkout.run("pyinfra", "-y", "--limit", SLB, "inventory/own.py", "rollback.py")
        assert done.returncode == 0, done.stdout + done.stderr
        assert _released(SLB) == before
        assert _status() == 200
        with pytest.raises(client.ConnectionClosed):
            own.ask(SLB, "http://late.edu.example/x")
    finally:
        pair.with_more_on(SLB)
        pair.checkout.deploy_well()
