"""A host for which the inventory has nothing left, as status tells it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.deploys.drift import HostStatus, Observation, judged
from gateway.deploys.health import Health, Unit
from gateway.deploys.state import HostState, missing_packages
from gateway.nginx.release import Change
from gateway.nginx.tls_profile import Version

RELEASE = "0123456789abcdef"
EDITED = Health(loads="yes", units=(Unit("nginx.service"),), conffile="edited")


@pytest.fixture
def told(parse):
    def tell(**facts: object) -> HostStatus:
        host, problems = parse()
        assert not problems
        known = HostState(installed=Version((1, 22, 1)), missing=("nginx", "logrotate"), **facts)
        assert missing_packages(host, known) == []
        seen = Observation(known, EDITED, "f" * 16, (Change("gateway.conf", "added"),))
        return judged(host, seen, {}, datetime(2026, 11, 27, tzinfo=UTC))

    return tell


def test_without_a_gateway_it_is_in_sync_and_its_nginx_is_its_owner_s(told):
    status = told()
    assert status.in_sync
    assert (status.wanted, status.published, status.differences, status.warnings) == (None, None, (), ())


@pytest.mark.parametrize(
    "left",
    [
        {"current": RELEASE, "running": RELEASE},
        {"running": RELEASE},
        {"entries": frozenset({"/etc/nginx/conf.d/wecom-gateway.conf"})},
    ],
)
def test_what_is_left_of_a_gateway_is_to_be_taken_out(told, left):
    status = told(**left)
    assert not status.in_sync
    assert "deploy, and it is taken out of nginx" in status.problem
    assert (status.wanted, status.differences) == (None, ())
