"""What Prometheus reads of a host is right, nobody else reads it, and a fault in it costs no visitor anything."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping

import pytest

import lab
from lab import client, hosts, topology

from . import checkout as own
from .checkout import HOME, SLB, TLS, Checkout

HOST = "t70"
METRICS = {"listen": f"{topology.address(HOST)}:9145", "allow": [f"{topology.own_address()}/32"]}
CARD, ITSM, OWN = "a.edu.example", "b.edu.example", "nodes.edu.example"
FILE = "WW_verify_AbCdEfGhIjKlMnOp.txt"
PLATFORM = topology.address("platform")
NODES = [f"{PLATFORM}:443", f"{PLATFORM}:81"]
# One of two nodes is closed; one upstream is not who it says it is; one name has no address.
PLATFORMS = f"""
platforms["nodes"] = {{"routes": [
    {{"port": "entry", "path": "/half/", "upstream": "https://app.inner.example/", "nodes": {NODES}}},
    {{"port": "entry", "path": "/other/", "upstream": "https://{topology.WRONG_CERT_NAME}/"}},
    {{"port": "entry", "path": "/gone/", "upstream": "https://nobody.inner.example/"}},
    {{"port": "entry", "path": "/plain/", "upstream": "http://{PLATFORM}:81/"}},
]}}
"""
UNITS = "systemctl list-units --all --plain --no-legend 'wecom-gateway-m*' | cut -d ' ' -f 1"
SERIES = re.compile(r"([a-zA-Z_:][\w:]*)(\{[^}]*\})? (\S+)")


def on_host(script: str) -> str:
    return own.on_host(HOST, script)


def ask(domain: str, path: str, **options) -> client.Response:
    return own.ask(HOST, f"http://{domain}{path}", **options)


def read(path: str = "/metrics") -> client.Response:
    return client.request(f"http://{METRICS['listen']}{path}", connect=topology.address(HOST))


def page() -> dict[str, float]:
    """The value of each series, by name and labels; every family stands in one piece, with one type."""
    answer = read()
    assert answer.status == 200
    assert answer.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
    found: dict[str, float] = {}
    types: list[str] = []
    for line in answer.body.decode().splitlines():
        if line.startswith("# TYPE "):
            types.append(line.split()[2])
        elif line and not line.startswith("#"):
            series = SERIES.fullmatch(line)
            assert series, line
            family = types[-1]
            assert series[1].removeprefix(family) in ("", "_bucket", "_sum", "_count"), line
            labels = ",".join(sorted((series[2] or "")[1:-1].split(",")))
            assert f"{series[1]} {labels}" not in found, line
            found[f"{series[1]} {labels}".strip()] = float(series[3])
    assert len(types) == len(set(types))
    return found


def until(right: Callable[[Mapping[str, float]], bool]) -> dict[str, float]:
    """The page as soon as it is right: nginx writes its log once a second, mtail reads it a moment later."""
    deadline = time.monotonic() + 30
    while True:
        found = page()
        if right(found):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def measure() -> dict[str, float]:
    """The page after the host has been measured anew."""
    on_host("systemctl start wecom-gateway-metrics.service")
    return page()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    hosts.remove([HOST])
    lab.up([HOST])
    made = Checkout.make(tmp_path_factory.mktemp("metrics"), HOST)
    platforms = made.path / "group_data" / "all.py"
    platforms.write_text(f"{platforms.read_text()}\n{PLATFORMS}")
    made.certificate(ITSM)
    for domain in (CARD, ITSM):
        made.verification(domain, FILE[10:26])
    yield made
    hosts.remove([HOST])


def _deploy(checkout: Checkout, *sites: dict, **more) -> None:
    checkout.write_hosts({HOST: [SLB, {**TLS, "domain": ITSM}, *sites]}, **more)
    checkout.deploy_well()


def _sockets() -> set[str]:
    """Where the host listens; not docker's own name server, which moves."""
    return {one for one in on_host("ss -Hltn | awk '{ print $4 }'").split() if not one.startswith("127.0.0.11:")}


@pytest.fixture(scope="module")
def before(checkout):
    """Without metrics, as the host was before: where it listened."""
    _deploy(checkout)
    # An mtail of the operator's own has its usual port.
    on_host("systemd-run -q --unit others systemd-socket-activate -l 3903 /bin/cat")
    on_host("until ss -Hltn | grep -q :3903; do :; done")
    return _sockets()


