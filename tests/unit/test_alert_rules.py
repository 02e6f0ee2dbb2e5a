"""Alert rules by promtool: each fault raises its alert in time, and no other; a host in order raises none."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest
import yaml

from tests.dashboard import FOLDER

from . import promtool
from .conftest import REPO

RULES = FOLDER / "wecom-gateway.rules.yml"
ALERTS = {rule["alert"]: rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]}
PAGES = {language: REPO / f"docs/alerts{suffix}.md" for language, suffix in (("en", ""), ("zh", ".zh"))}
DAY = 86400
HOST = 'job="wecom-gateway",instance="10.0.0.5:9145"'


def of_host(name: str, labels: str = "") -> str:
    return f"{name}{{{HOST}{',' if labels else ''}{labels}}}"


UP = of_host("up")
EXPORTER = of_host("wecom_gateway_exporter_up", 'exporter="mtail"')
GOOD = of_host("wecom_gateway_requests_total", 'site="a.edu.cn",port="443",class="2xx"')
FAILED = of_host("wecom_gateway_requests_total", 'site="a.edu.cn",port="443",class="5xx"')
UPSTREAM = 'upstream="hub.17wanxiao.com"'
UPSTREAM_UP = of_host("wecom_gateway_upstream_up", UPSTREAM)
RESOLVED = of_host("wecom_gateway_upstream_resolved", UPSTREAM)
NODES = of_host("wecom_gateway_upstream_nodes", UPSTREAM)
NODES_UP = of_host("wecom_gateway_upstream_nodes_up", UPSTREAM)
FILE = of_host("wecom_gateway_verification_file_up", 'site="a.edu.cn",file="WW_verify_AbcdAbcdAbcdAbcd.txt"')
CERTIFICATE = of_host("wecom_gateway_certificate_not_after_timestamp_seconds", 'site="a.edu.cn"')
READABLE = of_host("wecom_gateway_certificate_readable", 'site="a.edu.cn"')
RENEW_FAILED = of_host("wecom_gateway_task_failed", 'task="renew"')
RESOLVE_FAILED = of_host("wecom_gateway_task_failed", 'task="resolve"')
RENEW = of_host("wecom_gateway_last_success_timestamp_seconds", 'task="renew"')
RESOLVE = of_host("wecom_gateway_last_success_timestamp_seconds", 'task="resolve"')
COLLECT = of_host("wecom_gateway_last_success_timestamp_seconds", 'task="collect"')
IN_SYNC = of_host("wecom_gateway_release_in_sync")
INFO = of_host("wecom_gateway_info", 'release="90272b1eb1b50a89",version="0.4.0"')
TIMER = of_host("wecom_gateway_timer_active", 'timer="wecom-gateway-resolve.timer"')
AVAILABLE = of_host("wecom_gateway_filesystem_avail_bytes", 'path="/"')
SIZE = of_host("wecom_gateway_filesystem_size_bytes", 'path="/"')

CONTROL = 'job="node",instance="10.0.0.2:9100"'
WANTED = f'wecom_gateway_status_wanted_release_runs{{{CONTROL},gateway="gw-a"}}'
BALANCER = f'wecom_gateway_status_balancer_certificate_not_after_timestamp_seconds{{{CONTROL},site="b.edu.cn"}}'
ASKED = f"wecom_gateway_status_timestamp_seconds{{{CONTROL}}}"


def always(value: float) -> str:
    return f"{value:.0f}+0x"


# A value for each minute from the epoch on, so that the minute is what `time()` says.
IN_ORDER = {
    **dict.fromkeys((UP, EXPORTER, UPSTREAM_UP, RESOLVED, FILE, READABLE, IN_SYNC, INFO, TIMER, WANTED), always(1)),
    **dict.fromkeys((RENEW_FAILED, RESOLVE_FAILED, RENEW), always(0)),
    **dict.fromkeys((NODES, NODES_UP), always(2)),
    **dict.fromkeys((RESOLVE, COLLECT, ASKED), "0+60x"),
    GOOD: "0+600x",
    CERTIFICATE: always(60 * DAY),
    BALANCER: always(60 * DAY),
    AVAILABLE: always(20e9),
    SIZE: always(40e9),
}


@dataclass(frozen=True)
class Fault:
    """What is otherwise than on a host in order, which alert fires at that minute, and not yet two minutes before.

    `gone` are series that are not there.
    """

    alert: str
    minute: int
    differs: dict[str, str] = field(default_factory=dict)
    gone: tuple[str, ...] = ()


FAULTS = (
    Fault("WecomGatewayHostDown", 5, {UP: always(0)}),
    Fault("WecomGatewayNothingScraped", 15, gone=tuple(name for name in IN_ORDER if HOST in name)),
    Fault("WecomGatewayExporterDown", 10, {EXPORTER: always(0)}),
    Fault("WecomGatewayServerErrors", 7, {FAILED: "0+40x"}),
    Fault("WecomGatewayMostRequestsFail", 4, {FAILED: "0+700x"}),
    Fault("WecomGatewayUpstreamDown", 5, {UPSTREAM_UP: always(0), NODES_UP: always(0)}),
    Fault("WecomGatewayUpstreamUnresolved", 10, {RESOLVED: always(0)}),
    Fault("WecomGatewayUpstreamNodeDown", 30, {NODES_UP: always(1)}),
    Fault("WecomGatewayVerificationFileGone", 5, {FILE: always(0)}),
    Fault("WecomGatewayCertificateExpires", 60, {CERTIFICATE: always(20 * DAY)}),
    Fault("WecomGatewayCertificateAboutToExpire", 15, {CERTIFICATE: always(6 * DAY)}),
    Fault("WecomGatewayCertificateUnreadable", 15, {READABLE: always(0)}, gone=(CERTIFICATE,)),
    Fault("WecomGatewayRenewalFails", 30, {RENEW_FAILED: always(1)}),
    Fault("WecomGatewayRenewalSilent", 62, {RENEW: always(-3 * DAY)}),
    Fault("WecomGatewayReleaseOutOfSync", 15, {IN_SYNC: always(0)}),
    Fault(
        "WecomGatewayVersionsDiffer",
        1440,
        {INFO.replace("10.0.0.5", "10.0.0.6").replace("0.4.0", "0.3.0"): always(1)},
    ),
    Fault("WecomGatewayBalancerCertificateExpires", 60, {BALANCER: always(20 * DAY)}),
    Fault("WecomGatewayBalancerCertificateAboutToExpire", 15, {BALANCER: always(6 * DAY)}),
    Fault("WecomGatewayReleaseNotWanted", 60, {WANTED: always(0)}),
    Fault("WecomGatewayStatusSilent", 126, {ASKED: always(0)}),
    Fault("WecomGatewayTimerInactive", 15, {TIMER: always(0)}),
    Fault("WecomGatewayTaskFails", 15, {RESOLVE_FAILED: always(1)}),
    Fault("WecomGatewayTaskSilent", 17, {COLLECT: always(0)}),
    Fault("WecomGatewayDiskFilling", 15, {AVAILABLE: always(3e9)}),
    Fault("WecomGatewayDiskFull", 5, {AVAILABLE: always(90e6)}),
)
# No alert at any time: what is not yet a fault, or is none.
NO_FAULTS: dict[str, dict[str, str]] = {
    "a host in order": {},
    "a renewal two days ago": {RENEW: always(-2 * DAY)},
    "few errors, though most of a night's requests": {GOOD: "0+0x60 1+0x", FAILED: "0+0x60 2+0x"},
    "a twentieth of many requests": {FAILED: "0+25x"},
    "a certificate that is renewed in time": {CERTIFICATE: always(22 * DAY + 120 * 60)},
    "a tenth of a large disk": {AVAILABLE: always(9e9), SIZE: always(900e9)},
    "a platform that restarts": {UPSTREAM_UP: "1+0x30 0+0x3 1+0x", NODES_UP: "2+0x30 0+0x3 2+0x"},
    "a host that boots": {UP: "1+0x30 0+0x3 1+0x", TIMER: "1+0x30 0+0x3 1+0x"},
    "a job of another name": {'up{job="other"}': always(0)},
}


def fired(tmp_path, series: dict[str, str], minutes: dict[int, set[str]]) -> None:
    """Asserts which alerts fire at these minutes, by promtool."""
    length = max(minutes) + 2

    def values(text: str) -> str:
        return re.sub(r"x(?=$)", f"x{length}", text)

    checks = [
        {
            "expr": 'count by (alertname) (ALERTS{alertstate="firing"}) > bool 0',
            "eval_time": f"{minute}m",
            "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(names)],
        }
        for minute, names in minutes.items()
    ]
    test = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values(text)} for name, text in series.items()],
                "promql_expr_test": checks,
            }
        ],
    }
    file = tmp_path / "test.yml"
    file.write_text(yaml.safe_dump(test))
    promtool.passes("test", "rules", str(file))


def test_every_alert_is_tried():
    assert sorted(fault.alert for fault in FAULTS) == sorted(ALERTS)


@promtool.needed
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.alert.removeprefix("WecomGateway"))
def test_a_fault_raises_its_alert_in_time_and_no_other(tmp_path, fault):
    series = {name: text for name, text in (IN_ORDER | fault.differs).items() if name not in fault.gone}
    fired(tmp_path, series, {fault.minute - 2: set(), fault.minute: {fault.alert}})


@promtool.needed
@pytest.mark.parametrize("name", NO_FAULTS)
def test_what_is_no_fault_raises_none(tmp_path, name):
    fired(tmp_path, IN_ORDER | NO_FAULTS[name], {minute: set() for minute in (5, 30, 33, 34, 64, 68, 119)})


@promtool.needed
def test_an_alert_ends_with_its_fault(tmp_path):
    fired(
        tmp_path,
        IN_ORDER | {UPSTREAM_UP: "0+0x30 1+0x", FAILED: "0+900x30 27000+0x"},
        {
            10: {"WecomGatewayUpstreamDown", "WecomGatewayServerErrors", "WecomGatewayMostRequestsFail"},
            45: set(),
        },
    )


@promtool.needed
def test_promtool_finds_no_fault_in_the_rules():
    promtool.passes("check", "rules", "--lint-fatal", str(RULES))


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_says_in_both_languages_what_it_is_and_what_to_do(alert):
    rule = ALERTS[alert]
    said = rule["annotations"]
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert "for" in rule, "an alert without `for` flaps"
    for text in ("summary", "description"):
        assert not re.search("[\u4e00-\u9fff]", said[text])
        assert re.search("[\u4e00-\u9fff]", said[f"{text}_zh"])
        assert _labels(said[text]) == _labels(said[f"{text}_zh"])


@pytest.mark.parametrize("alert", ALERTS)
@pytest.mark.parametrize("language", PAGES)
def test_the_guide_has_the_alert_at_the_anchor_that_it_names(alert, language):
    page, _, anchor = ALERTS[alert]["annotations"]["guide"].partition("#")
    assert page == "docs/alerts.md"
    section = re.search(
        rf"^## [^\n]*{{ #{anchor} }}\n(.*?)(?=^## |\Z)", PAGES[language].read_text(), re.MULTILINE | re.DOTALL
    )
    assert section, anchor
    assert f"`{alert}`" in section[1]


def _labels(text: str) -> set[str]:
    return set(re.findall(r"\$labels\.\w+|\$value", text))
