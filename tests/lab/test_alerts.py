"""Alerts by Debian's Prometheus over two gateways: each fires by a real fault of a host, and ends when it is mended.

The rules are those that `init` writes, with a second for each minute. All faults of a round come at once, and end so.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

import lab
from lab import acme, client, hosts, platforms, prometheus, topology
from lab.progress import silent

from .. import dashboard
from ..conftest import REPO
from .checkout import HOME, Checkout, on_host

SHIPPED = dashboard.FOLDER
PORT = 9145
# One is behind a load balancer and has platforms in trouble; two has certificates, and a platform that answers errors.
ONE, TWO = "t61", "t62"
FILE = "WW_verify_AlertAlertAlert1.txt"
CA_FILE = "files/acme/ca.pem"
FAILING = "failing.edu.example"
ORDERED = "ordered.edu.example"
LATE = "late.inner.example"
RENEW = "systemctl start wecom-gateway-renew.service"
# What a release of an earlier version has left there.
VERSION = f"{HOME}/versions/$(basename $(readlink {HOME}/current))"
SUCCEEDED = "/var/lib/wecom-gateway/metrics/succeeded"


@dataclass(frozen=True)
class Fault:
    """What somebody or something does, what mends it, and the alert that it must raise, with these labels too."""

    alert: str
    host: str
    cause: str = ":"
    mend: str = ":"
    labels: dict[str, str] = field(default_factory=dict)
    of_host: bool = True

    def is_raised(self, alerts: Iterable[prometheus.Alert]) -> bool:
        wanted = {"instance": _scraped(self.host), **self.labels} if self.of_host else self.labels
        return any(one.name == self.alert and wanted.items() <= one.labels.items() for one in alerts)


def _certificate(domain: str, days: int) -> tuple[str, str]:
    """What puts a certificate with so many days left in the place of a site's, and what puts the right one back."""
    path = f"{HOME}/current/certs/{domain}"
    made = f"openssl req -x509 -key {path}/privkey.pem -subj /CN={domain} -days {days} -out {path}/fullchain.pem"
    return f"cp -p {path}/fullchain.pem /run/{domain}.pem; {made}", f"cp -p /run/{domain}.pem {path}/fullchain.pem"