@pytest.fixture(scope="module")
def measured(checkout, before):
    _deploy(checkout, {**SLB, "domain": OWN, "platform": "nodes"}, metrics=METRICS)
    until(lambda found: found['wecom_gateway_exporter_up exporter="textfile"'] == 1)
    return checkout


def test_the_requests_of_a_site_are_counted_by_class_bytes_and_seconds(measured):
    """None of those that the host has asked itself meanwhile."""
    site = f'port="80",site="{CARD}"'
    answers = [ask(CARD, "/x", headers={"X-Lab-Status": str(status)}) for status in (200, 200, 302, 404, 503)]
    ask(CARD, "/slow", headers={"X-Lab-Delay": "0.4"})
    assert ask(CARD, f"/{FILE}").status == 200  # in no time at all
    assert ask(CARD, "/x", method="POST", body=b"x", headers={"X-Lab-Close": "1"}).status == 502
    measure()
    found = until(lambda found: found.get(f"wecom_gateway_request_seconds_count {site}") == 8)
    classes = {
        number: found.get(f'wecom_gateway_requests_total class="{number}xx",{site}', 0) for number in range(1, 6)
    }
    assert classes == {1: 0, 2: 4, 3: 1, 4: 1, 5: 2}
    # the platform's own 503 is an answer, what it broke off is none
    assert found[f"wecom_gateway_upstream_errors_total {site}"] == 1
    assert 1 <= found[f"wecom_gateway_upstream_connections_total {site}"] < 8
    assert found[f"wecom_gateway_sent_bytes_total {site}"] > sum(len(answer.body) for answer in answers)
    # what took no millisecond is in a bucket too
    buckets = [found[f'wecom_gateway_request_seconds_bucket le="{limit}",{site}'] for limit in ("0.3", "30", "+Inf")]
    assert 0 < buckets[0] < 8
    assert buckets[1:] == [8, 8]
    assert found[f"wecom_gateway_request_seconds_sum {site}"] >= 0.4
    log = on_host("cat /var/log/nginx/wecom-gateway.access.log")
    assert log.count(f'"site":"{CARD}"') == 8


def test_the_host_tells_what_is_in_force_and_how_its_parts_are(measured):
    # Its timer may not have come round since the deploy.
    on_host("systemctl start wecom-gateway-resolve.service")
    found = measure()
    release = on_host(f"basename $(readlink {HOME}/current)").strip()
    assert found[f'wecom_gateway_info release="{release}",version=""'] == 1
    assert found[f'wecom_gateway_release_on_disk_info release="{release}"'] == 1
    assert found["wecom_gateway_release_in_sync"] == 1
    for exporter in ("mtail", "nginx", "textfile"):
        assert found[f'wecom_gateway_exporter_up exporter="{exporter}"'] == 1
    now = float(on_host("date +%s"))
    for job in ("resolve", "collect"):
        assert 0 <= now - found[f'wecom_gateway_last_success_timestamp_seconds task="{job}"'] < 90
        assert found[f'wecom_gateway_task_failed task="{job}"'] == 0
    for timer in ("resolve", "expiry", "logs", "metrics"):
        assert found[f'wecom_gateway_timer_active timer="wecom-gateway-{timer}.timer"'] == 1
    ends = on_host(
        f'date -d "$(openssl x509 -noout -enddate -in {HOME}/current/certs/{ITSM}/fullchain.pem | cut -d = -f 2)" +%s'
    )
    assert found[f'wecom_gateway_certificate_not_after_timestamp_seconds site="{ITSM}"'] == float(ends)
    size = float(on_host("df -B1 --output=size / | tail -n 1"))
    assert found['wecom_gateway_filesystem_size_bytes path="/"'] == size
    assert found["nginx_up"] == 1
    assert found["nginx_connections_active"] >= 1
    assert found["nginx_http_requests_total"] >= 7
    assert found["wecom_gateway_workers_shutting_down"] >= 0


