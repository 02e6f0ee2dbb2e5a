"""What every site of the inventory does, asked from outside by harmless requests, straight to its host.

On the lab the stand-in platforms tell where a request arrived; real platforms do not, and there the mapping
is only seen to answer.
"""

from __future__ import annotations

import os
import socket
import ssl
from pathlib import Path

import pytest

from lab import client, topology

SYSTEM_CA = Path(os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"))


@pytest.fixture
def get(served, request):
    """Sends a request to the served site's host: get(port, target, ...), in the site's own scheme."""
    ca = SYSTEM_CA if request.config.getoption("--inventory") else topology.CA

    def send(port, target, host=None, **options):
        if served.site.listeners()[port] and served.target.host.proxy_protocol:
            pytest.skip("the host answers its load balancer of layer 4 alone; verify asks through that")
        scheme = "https" if served.site.listeners()[port] else "http"
        suffix = "" if port in (80, 443) else f":{port}"
        url = f"{scheme}://{host or served.site.domain}{suffix}{target}"
        if scheme == "http" and port != 80:
            options["headers"] = {"Host": host or served.site.domain, **options.get("headers", {})}
        return client.request(url, connect=served.target.address, ca=ca, raw_target=target, **options)

    return send


def _plain_and_entry(site):
    return sorted({site.entry_port, 80})


@pytest.mark.parametrize("http_version", ["1.0", "1.1"])
def test_verification_files_are_served_byte_for_byte(served, get, http_version):
    """WeCom's fetcher is primitive and follows nothing; without the file the domain is not trusted."""
    files = served.target.host.verify[served.site.domain]
    if not files:
        pytest.skip("this site has no verification file yet")
    for port in _plain_and_entry(served.site):
        for file in files:
            answer = get(port, f"/{file.name}", http_version=http_version, headers={"User-Agent": "Mozilla/4.0"})
            assert (answer.status, answer.body) == (200, file.body)


def test_every_route_leads_to_its_upstream(served, get):
    """The mapping itself: prefix for prefix, query and all."""
    for route in served.site.routes:
        answer = get(route.port, f"{route.path}wecom-gateway-check?a=%2F&b")
        if served.site.allow and answer.status == 403:
            pytest.skip("this machine may not use the site")
        assert answer.status not in (502, 503, 504)
        arrived = answer.header("X-Lab-Arrived")
        if arrived is not None:
            expected = f"{route.upstream.scheme}://{served.site.host_header(route)}{route.upstream_path}wecom-gateway-check?a=%2F&b"
            assert arrived == expected


def test_what_is_not_published_is_404(served, get):
    """An inner platform must not be reachable beside the published prefixes."""
    for port in served.site.ports():
        prefixes = [route.path for route in served.site.routes if route.port == port]
        if "/" not in prefixes:
            for target in ("/", "/wecom-gateway-nowhere", *(f"{prefix[:-1]}X" for prefix in prefixes)):
                refusals = {404, 403} if served.site.allow else {404}
                assert get(port, target).status in refusals, (port, target)


def test_names_that_no_site_has_get_nothing(served, get, of_others):
    """A default server that answers lets anybody point a domain here, and verify it."""
    ports = {port: encrypted for port, encrypted in served.site.listeners().items() if port not in of_others}
    if not ports:
        pytest.skip("another site of this host is the default of every port, and answers")
    for port, encrypted in ports.items():
        with pytest.raises(ssl.SSLError if encrypted else client.ConnectionClosed):
            get(port, "/", host="not-a-site.example")


def test_plain_http_is_sent_to_https_with_path_and_query(served, get):
    """The OAuth callback may come back as http and must not lose its one-shot code."""
    if served.site.edge != "tls":
        pytest.skip("behind a load balancer plain http is the entry itself")
    answer = get(80, "/a%2Fb?code=1&state=%20")
    assert answer.status == 301
    assert answer.header("Location") == f"https://{served.site.domain}/a%2Fb?code=1&state=%20"


def test_the_load_balancers_health_check_answers(served, get, of_others):
    """Any Host: load balancers ask by address. Where another site is the port's default, that one is asked then."""
    if served.site.edge != "slb":
        pytest.skip("no load balancer asks here")
    assert get(80, "/healthz", host=served.site.domain if 80 in of_others else "10.0.0.1").body == b"ok\n"


def test_whoever_comes_past_the_load_balancer_of_layer_4_gets_nothing(served):
    """What a client writes before its TLS would be believed: who it is, and so whether it may come."""
    if served.site.edge != "tls" or not served.target.host.proxy_protocol:
        pytest.skip("no load balancer of layer 4 stands in front")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    request = f"GET / HTTP/1.1\r\nHost: {served.site.domain}\r\nConnection: close\r\n\r\n".encode()
    for header in (b"", b"PROXY TCP4 192.0.2.1 192.0.2.2 40000 443\r\n"):
        received = b""
        with socket.create_connection((served.target.address, 443), timeout=5) as plain:
            plain.sendall(header)
            try:
                with context.wrap_socket(plain, server_hostname=served.site.domain) as connection:
                    connection.sendall(request)
                    received = connection.recv(1)
            except (ssl.SSLError, ConnectionResetError):
                pass
        assert received == b""


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_tls_is_refused(served):
    """The Mozilla guideline's floor is TLS 1.2."""
    if served.site.edge != "tls":
        pytest.skip("TLS ends at the load balancer")
    if served.target.host.proxy_protocol:
        pytest.skip("the host answers its load balancer of layer 4 alone")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection((served.target.address, 443), timeout=5) as plain,
        pytest.raises((ssl.SSLError, ConnectionResetError)),
    ):
        context.wrap_socket(plain, server_hostname=served.site.domain)
