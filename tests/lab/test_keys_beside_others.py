"""Many certificates: nginx's workers read the keys, unless somebody else's program could then read them too."""

from __future__ import annotations

import pytest

import lab
from lab import hosts

from . import checkout as own
from .checkout import HOME, TLS, Checkout

HOST = "t24"
_MANY = 100
_USERS = {"the user": "User=www-data", "the group": "User=nobody\nSupplementaryGroups=www-data"}


def _domain(number: int) -> str:
    return f"n{number:03}.edu.example"


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A gateway with a hundred certificates to be, and nginx not there yet."""
    hosts.remove([HOST])
    lab.up([HOST], basis="stocked")
    checkout = Checkout.make(tmp_path_factory.mktemp("many"), HOST)
    for number in range(_MANY + len(_USERS)):
        checkout.certificate(_domain(number))
    yield checkout
    hosts.remove([HOST])


def _modes() -> set[str]:
    """Mode, owner and group of every key of the release in force."""
    return set(own.on_host(HOST, f"stat -c '%a %U:%G' {HOME}/current/certs/*/privkey.pem").splitlines())


def _deploy(checkout: Checkout, count: int) -> None:
    checkout.write_sites(*({**TLS, "domain": _domain(number)} for number in range(count)))
    checkout.deploy_well()
    for number in (0, count - 1):
        assert own.ask(HOST, f"https://{_domain(number)}/o/itsm/weixin/x").header("X-Lab-Arrived")


def test_alone_on_the_host_the_workers_read_them(many):
    _deploy(many, _MANY)
    assert _modes() == {"640 root:www-data"}


@pytest.mark.parametrize(("number", "who"), list(enumerate(_USERS, 1)), ids=list(_USERS))
def test_beside_a_program_that_runs_as_nginx_does_they_are_roots_alone(many, number, who):
    """A PHP site's own code, for one: whoever breaks into it would have the keys of every school."""
    own.on_host(
        HOST,
        "systemctl stop theirs-php 2>/dev/null\n"
        "cat >/etc/systemd/system/theirs-php.service <<'X'\n"
        f"[Service]\n{_USERS[who]}\nExecStart=/bin/sleep infinity\nX\n"
        "systemctl daemon-reload && systemctl start theirs-php",
    )
    _deploy(many, _MANY + number)
    assert _modes() == {"600 root:root"}
