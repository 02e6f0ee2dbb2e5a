"""Hosts on which a deploy would put an end to what others serve: it says what is there, and changes nothing at all.

Judged before, after, and after a reboot: what is enabled beside others only shows itself then.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from . import judge, not_bare
from .checkout import SLB, Checkout
from .judge import Snapshot
from .not_bare import Kind, Run

_HTTP = ("http://theirs.example/", "http://OWN/")
_BOTH = (*_HTTP, "https://theirs.example/", "https://OWN/")

KINDS = [
    # One that was only found out by waiting for the running nginx.
    Kind("address-only", ("http://10.9.9.9/", "http://OWN/"), ("10.9.9.9:80", "apart.conf")),
    Kind("broken", _BOTH, ('unknown directive "nonsense"', "nginx.conf")),
    Kind("masked", _HTTP, ("nginx.service", "masked")),
    Kind("supervised", _BOTH, ("nginx.service", "theirs-web.service")),
    Kind("apache", _HTTP, ("port 80 ", "apache2", "pid", "apache2.service")),
    Kind("apache-beside-nginx", _HTTP, ("port 80 ", "apache2", "pid", "apache2.service")),
    Kind("python-80", _HTTP, ("port 80 ", "python3", "pid", "theirs.service")),
    Kind("python-9001", ("http://OWN:9001/",), ("port 9001 ", "python3", "pid", "theirs.service")),
    Kind("without-systemd", _HTTP, ("systemd",), basis="sshd"),
]
# Whose nginx would not have come up again without a deploy either.
_DOWN_AFTER_A_REBOOT = ("broken",)
_SECONDS = 20

kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@dataclass(frozen=True)
class Attempt:
    run: Run
    before: dict[str, Snapshot]
    after: dict[str, Snapshot]
    rebooted: dict[str, Snapshot]


@pytest.fixture(scope="module")
def attempts(request, tmp_path_factory) -> dict[str, Attempt]:
    """One deploy to each of the hosts that are asked for."""
    found = {}
    for number, there in enumerate(not_bare.in_batches(not_bare.selected(request, KINDS))):
        checkout = Checkout.make(tmp_path_factory.mktemp(f"refused{number}"), next(iter(there)))
        before = not_bare.look(there)
        run = not_bare.deploy(checkout, there, SLB)
        after = not_bare.look(there)
        attempt = Attempt(run, before, after, not_bare.look_after_reboot(there, before))
        found |= dict.fromkeys(before, attempt)
    return found


@kinds
def test_the_deploy_says_what_is_there(attempts, kind):
    run = attempts[kind.name].run
    said = run.said[kind.name]
    assert kind.name in run.failed, said
    for word in kind.words:
        assert word in said, said
    assert "Traceback" not in said


@kinds
def test_nothing_has_changed(attempts, kind):
    attempt = attempts[kind.name]
    assert judge.changes(attempt.before[kind.name], attempt.after[kind.name]) == ""


@kinds
def test_nothing_has_changed_after_a_reboot(attempts, kind):
    attempt = attempts[kind.name]
    parts = ("packages", "units", "files")
    if kind.name not in _DOWN_AFTER_A_REBOOT:
        parts += ("sockets", "answers")
    assert judge.changes(attempt.before[kind.name], attempt.rebooted[kind.name], parts) == ""


@pytest.mark.parametrize("kind", KINDS[:2], ids=lambda kind: kind.name)
def test_a_release_that_nobody_would_read_is_not_waited_for(attempts, kind):
    assert attempts[kind.name].run.seconds < _SECONDS
