"""What status makes of how a host is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.deploys.health import Disk, Health, Unit, findings, read, warnings
from gateway.onhost.constants import HOME

OUTPUT = """loads yes
unit:nginx.service loaded active enabled success 123
unit:wecom-gateway-expiry.service loaded inactive linked success 0
unit:wecom-gateway-expiry.timer loaded active enabled success -
unit:wecom-gateway-renew.service loaded inactive enabled success 0
disk:/etc/nginx / rw 900000 5000
disk:/var/log/nginx /var/log rw 2000000 -
conffile raised
build {"version": "1.22.1"}
""".splitlines()

GOOD = Health(loads="yes", units=(Unit("nginx.service"),))


def _nginx(**words: str) -> Health:
    return replace(GOOD, units=(Unit("nginx.service", **words),))


def _unit(name: str, **words: str) -> Health:
    return replace(GOOD, units=(*GOOD.units, Unit(name, **words)))


def _disk(**said: object) -> Health:
    return replace(GOOD, disks=(replace(Disk("/etc/nginx", "/", False, 900, 5000), **said),))


def test_a_host_in_order_has_nothing_to_act_on():
    health = read(OUTPUT)
    assert findings(health) == warnings(health) == []
    assert [one.name for one in health.units][:2] == ["nginx.service", "wecom-gateway-expiry.service"]
    assert [(one.folder, one.megabytes, one.inodes) for one in health.disks] == [
        ("/etc/nginx", 878, 5000),
        ("/var/log/nginx", 1953, None),
    ]
    assert health.build == '{"version": "1.22.1"}'


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        (replace(GOOD, loads="no x in /etc/a:1"), "does not load; would not come up after a reboot: x in /etc/a:1"),
        (replace(GOOD, loads="slow"), "needs more than 30 seconds to load"),
        (_nginx(active="inactive"), "nginx is not running, it was stopped; deploy"),
        (replace(_nginx(active="inactive"), outside=True), "nginx runs, but nginx.service has not started it"),
        (_nginx(active="failed"), "it failed: journalctl -u nginx there says why; mend that, then deploy"),
        (replace(_nginx(active="failed"), reason="bind() failed"), "it failed: bind() failed; mend that, then deploy"),
        (_nginx(active="inactive", loaded="masked", enabled="masked"), "is not running and is masked"),
        (_nginx(enabled="masked-runtime"), "nginx is masked and would not come up after a reboot"),
        (_nginx(enabled="disabled"), "nginx is not enabled and would not come up after a reboot"),
        (replace(GOOD, replaced=True), "the old one still runs; systemctl restart nginx there"),
        (
            _unit("wecom-gateway-resolve.timer", loaded="not-found", active="inactive", enabled="-"),
            f"wecom-gateway-resolve.timer is not enabled; systemctl enable --now {HOME}/current/units/",
        ),
        (_unit("wecom-gateway-resolve.timer", active="inactive"), "wecom-gateway-resolve.timer is not running"),
        (_unit("wecom-gateway-resolve.timer", active="failed"), "wecom-gateway-resolve.timer is not running"),
        (_unit("wecom-gateway-errors.socket", active="inactive"), "restart wecom-gateway-errors.socket there"),
        (
            _unit("wecom-gateway-errors.socket", enabled="linked"),
            f"wecom-gateway-errors.socket is not enabled; systemctl enable --now {HOME}/current/units/",
        ),
        (_unit("wecom-gateway-errors.service", result="exit-code"), "wecom-gateway-errors.service failed when it ran"),
        (_unit("certbot.timer", loaded="masked"), "certbot.timer is masked; systemctl unmask certbot.timer && "),
        (_unit("certbot.timer", enabled="disabled"), "certbot.timer is not enabled; systemctl enable --now certbot.t"),
        (_unit("wecom-gateway-renew.service", enabled="linked"), "wecom-gateway-renew.service is not enabled"),
        (_unit("wecom-gateway-renew.service", result="exit-code"), "wecom-gateway-renew.service failed when it ran"),
        (_unit("wecom-gateway-expiry.service", result="timeout"), "wecom-gateway-expiry.service failed when it ran"),
        (_disk(read_only=True), "/etc/nginx (on /): read-only; dmesg there may say why"),
        (_disk(megabytes=3), "/etc/nginx (on /): the disk is full, 3 MB are left"),
        (_disk(inodes=0), "/etc/nginx (on /): the disk has no room for more files, 0 are left"),
        (_disk(mount="/etc/nginx", read_only=True), "/etc/nginx: read-only"),
    ],
)
def test_each_thing_to_act_on_is_one_sentence(health, expected):
    (text,) = findings(health)
    assert expected in text


def test_a_broken_file_that_keeps_nginx_from_starting_is_told_once():
    told = findings(replace(_nginx(active="failed"), loads="no x in /etc/a:1", reason="x in /etc/a:1"))
    assert [text.count("x in /etc/a:1") for text in told] == [0, 1]


def test_several_things_are_all_told_and_a_disk_once():
    disks = tuple(Disk(path, "/", True, 900, None) for path in ("/etc/nginx", "/var/log/nginx"))
    told = findings(replace(_nginx(active="inactive", enabled="disabled"), loads="slow", disks=disks))
    assert len(told) == 4
    assert told[-1] == "/etc/nginx, /var/log/nginx (on /): read-only; dmesg there may say why"


def test_a_failed_renewal_is_left_to_whoever_names_the_certificates():
    assert findings(_unit("wecom-gateway-renew.service", result="exit-code"), renewals_are_told=True) == []


@pytest.mark.parametrize(
    ("block", "upstream"),
    [
        ("wecom_gateway_a.example_443", "a.example:443"),
        ("wecom_gateway_a.example_443_1234567a", "a.example:443"),
        ("wecom_gateway_a.example_443_12345678", "a.example:443"),
        ("wecom_gateway_app_80_8080_0123abcd", "app_80:8080"),
    ],
)
def test_an_upstream_is_called_by_its_name(block, upstream):
    health = read([f"node:{block}/10.0.0.8:1 silent"])
    assert health.silent_nodes == {upstream: ("10.0.0.8:1",)}


def test_an_nginx_that_is_no_service_says_nothing_of_itself():
    assert findings(replace(GOOD, units=(Unit("nginx.service", "not-found", "inactive", "-"),))) == []


@pytest.mark.parametrize(
    ("conffile", "gone", "expected"),
    [
        ("edited", False, "an upgrade of the package will ask"),
        ("raised", True, "ln -s "),
        ("raised", False, ""),
        ("", True, ""),
    ],
)
def test_who_will_be_asked_about_nginx_conf_is_a_warning(conffile, gone, expected):
    health = replace(GOOD, conffile=conffile, hook_gone=gone)
    assert findings(health) == []
    assert [expected in text for text in warnings(health)] == ([True] if expected else [])


@pytest.mark.parametrize("active", ["active", "inactive"])
def test_whoever_is_started_by_a_socket_need_not_run(active):
    assert findings(_unit("wecom-gateway-errors.service", active=active, enabled="linked")) == []
