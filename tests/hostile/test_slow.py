"""Clients that take their time: hundreds of them on one site must not be felt on another."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import lab
from lab import hosts
from lab.wire import Wire, arrived

from .edges import ATTACKER, INSIDE, Edge, request

_SECONDS = 20
_CONNECTIONS = 600
_KINDS = {"headers": "-H", "bodies": "-B"}


@pytest.fixture(scope="module")
def attacker(attacked: None) -> Iterator[str]:
    """Another machine, with slowhttptest, which names no site within TLS: a tunnel does that for it."""
    hosts.remove([ATTACKER])
    lab.up([ATTACKER])
    slb, tls = Edge("slb"), Edge("tls")
    lines = [
        f"printf '{slb.address} {slb.domain('itsm')}\\n127.0.0.1 {tls.domain('itsm')}\\n' >>/etc/hosts",
        "apt-get -qq update",
        "apt-get -qq install -y --no-install-recommends slowhttptest stunnel4 >/dev/null 2>&1",
        f"printf 'pid=/run/tunnel\\n[t]\\nclient=yes\\naccept=127.0.0.1:80\\nconnect={tls.address}:443\\n"
        f"sni={tls.domain('itsm')}\\n' >/etc/tunnel.conf",
        "ulimit -n 8192 && stunnel /etc/tunnel.conf 2>&1",
    ]
    hosts.exec_in(ATTACKER, ["bash", "-ec", "\n".join(lines)])
    yield ATTACKER
    hosts.remove([ATTACKER])


def _times(edge: Edge, seconds: float) -> list[float]:
    """Seconds until each answer, every request on a connection of its own, as from another phone."""
    until = time.monotonic() + seconds
    found = []
    while time.monotonic() < until:
        started = time.monotonic()
        with Wire(edge.door("card")) as wire:
            assert arrived(wire.one(request(edge.domain("card"), INSIDE["card"]))), "no answer from the other site"
        found.append(time.monotonic() - started)
        time.sleep(0.02)
    return found


def _p95(times: list[float]) -> float:
    return 1000 * statistics.quantiles(times, n=20)[-1]


@pytest.mark.parametrize("kind", _KINDS)
def test_slow_clients_of_one_site_are_not_felt_on_another(edge, attacker, tally, kind):
    """Their connections cost a slot each and nothing else; no request of anyone else may fail."""
    idle = _p95(_times(edge, 3))
    url = f"http://{edge.domain('itsm')}{INSIDE['itsm']}"
    attack = ["slowhttptest", _KINDS[kind], "-c", str(_CONNECTIONS), "-r", "300", "-i", "5", "-l", str(_SECONDS)]
    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(hosts.exec_in, attacker, [*attack, "-p", "3", "-x", "24", "-u", url], 2 * _SECONDS + 20)
        time.sleep(2)
        busy = _times(edge, _SECONDS - 6)
        # Colours and all: it redraws one screen over and over.
        output = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", told.result())
    held = max((int(number) for number in re.findall(r"connected:\s+(\d+)", output)), default=0)
    limit = 3 * idle + 50
    tally(
        f"{held} connections held; p95 of {len(busy)} other requests {_p95(busy):.0f} ms, "
        f"idle {idle:.0f} ms: {'within' if _p95(busy) <= limit else 'BEYOND'} {limit:.0f} ms"
    )
    assert held > _CONNECTIONS / 2, f"no attack to speak of:\n{output[-1500:]}"
    assert re.search(r"service available:\s+YES", output), output[-1500:]
