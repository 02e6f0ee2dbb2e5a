"""How hosts are asked: what goes wrong by chance is tried again, what is really wrong is told, and a terminal sees how
far it is."""

from __future__ import annotations

import errno
import time
from types import MappingProxyType, SimpleNamespace

import pytest
from paramiko.ssh_exception import NoValidConnectionsError
from pyinfra.api import Inventory

from gateway.cli import output
from gateway.deploys import asking, comparison, connections
from gateway.deploys.losses import Losses
from gateway.fleet.host import Host
from gateway.fleet.loading import Fleet

REFUSED = NoValidConnectionsError({("192.0.2.1", 22): ConnectionRefusedError(errno.ECONNREFUSED, "refused")})


def fleet_of(*names: str) -> Fleet:
    hosts = tuple(Host(name, name, (), MappingProxyType({}), MappingProxyType({})) for name in names)
    return Fleet(hosts, (), Inventory(([(name, {}) for name in names], {})))


@pytest.fixture
def attempts(monkeypatch):
    """Attempts to connect: those in the list fail, the others succeed. Each is noted, and nobody waits in between."""
    failing, made = [], []

    def connect(self):
        made.append(self.host.name)
        if failing:
            raise failing.pop(0)

    monkeypatch.setattr(connections.Connector, "_connect", connect)
    monkeypatch.setattr(time, "sleep", lambda seconds: made.append(seconds))
    return SimpleNamespace(failing=failing, made=made)


def asked(*names, question=lambda *_: "well"):
    return asking.every_host(fleet_of(*names), question, lambda _, __, problem: problem, lambda *_: None)


@pytest.mark.parametrize("error", [REFUSED, TimeoutError("timed out"), OSError(errno.EHOSTUNREACH, "no route")])
def test_a_host_that_does_not_answer_once_is_connected_to_again(attempts, error):
    attempts.failing.append(error)
    assert asked("h1") == ["well"]
    first, pause, second = attempts.made
    assert (first, second) == ("h1", "h1")
    assert 1 <= pause <= 2


def test_a_host_that_is_off_is_told_after_the_second_attempt(attempts):
    attempts.failing += [REFUSED] * 5
    (told,) = asked("h1")
    assert told.startswith("unreachable: nothing listens at h1, port 22")
    assert attempts.made.count("h1") == 2


def test_what_stays_wrong_is_not_tried_again(attempts):
    attempts.failing.append(OSError(errno.ENETUNREACH, "Network is unreachable"))
    (told,) = asked("h1")
    assert "no way from here" in told
    assert attempts.made == ["h1"]


def _breaking(times):
    """A question during which the connection is lost so many times."""
    left = [times]

    def question(remote, _):
        remote.connector_data.pop(connections._LOST, None)
        if left[0]:
            left[0] -= 1
            remote.connector._lost("reset")
            return f"no answer: {asking.unreadable(remote)}"
        return "well"

    return question


def test_a_lost_connection_is_made_anew_and_the_question_asked_again(attempts):
    assert asked("h1", question=_breaking(1)) == ["well"]
    assert attempts.made == ["h1", "h1"]


def test_one_that_is_lost_again_is_told(attempts):
    assert asked("h1", question=_breaking(9)) == ["no answer: the connection broke off (reset); run again"]
    assert attempts.made == ["h1", "h1"]


def test_answers_are_in_the_inventory_s_order_and_progress_counts_them(attempts):
    seen = []
    names = [f"h{number}" for number in range(9)]
    told = asking.every_host(
        fleet_of(*names), lambda _, host: host.name, lambda *_: "", lambda *done: seen.append(done)
    )
    assert told == names
    assert seen == [(done, 9) for done in range(10)]


@pytest.mark.parametrize(("terminal", "as_json"), [(True, False), (True, True), (False, False)])
def test_only_a_terminal_is_told_how_far_it_is_and_never_beside_json(capsys, monkeypatch, terminal, as_json):
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal, raising=False)
    say = output.progress("host", as_json)
    for done in range(3):
        say(done, 2)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == ("\r0 of 2 hosts asked\r1 of 2 hosts asked\r2 of 2 hosts asked\n" if terminal and not as_json else "")


def test_a_host_that_is_as_it_should_be_is_not_asked_what_it_holds(monkeypatch):
    """Each question more is an SSH command on every host of a fleet."""
    monkeypatch.setattr(comparison, "_losses", lambda _: Losses())
    assert comparison.refusals(SimpleNamespace(held=pytest.fail), ()) == []
