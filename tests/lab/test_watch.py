"""The units that `init` writes, run by systemd: the program gets the robot's address and a folder of its own."""

from __future__ import annotations

import pytest

from ..conftest import REPO
from .checkout import on_host

HOST = "gw-tls"
UNITS = REPO / "gateway/starter/files/systemd"
# What the command on the control machine gets; it stands in for the command itself.
TELLS = """#!/bin/sh
echo "$(id -un) $PWD $* $WECOM_ROBOT $STATE_DIRECTORY $(stat -c %a "$STATE_DIRECTORY")"
"""


@pytest.fixture
def control_machine(demo_lab: None):
    on_host(HOST, "useradd --system gateway && install -d -o gateway /srv/gateway/.venv/bin /etc/wecom-gateway")
    for name, text, folder in (
        ("wecom-gateway", TELLS, "/srv/gateway/.venv/bin"),
        ("robot.env", "WECOM_ROBOT=https://robot.example/?key=k%41%%\n", "/etc/wecom-gateway"),
        *((path.name, path.read_text(), "/etc/systemd/system") for path in UNITS.iterdir()),
    ):
        on_host(HOST, f"cat >'{folder}/{name}' <<'END'\n{text}END\nchmod 755 '{folder}/{name}'")
    on_host(
        HOST, "chmod 600 /etc/wecom-gateway/robot.env; chmod 644 /etc/systemd/system/wecom-*; systemctl daemon-reload"
    )
    yield
    on_host(
        HOST,
        "systemctl disable --now wecom-gateway-watch@{status,verify}.timer\n"
        "rm /etc/systemd/system/wecom-gateway-{watch@,overview.}*\n"
        "rm -r /etc/wecom-gateway /srv/gateway /var/lib/wecom-gateway\n"
        "systemctl daemon-reload; userdel gateway",
    )


def test_the_timer_runs_both_commands_as_their_user(control_machine):
    on_host(HOST, "systemctl enable --now wecom-gateway-watch@{status,verify}.timer")
    for command in ("status", "verify"):
        on_host(HOST, f"systemctl start wecom-gateway-watch@{command}.service")
        said = on_host(HOST, f"journalctl -o cat -u wecom-gateway-watch@{command}.service")
        told = (
            f"gateway /srv/gateway {command} inventory/prod.py --notify WECOM_ROBOT https://robot.example/?key=k%41%%"
        )
        assert f"{told} /var/lib/wecom-gateway 700" in said.splitlines()
        due = on_host(HOST, f"systemctl show -P NextElapseUSecRealtime wecom-gateway-watch@{command}.timer")
        assert due.strip()
