"""The two hosts under attack, and the account of how much they were sent."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

import lab
from lab import hosts

from ..lab.checkout import Checkout, on_host
from .edges import HOSTS, OWN, Edge

_TALLY = pytest.StashKey[list[str]]()

# What a site of somebody else's on the same host may need of nginx, and what none of the gateway's may take over.
_NEIGHBOURS = """
set_real_ip_from 0.0.0.0/0;
set_real_ip_from ::/0;
real_ip_header X-Forwarded-For;
merge_slashes off;
underscores_in_headers on;
ignore_invalid_headers off;
"""


@pytest.fixture(scope="session")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Both hosts, deployed as an operator would. WECOM_HOSTILE_SUITE names another Debian."""
    names = list(HOSTS.values())
    hosts.remove(names)
    lab.up(names, os.environ.get("WECOM_HOSTILE_SUITE", "bookworm"), basis="packaged")
    try:
        for name in names:
            on_host(name, f"cat >/etc/nginx/conf.d/theirs.conf <<'E'\n{_NEIGHBOURS}\nE\nnginx -t -q")
        checkout = Checkout.make(tmp_path_factory.mktemp("hostile") / "checkout", names[0])
        platforms = checkout.path / "group_data" / "all.py"
        platforms.write_text(f"{platforms.read_text()}\nplatforms |= {OWN!r}\n")
        edges = [Edge(name) for name in HOSTS]
        for site in Edge("tls").inventory():
            checkout.certificate(site["domain"])
        checkout.write_hosts({edge.host: edge.inventory() for edge in edges})
        checkout.deploy_well()
        yield
    finally:
        hosts.remove(names)


@pytest.fixture(params=sorted(HOSTS))
def edge(request: pytest.FixtureRequest, attacked: None) -> Edge:
    return Edge(request.param)


@pytest.fixture(scope="module", autouse=True)
def nginx_stays_up(attacked: None) -> Iterator[None]:
    """No input may end a worker or the whole of nginx: the same master before and after, nothing alarming logged."""
    before = {name: Edge(name).health() for name in HOSTS}
    yield
    assert {name: Edge(name).health() for name in HOSTS} == before


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Notes a line for the end of the run."""

    def note(line: str) -> None:
        request.config.stash.setdefault(_TALLY, []).append(f"{request.node.name}: {line}")

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if lines := config.stash.get(_TALLY, []):
        terminalreporter.section("hostile input")
        for line in lines:
            terminalreporter.line(line)
