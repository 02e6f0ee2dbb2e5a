"""What nginx does on a host that had none until a release is in force: nothing at all."""

from __future__ import annotations

import threading
import time

import pytest

import lab
from lab import engine, hosts, topology

from . import checkout as own
from .checkout import SLB, Checkout

HOST = "t24"
_URL = f"http://{SLB['domain']}/x"


@pytest.fixture
def host():
    """A Debian without nginx whose packages are at hand: as long as the deploy is at work, somebody may call."""
    hosts.remove([HOST])
    lab.up([HOST], basis="stocked")
    yield
    hosts.remove([HOST])


@pytest.fixture
def mine(tmp_path):
    checkout = Checkout.make(tmp_path, HOST)
    checkout.write_sites(SLB)
    return checkout


class Callers:
    """Asks port 80 again and again until the block ends, by the host's address as anybody may."""

    def __init__(self) -> None:
        self.calls = 0
        self.answers: set[bytes] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Callers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        until = time.monotonic() + 120
        while not self._stop.is_set() and time.monotonic() < until:
            self.calls += 1
            try:
                self.answers.add(own.ask(HOST, f"http://{topology.address(HOST)}/", timeout=2).body)
            except OSError:
                time.sleep(0.01)


def _state() -> list[str]:
    """Whether nginx is enabled, whether it runs, and who listens on port 80."""
    script = "systemctl is-enabled nginx; systemctl is-active nginx; ss -Hltn 'sport = :80' | wc -l"
    return own.on_host(HOST, f"{{ {script}; }} 2>/dev/null || true").split()


def _boots_as_before() -> None:
    assert _state()[-2:] == ["inactive", "0"]
    assert _state()[0] != "enabled"
    hosts.restart(HOST)
    time.sleep(1)
    assert _state()[-2:] == ["inactive", "0"]
    assert _state()[0] != "enabled"


def _serves_after_a_good_deploy(mine: Checkout) -> None:
    mine.deploy_well()
    assert _state()[:2] == ["enabled", "active"]
    hosts.restart(HOST)
    hosts.wait_for_port(HOST, 80)
    assert own.ask(HOST, _URL).header("X-Lab-Arrived")


def test_nobody_ever_sees_a_welcome_page_and_a_failed_deploy_leaves_the_host_as_it_boots(host, mine):
    template = mine.path / "templates" / "nginx" / "site-slb.conf.j2"
    good = template.read_text()
    template.write_text(good + "nonsense on;\n")
    with Callers() as callers:
        done = mine.deploy()
        assert done.returncode == 1
        assert 'unknown directive "nonsense"' in done.stderr
        _boots_as_before()
        template.write_text(good)
        _serves_after_a_good_deploy(mine)
    assert callers.calls > 100
    assert [answer for answer in callers.answers if b"Welcome to nginx" in answer] == []


def test_a_power_failure_between_the_packages_and_the_release_leaves_the_host_as_it_boots(host, mine):
    script = mine.path / "gateway" / "onhost" / "scripts" / "publish.sh"
    good = script.read_text()
    script.write_text("sleep 120\n" + good)
    deploy = mine.start("pyinfra", "-y", "inventory/own.py", "deploy.py")
    try:
        installed = "dpkg-query -W -f '${db:Status-Status}' nginx 2>/dev/null || true"
        hosts.wait_until(lambda: own.on_host(HOST, installed) == "installed", "nginx is not installed", seconds=60)
        time.sleep(2)
        engine.docker("kill", topology.container(HOST))
    finally:
        deploy.kill()
        deploy.communicate()
    hosts.start(HOST)
    _boots_as_before()
    script.write_text(good)
    _serves_after_a_good_deploy(mine)
