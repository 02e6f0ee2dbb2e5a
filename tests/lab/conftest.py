"""Requests to the demo's sites as the public sends them, at both edges."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lab import client, topology
from lab.demo import PUBLIC


@pytest.fixture(params=sorted(PUBLIC))
def edge(request: pytest.FixtureRequest, demo_lab: None) -> str:
    """Edge slb is asked through the load balancer stand-in, edge tls directly."""
    return request.param


@pytest.fixture
def ask(edge: str) -> Callable[..., client.Response]:
    """ask("card", "/path", ...): a request to that site's public URL; ":9001/path" for the other listener."""

    def send(site: str, rest: str, **options: object) -> client.Response:
        url = f"https://{site}.{edge}.demo.example{rest}"
        return client.request(url, connect=topology.address(PUBLIC[edge]), **options)

    return send
