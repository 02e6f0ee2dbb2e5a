"""A pair of gateways on each Debian release asked for, with the demo's sites on it.

Under the names of the lab's own gateways, so that the lab's tests run on them as they stand. Hosts: t50 (behind the
load balancer t58) and t51 (TLS ends in nginx); two, because port 9001 is plain on one and TLS on the other.
"""

from __future__ import annotations

import ipaddress
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import lab
from lab import hosts, topology

from ..conftest import REPO
from ..lab import balancer
from ..lab.checkout import Checkout
from ..lab.conftest import ask, edge

__all__ = ["ask", "edge"]

SLB, TLS, BALANCER = "t50", "t51", "t58"
STANDS_IN_FOR = {"gw-slb": SLB, "gw-tls": TLS, "slb": BALANCER}

Sites = dict[str, list[dict[str, Any]]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--suites",
        default=topology.DEFAULT_SUITE,
        help=f"Debian releases to run the matrix on: all, or some of {','.join(topology.SUITES)}. "
        f"Default: {topology.DEFAULT_SUITE}.",
    )


def _suites(config: pytest.Config) -> list[str]:
    # The option is known only where this directory stands on the command line.
    asked = config.getoption("suites", topology.DEFAULT_SUITE)
    wanted = list(topology.SUITES) if asked == "all" else asked.split(",")
    unknown = set(wanted) - set(topology.SUITES)
    if unknown:
        known = ", ".join(topology.SUITES)
        raise pytest.UsageError(f"--suites {asked}: no such Debian here; right would be all, or some of {known}")
    return wanted


# Tests of the lab's own, which `make test` runs on the lab's Debian: with all releases that one is left out here.
_AS_ON_THE_LAB = ("test_as_on_the_lab", "test_who_may_come")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    suites = _suites(metafunc.config)
    if metafunc.module.__name__.rpartition(".")[2] in _AS_ON_THE_LAB and suites == list(topology.SUITES):
        suites = [one for one in suites if one != topology.DEFAULT_SUITE]
    for name in {"pair", "suite"} & set(metafunc.fixturenames):
        metafunc.parametrize(name, suites, indirect=name == "pair", scope="session")


@dataclass
class Pair:
    """Two gateways on one Debian release and the checkout that they were deployed from."""

    suite: str
    checkout: Checkout
    sites: Sites

    def with_more_on(self, host: str, *sites: dict[str, Any]) -> None:
        """An inventory with further sites on one of the hosts; without any, the pair's own."""
        self.checkout.write_hosts({name: [*own, *(sites if name == host else ())] for name, own in self.sites.items()})


@pytest.fixture(scope="session")
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """The demo's sites on bare hosts of that Debian release, deployed once."""
    suite = request.param
    own_hosts = [SLB, TLS]
    hosts.remove(own_hosts)
    try:
        lab.up(own_hosts, suite)
        sites = _demo_sites()
        checkout = _checkout(tmp_path_factory.mktemp(suite) / "checkout", sites)
        served = {site["domain"]: [topology.address(SLB)] for site in sites[SLB]}
        balancer.start(BALANCER, tmp_path_factory.mktemp("balancer"), served)
        checkout.write_hosts(sites)
        checkout.deploy_well()
        yield Pair(suite, checkout, sites)
    finally:
        hosts.remove([*own_hosts, BALANCER])


@pytest.fixture
def demo_lab(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the lab's tests take for the demo's gateways is the pair."""
    first = int(topology.subnet().network_address)
    for name, host in STANDS_IN_FOR.items():
        monkeypatch.setitem(topology._FIXED, name, int(ipaddress.ip_address(topology.address(host))) - first)


def _demo_sites() -> Sites:
    from inventory.demo import gateways

    behind, own = (data["sites"] for _, data in gateways)
    believed = [f"{topology.address(BALANCER)}/32"]
    return {SLB: [{**site, "slb_cidrs": believed} for site in behind], TLS: own}


def _checkout(path: Path, sites: Sites) -> Checkout:
    """An operator's checkout with the demo's files, and the acceptance tests beside it."""
    path.mkdir()
    checkout = Checkout.make(path, SLB)
    for site in [*sites[SLB], *sites[TLS]]:
        shutil.copytree(REPO / "files" / "verify" / site["domain"], path / "files" / "verify" / site["domain"])
    for site in sites[TLS]:
        checkout.certificate(site["domain"])
    leave_out = shutil.ignore_patterns("__pycache__", ".venv", "unit", "lab", "judges")
    shutil.copytree(REPO / "tests", path / "tests", ignore=leave_out)
    shutil.copy(REPO / "pyproject.toml", path)
    (path / "lab").symlink_to(REPO / "lab")
    return checkout
