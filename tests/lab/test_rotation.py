"""A name that is answered differently each time, by a real name server: what nginx makes of it, and what it costs.

The clock is the tests' own: a round of resolve.sh after the other, each half a minute after the last one by `date`.
"""

from __future__ import annotations

import contextlib
import time

import pytest

from lab import hosts, topology

from . import checkout as own
from . import nameserver
from .checkout import HOME, SLB
from .streams import Stream

HOST, NAME, DOMAIN = "t01", "hub.17wanxiao.com", "a.edu.example"
FILE = f"{HOME}/upstreams/{NAME}_443.conf"
# Nobody's in the lab's network.
DEAD = str(topology.subnet()[200])


def on_host(script: str) -> str:
    return own.on_host(HOST, script)


# What resolve.sh remembers from round to round.
_FORGET = "rm -f /run/wecom-gateway-addresses /run/wecom-gateway-reloaded"
_COUNT = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -c '^nginx: '"


class Clock:
    """Half a minute for each round."""

    def __init__(self) -> None:
        self._now = int(time.time())

    def round(self, count: int = 1) -> list[int]:
        """Runs resolve.sh `count` times; the number of nginx's processes after each.

        After a reload old workers need a moment until they call themselves so.
        """
        first, self._now = self._now, self._now + 30 * count
        return [
            int(number)
            for number in on_host(
                f"date() {{ echo $NOW; }}; export -f date; for ((NOW = {first}; NOW < {self._now}; NOW += 30)); do"
                f" export NOW; said=$(bash {HOME}/current/resolve.sh 2>&1);"
                f' [ -z "$said" ] || {{ echo "$said" >>/run/said; sleep 0.2; }}; {_COUNT}; done'
            ).split()
        ]


@pytest.fixture
def clock(packaged_host, checkout):
    """A deployed site whose platform answers at every address of 127.0.0.0/8; nobody else looks its name up."""
    checkout.write_sites(SLB)
    checkout.deploy_well()
    on_host(
        "systemctl stop wecom-gateway-resolve.timer wecom-gateway-resolve.service;"
        f" {_FORGET} /run/said; echo 'server {topology.address('platform')}:443;' >{FILE};"
        " systemctl restart nginx"
    )
    with nameserver.platform_everywhere(HOST):
        yield Clock()
    on_host(f"{_FORGET}; systemctl start wecom-gateway-resolve.timer")


def _ask_often(count: int = 20) -> None:
    """Every answer is the platform's, and none keeps a visitor waiting."""
    for _ in range(count):
        before = time.monotonic()
        assert own.ask(HOST, f"http://{DOMAIN}/x", timeout=15).status == 200
        assert time.monotonic() - before < 3


def _open(stack: contextlib.ExitStack, streams: list[Stream], count: int) -> None:
    streams += [stack.enter_context(Stream(f"http://{DOMAIN}/ws", topology.address(HOST))) for _ in range(count)]


def test_an_hour_with_fifty_websockets_leaves_few_processes_and_cuts_none(clock):
    """No answer repeats one of the last ten minutes; streams begin all the time, and each holds its worker."""
    answers = [f"127.0.{number // 250}.{number % 250 + 1}" for number in range(400)]
    counts: list[int] = []
    streams: list[Stream] = []
    with nameserver.serving(HOST, NAME, *answers), contextlib.ExitStack() as stack:
        for _ in range(25):
            _open(stack, streams, 2)
            counts += clock.round(5)
            # idle for a minute, nginx would end them by itself
            assert all(stream.echoes(b"still here") for stream in streams)
        assert len(counts) == 125
        assert len(streams) == 50
        _ask_often(5)
    workers = int(on_host("nproc"))
    reloads = int(on_host("grep -c 'nginx reloaded' /run/said"))
    assert 3 <= reloads <= 8, on_host("cat /run/said")
    # a master, the workers, and at most as many again for each reload
    assert max(counts) <= 1 + workers * (1 + reloads), counts
    assert max(counts) < 40


def test_each_generation_ends_with_its_last_stream(clock):
    with nameserver.serving(HOST, NAME, "127.0.0.1", "127.0.0.2", "127.0.0.3"):
        before = int(on_host(_COUNT))
        with Stream(f"http://{DOMAIN}/ws", topology.address(HOST)) as stream:
            assert clock.round(2)[-1] > before
            assert stream.echoes(b"x")
        hosts.wait_until(lambda: int(on_host(_COUNT)) == before, "the old worker lives on", seconds=20)


def test_addresses_in_turn_are_all_asked_and_reload_nothing_once_they_are_known(clock):
    turn = [f"127.0.0.{number}" for number in range(1, 5)]
    with nameserver.serving(HOST, NAME, *turn):
        # until the address from before is forgotten too
        clock.round(24)
        assert on_host(f"cat {FILE}").splitlines() == [f"server {address}:443;" for address in turn]
        known = on_host("grep -c 'nginx reloaded' /run/said")
        clock.round(40)
        assert on_host("grep -c 'nginx reloaded' /run/said") == known
        _ask_often()


def test_an_address_of_the_turn_that_dies_costs_nobody_anything(clock):
    with nameserver.serving(HOST, NAME, "127.0.0.1", DEAD, "127.0.0.2", "127.0.0.3"):
        clock.round(8)
        nameserver.give(HOST, "127.0.0.1", "127.0.0.2", "127.0.0.3")
        clock.round(2)
        assert f"server {DEAD}:443 backup;" in on_host(f"cat {FILE}")
        _ask_often()
        clock.round(21)
        assert DEAD not in on_host(f"cat {FILE}")


def test_a_move_from_a_dead_address_is_followed_in_one_round_whatever_lives_on(clock):
    """Old workers, a rotation before, and nothing that nginx knew answers any more."""
    with contextlib.ExitStack() as stack:
        streams: list[Stream] = []
        stack.enter_context(nameserver.serving(HOST, NAME, *(f"127.0.0.{number}" for number in range(1, 200))))
        for _ in range(4):
            _open(stack, streams, 2)
            clock.round(3)
        nameserver.give(HOST, DEAD)
        on_host(f"echo 'server {DEAD}:443;' >{FILE}; systemctl kill --signal=HUP --kill-who=main nginx; sleep 1")
        nameserver.give(HOST, topology.address("platform"))
        clock.round()
        assert f"server {topology.address('platform')}:443" in on_host(f"cat {FILE}")
        time.sleep(1)
        _ask_often()
        assert all(stream.echoes(b"still here") for stream in streams)