def test_each_upstream_is_as_visitors_find_it(measured):
    found = measure()

    def of(upstream: str) -> tuple[float, ...]:
        names = ("resolved", "nodes", "nodes_up", "up")
        return tuple(found[f'wecom_gateway_upstream_{name} upstream="{upstream}"'] for name in names)

    assert of("hub.17wanxiao.com:443") == (1, 1, 1, 1)
    assert of("app.inner.example:443") == (1, 2, 1, 1)
    assert of(f"{topology.WRONG_CERT_NAME}:443") == (1, 1, 1, 0)
    assert of("nobody.inner.example:443") == (0, 0, 0, 0)
    assert of(f"{PLATFORM}:81") == (1, 1, 0, 0)
    assert ask(OWN, "/other/").status == 502


def test_a_verification_file_that_is_gone_is_told_and_the_release_is_no_longer_what_it_was(measured):
    series = [f'wecom_gateway_verification_file_up file="{FILE}",site="{domain}"' for domain in (CARD, ITSM)]
    found = measure()
    assert [found[one] for one in series] == [1, 1]
    path = f"{HOME}/current/verify/{CARD}/{FILE}"
    on_host(f"mv {path} /root/kept")
    try:
        found = measure()
    finally:
        on_host(f"mv /root/kept {path}")
    assert [found[one] for one in series] == [0, 1]
    assert found["wecom_gateway_release_in_sync"] == 0
    found = measure()
    assert [found[one] for one in series] == [1, 1]
    assert found["wecom_gateway_release_in_sync"] == 1


def test_who_is_not_named_may_read_nothing_and_nothing_else_listens(measured, before):
    """The page tells when a school is busy and what is broken."""
    for path in ("/metrics", "/", "/part/mtail", "/part/textfile"):
        code = on_host(f"curl -s -o /dev/null -w '%{{http_code}}' http://{METRICS['listen']}{path}")
        assert code == "403", path
    assert read("/").status == read("/other").status == 404
    assert _sockets() - before == {METRICS["listen"]}
    assert on_host("systemctl is-active mtail; systemctl is-enabled mtail; true").split() == ["inactive", "disabled"]
    assert on_host("ps -o user= -C mtail").split() == ["mtail"]


def test_without_mtail_visitors_notice_nothing_and_the_page_and_status_say_so(measured):
    """Requests go on as they were, and no log fills."""
    on_host("systemctl stop wecom-gateway-mtail.service; truncate -s 0 /var/log/nginx/error.log")
    try:
        answers = [ask(CARD, "/x").status for _ in range(50)]
        found = [page() for _ in range(5)][-1]
        code, report = measured.status()
    finally:
        said = on_host("cat /var/log/nginx/error.log")
        on_host("systemctl start wecom-gateway-mtail.service")
    assert set(answers) == {200}
    assert found['wecom_gateway_exporter_up exporter="mtail"'] == 0
    assert found["wecom_gateway_release_in_sync"] == 1
    assert not [name for name in found if name.startswith("wecom_gateway_request")]
    assert said == ""
    assert code == 2
    assert "wecom-gateway-mtail.service is not running" in str(report)
    until(lambda found: found['wecom_gateway_exporter_up exporter="mtail"'] == 1)


def test_after_a_reboot_everything_is_measured_again(measured):
    hosts.restart(HOST)
    hosts.wait_for_port(HOST, 80)
    assert ask(CARD, "/x").status == 200
    site = f'class="2xx",port="80",site="{CARD}"'
    ups = [f'wecom_gateway_exporter_up exporter="{name}"' for name in ("mtail", "textfile")]
    until(lambda found: [found[one] for one in ups] == [1, 1])
    ask(CARD, "/x")
    until(lambda found: found.get(f"wecom_gateway_requests_total {site}", 0) >= 1)
    assert measured.status()[0] == 0


def _nothing_is_left(before: set[str]) -> None:
    assert on_host(UNITS).split() == []
    assert _sockets() <= before
    assert (
        on_host("ls -d /var/lib/wecom-gateway/metrics /var/log/nginx/wecom-gateway.requests 2>/dev/null || true") == ""
    )
    assert ask(CARD, "/x").status == 200


def test_a_rollback_to_a_release_without_metrics_leaves_nothing_of_them(measured, before):
    done = measured.roll_back()
    assert done.returncode == 0, done.stdout + done.stderr
    _nothing_is_left(before)


def test_taking_the_key_out_leaves_nothing_of_them(checkout, measured, before):
    _deploy(checkout, metrics=METRICS)
    until(lambda found: found['wecom_gateway_exporter_up exporter="textfile"'] == 1)
    _deploy(checkout)
    _nothing_is_left(before)
    assert checkout.status()[0] == 0
