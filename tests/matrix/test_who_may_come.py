"""Who may come, on each Debian: how a PROXY header is read, and by which address somebody is judged, has changed."""

from __future__ import annotations

import pytest

from lab import hosts, layer4

from ..lab.test_who_may_come import *  # noqa: F403
from ..lab.test_who_may_come import HOST, serve


@pytest.fixture(scope="session")
def behind(suite, tmp_path_factory):
    try:
        yield serve(suite, tmp_path_factory.mktemp(f"who-{suite}") / "checkout")
    finally:
        layer4.remove()
        hosts.remove([HOST])