_DAMAGED = f"{HOME}/current/certs/damaged.edu.example/fullchain.pem"
_FAILING_UNIT = "/run/systemd/system/wecom-gateway-resolve.service.d"
_VERIFIED = f"{HOME}/current/verify/a.edu.example/{FILE}"
_DISK = "systemctl stop wecom-gateway-mtail; mount -t tmpfs -o size=60M none /var/log; mkdir /var/log/nginx"
FAULTS = (
    Fault(
        "WecomGatewayVerificationFileGone",
        ONE,
        f"mv {_VERIFIED} /run/; systemctl reload nginx",
        f"mv /run/{FILE} {_VERIFIED}",
        {"site": "a.edu.example", "file": FILE},
    ),
    Fault("WecomGatewayReleaseOutOfSync", ONE),  # by that file, which is missing
    Fault(
        "WecomGatewayTimerInactive",
        ONE,
        "systemctl stop wecom-gateway-logs.timer",
        "systemctl start wecom-gateway-logs.timer",
        {"timer": "wecom-gateway-logs.timer"},
    ),
    Fault(
        "WecomGatewayTaskFails",
        ONE,
        f"mkdir -p {_FAILING_UNIT}; printf '[Service]\\nExecStartPre=/bin/false\\n' >{_FAILING_UNIT}/theirs.conf;"
        " systemctl daemon-reload; ! systemctl start wecom-gateway-resolve.service 2>/dev/null",
        f"rm -r {_FAILING_UNIT}; systemctl daemon-reload; systemctl start wecom-gateway-resolve.service",
        {"task": "resolve"},
    ),
    Fault("WecomGatewayTaskSilent", ONE, labels={"task": "resolve"}),
    Fault(
        "WecomGatewayDiskFilling",
        ONE,
        f"{_DISK}; head -c 58M /dev/zero >/var/log/theirs",
        "umount /var/log; systemctl start wecom-gateway-mtail",
        {"path": "/var/log"},
    ),
    Fault("WecomGatewayDiskFull", ONE, labels={"path": "/var/log"}),
    Fault("WecomGatewayExporterDown", ONE, labels={"exporter": "mtail"}),
    # Its name resolves nowhere until somebody writes it down.
    Fault(
        "WecomGatewayUpstreamUnresolved",
        ONE,
        mend=f"echo '{topology.address('platform')} {LATE}' >>/etc/hosts",
        labels={"upstream": f"{LATE}:8080"},
    ),
    # By node-b, which is stopped.
    Fault("WecomGatewayUpstreamDown", ONE, labels={"upstream": "alone.inner.example:80"}),
    Fault("WecomGatewayUpstreamNodeDown", ONE, labels={"upstream": "pair.inner.example:80"}),
    Fault("WecomGatewayCertificateExpires", TWO, *_certificate("aging.edu.example", 20), {"site": "aging.edu.example"}),
    Fault(
        "WecomGatewayCertificateAboutToExpire", TWO, *_certificate("old.edu.example", 6), {"site": "old.edu.example"}
    ),
    Fault(
        "WecomGatewayCertificateUnreadable",
        TWO,
        f"cp -p {_DAMAGED} /run/damaged.pem; : >{_DAMAGED}",
        f"cp -p /run/damaged.pem {_DAMAGED}",
    ),
    # By the ACME server, which is away. Nobody waits for three days here: the host's note of its last success is older.
    Fault(
        "WecomGatewayRenewalFails",
        TWO,
        f"! {RENEW} 2>/dev/null; systemctl stop wecom-gateway-metrics.timer wecom-gateway-metrics.service;"
        f" echo renew 1000000000 >>{SUCCEEDED}; systemctl start wecom-gateway-metrics.timer",
        f"systemctl reset-failed wecom-gateway-renew.service; {RENEW}",
    ),
    Fault("WecomGatewayRenewalSilent", TWO),
    Fault(
        "WecomGatewayVersionsDiffer",
        TWO,
        f"cp -p {VERSION} /run/version; echo 0.2.0 >{VERSION}",
        f"cp -p /run/version {VERSION}",
        {"version": "0.2.0"},
        of_host=False,
    ),
    Fault("WecomGatewayServerErrors", TWO, labels={"site": FAILING, "port": "80"}),
    Fault("WecomGatewayMostRequestsFail", TWO, labels={"site": FAILING, "port": "80"}),
)
# These would hide others.
LAST_FAULTS = (
    Fault("WecomGatewayHostDown", ONE, "systemctl stop nginx", "systemctl start nginx"),
    Fault(
        "WecomGatewayTaskSilent",
        TWO,
        "systemctl stop wecom-gateway-metrics.timer",
        "systemctl start wecom-gateway-metrics.timer",
        {"task": "collect"},
    ),
)


def _scraped(host: str) -> str:
    return f"{topology.address(host)}:{PORT}"


def _targets(*scraped: str) -> str:
    return json.dumps([{"targets": [_scraped(host) for host in scraped]}])


def _hurried(rules: str) -> str:
    """The rules with a second for each minute, and no wait over ten; rates over two, as hosts may be slow."""
    loaded = yaml.safe_load(rules)
    for group in loaded["groups"]:
        for rule in group["rules"]:
            rule["expr"] = re.sub(r"\[(\d+)m\]", lambda found: f"[{2 * int(found[1])}s]", rule["expr"])
            rule["expr"] = rule["expr"].replace("15 * 60", "30")
            number, unit = rule["for"][:-1], rule["for"][-1]
            rule["for"] = f"{min(int(number), 10) if unit == 'm' else 10}s"
    return yaml.safe_dump(loaded)


def _configuration(folder: Path) -> Path:
    """The files of `init`, for these hosts and in a hurry."""
    loaded = yaml.safe_load((SHIPPED / "prometheus.yml").read_text())
    loaded["global"] = {"scrape_interval": "3s", "scrape_timeout": "3s", "evaluation_interval": "1s"}
    loaded["scrape_configs"].append({"job_name": "node", "static_configs": [{"targets": [prometheus.METRICS]}]})
    (folder / "prometheus.yml").write_text(yaml.safe_dump(loaded))
    (folder / "wecom-gateway.rules.yml").write_text(_hurried((SHIPPED / "wecom-gateway.rules.yml").read_text()))
    (folder / "wecom-gateway.targets.yml").write_text(_targets(ONE, TWO))
    return folder


