"""What lab tests share: the demo's sites as the public sees them, and hosts of a test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import lab
from lab import client, hosts, topology
from lab.demo import PUBLIC

from .checkout import Checkout


@pytest.fixture(params=sorted(PUBLIC))
def edge(request: pytest.FixtureRequest, demo_lab: None) -> str:
    """Edge slb is asked through the load balancer stand-in, edge tls directly."""
    name: str = request.param
    return name


@pytest.fixture
def ask(edge: str) -> Callable[..., client.Response]:
    """ask("card", "/path", ...): a request to that site's public URL; ":9001/path" for the other listener."""

    def send(site: str, rest: str, **options: Any) -> client.Response:
        url = f"https://{site}.{edge}.demo.example{rest}"
        return client.request(url, connect=topology.address(PUBLIC[edge]), **options)

    return send


def _fresh_host(basis: str) -> Iterator[str]:
    lab.up()
    hosts.remove(["t01"])
    lab.up(["t01"], basis=basis)
    yield "t01"
    hosts.remove(["t01"])


@pytest.fixture(scope="module")
def bare_host() -> Iterator[str]:
    """A Debian that has never seen nginx."""
    yield from _fresh_host("bare")


@pytest.fixture(scope="module")
def packaged_host() -> Iterator[str]:
    """A Debian with nginx as its package leaves it, so that a deploy need not install it; of the same name."""
    yield from _fresh_host("packaged")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout.make(tmp_path, "t01")