def _inventory() -> str:
    ssh = {
        "ssh_user": topology.SSH_USER,
        "ssh_key": str(topology.SSH_KEY),
        "ssh_known_hosts_file": str(topology.KNOWN_HOSTS),
        "_sudo": True,
    }
    ordered = {"acme": {"email": "ops@school.edu.cn", "directory": acme.DIRECTORY, "ca": CA_FILE}}
    sites: dict[str, list[dict[str, Any]]] = {
        ONE: [
            {"domain": f"{name}.edu.example", "edge": "slb", "platform": platform}
            for name, platform in (("a", "wanxiao_prod"), ("b", "late"), ("c", "alone"), ("d", "pair"))
        ],
        TWO: [
            *(
                {"domain": f"{name}.edu.example", "edge": "tls", "platform": "wanxiao_prod"}
                for name in ("aging", "old", "damaged")
            ),
            {"domain": FAILING, "edge": "slb", "platform": "plain"},
            {"domain": ORDERED, "edge": "tls", "platform": "wanxiao_prod", "cert": ordered},
        ],
    }
    entries = [
        (
            name,
            {
                **ssh,
                "ssh_hostname": topology.address(name),
                "metrics": {"listen": _scraped(name), "allow": [str(topology.subnet())]},
                "sites": sites[name],
            },
        )
        for name in (ONE, TWO)
    ]
    return f"hosts = {entries!r}\n"


def _platforms() -> str:
    """One on a single port, one whose name resolves nowhere yet, one on a node alone, and one on two."""
    node, other = topology.address("node-b"), topology.address("platform")
    rows = {
        "plain": {"upstream": "https://hub.17wanxiao.com/"},
        "late": {"upstream": f"http://{LATE}:8080/"},
        "alone": {"upstream": "http://alone.inner.example/", "nodes": [node]},
        "pair": {"upstream": "http://pair.inner.example/", "nodes": [other, node]},
    }
    return "".join(
        f"platforms[{name!r}] = {{'routes': [{ {'port': 'entry', 'path': '/', **row}!r}]}}\n"
        for name, row in rows.items()
    )


# Every minute would be too seldom for rules in such a hurry.
_OFTEN = """for name in metrics resolve; do
    mkdir -p /etc/systemd/system/wecom-gateway-$name.timer.d
    printf '[Timer]\\nOnUnitInactiveSec=\\nOnActiveSec=1s\\nOnUnitInactiveSec=2s\\n' \
        >/etc/systemd/system/wecom-gateway-$name.timer.d/often.conf
done
systemctl daemon-reload; systemctl restart wecom-gateway-metrics.timer wecom-gateway-resolve.timer"""


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """What two gateways are deployed from, which a Prometheus watches."""
    lab.up([])
    hosts.remove([ONE, TWO])
    lab.up([ONE, TWO])
    acme.ensure({ORDERED: topology.address(TWO)}, days=29)  # due for renewal from the beginning, and no alert
    checkout = Checkout.make(tmp_path_factory.mktemp("alerts"), ONE)
    shutil.copy(REPO / "pyproject.toml", checkout.path)  # it has the version
    (checkout.path / "inventory/own.py").write_text(_inventory())
    with (checkout.path / "group_data/all.py").open("a") as file:
        file.write(_platforms())
    checkout.verification("a.edu.example", FILE.removeprefix("WW_verify_").removesuffix(".txt"))
    for name in ("aging", "old", "damaged"):
        checkout.certificate(f"{name}.edu.example")
    (checkout.path / CA_FILE).parent.mkdir()
    shutil.copy(acme.CA, checkout.path / CA_FILE)
    checkout.deploy_well()
    for host in (ONE, TWO):
        on_host(host, _OFTEN)
    prometheus.ensure(_configuration(tmp_path_factory.mktemp("prometheus")))
    yield checkout
    prometheus.remove()
    acme.remove()
    hosts.remove([ONE, TWO])


@contextmanager
def _failing_visits() -> Iterator[None]:
    """While the context is entered, a visitor gets an error of the platform, time after time."""
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.1):
            client.request(f"http://{FAILING}/", connect=topology.address(TWO), headers={"X-Lab-Status": "500"})

    visitor = threading.Thread(target=ask, daemon=True)
    visitor.start()
    try:
        yield
    finally:
        over.set()
        visitor.join()


def _fires(faults: Iterable[Fault]) -> list[prometheus.Alert]:
    """Waits until each fault has raised its alert; returns all that have fired meanwhile."""
    found: dict[str, prometheus.Alert] = {}
    missing: list[str] = []

    def all_raised() -> bool:
        found.update((f"{one.name} {one.labels}", one) for one in prometheus.firing())
        missing[:] = [f"{one.alert} of {one.host}" for one in faults if not one.is_raised(found.values())]
        return not missing

    try:
        hosts.wait_until(all_raised, "alerts are missing", seconds=90, pause=0.5)
    except lab.LabError:
        raise AssertionError(f"there was no {', no '.join(missing)}") from None
    return list(found.values())


def _do(what: Callable[[Fault], str], faults: Iterable[Fault]) -> None:
    """Causes or mends faults: those of a host one after the other, both hosts at once."""
    with ThreadPoolExecutor() as pool:
        scripts = [(host, [what(one) for one in faults if one.host == host]) for host in (ONE, TWO)]
        list(pool.map(lambda one: on_host(one[0], "\n".join(("set -e", *one[1]))), scripts))


def _nothing_fires() -> bool:
    return not prometheus.firing()


@dataclass(frozen=True)
class Outage:
    """What Prometheus had to say in the worst of times: every alert that fired, and queries of the dashboard that had
    something to show."""

    alerts: list[prometheus.Alert]
    shown: set[str]


@pytest.fixture(scope="module")
def outage(watched: Checkout) -> Outage:
    """All faults at once. They are mended when it is there."""
    hosts.stop("node-b")
    with acme.unreachable():
        with _failing_visits():
            _do(lambda one: one.cause, FAULTS)
            alerts = _fires(FAULTS)
        shown = {query for query in dashboard.queries() if prometheus.query(query)}
    platforms.ensure(silent)
    _do(lambda one: one.mend, FAULTS)
    return Outage(alerts, shown)


def test_each_fault_raises_its_alert_and_none_raises_another(outage):
    """A missing one has failed the fixture; what fires beside them follows from the same faults."""
    assert {one.name for one in outage.alerts} == {fault.alert for fault in FAULTS}


def test_all_end_when_the_faults_are_mended(outage):
    hosts.wait_until(_nothing_fires, "alerts go on", seconds=60, pause=0.5)


def test_an_alert_says_what_it_is_about_in_both_languages(outage):
    for one in outage.alerts:
        for text in one.annotations.values():
            assert not re.search(r"\{\{|<no value>|<error", text), text
    (gone,) = [one for one in outage.alerts if one.name == "WecomGatewayVerificationFileGone"]
    assert f"a.edu.example/{FILE}" in gone.annotations["summary"]
    assert f"a.edu.example/{FILE}" in gone.annotations["summary_zh"]


def test_every_query_of_the_dashboard_finds_series(outage):
    """Some ask for faults alone."""
    assert [one for one in dashboard.queries() if one not in outage.shown and not prometheus.query(one)] == []


def test_a_host_that_is_down_and_one_whose_metrics_stand_still(watched):
    _do(lambda one: one.cause, LAST_FAULTS)
    _fires(LAST_FAULTS)
    _do(lambda one: one.mend, LAST_FAULTS)
    hosts.wait_until(_nothing_fires, "alerts go on", seconds=60, pause=0.5)


def test_a_change_that_was_not_deployed(watched):
    """status tells, and a node exporter's textfile collector hands it on."""
    inventory = watched.path / "inventory/own.py"
    deployed = inventory.read_text()
    changed = deployed.replace("'domain': 'a.edu.example'", "'domain': 'a.edu.example', 'hsts': 300")
    assert changed != deployed
    fault = Fault("WecomGatewayReleaseNotWanted", ONE, labels={"gateway": ONE}, of_host=False)
    for text in (changed, deployed):
        inventory.write_text(text)
        told = watched.run(
            "python", "-m", "gateway", "status", "inventory/own.py", "--no-outside", "--metrics", "own.prom"
        )
        assert told.returncode == (2 if text == changed else 0), told.stdout + told.stderr
        prometheus.write_metrics((watched.path / "own.prom").read_text())
        if text == changed:
            assert [one.labels["gateway"] for one in _fires([fault]) if one.name == fault.alert] == [ONE]
    hosts.wait_until(_nothing_fires, "the alert goes on", seconds=60, pause=0.5)


def test_a_prometheus_that_scrapes_nothing_says_so(watched):
    prometheus.write("wecom-gateway.targets.yml", _targets())
    hosts.wait_until(
        lambda: [one.name for one in prometheus.firing()] == ["WecomGatewayNothingScraped"], "no alert", seconds=60
    )
