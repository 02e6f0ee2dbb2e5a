"""The dashboard that `init` writes, as Prometheus gets it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.conftest import REPO

FOLDER = REPO / "gateway/starter/files/prometheus"
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "wecom-gateway.dashboard.json").read_text("utf-8"))
# What Grafana puts in place of its variables.
_FILLED_IN = {"$__rate_interval": "2m", "$instance": ".*", "$site": ".*"}


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = DASHBOARD["panels"]
    return found


def queries() -> Iterator[str]:
    """Every query of a panel."""
    for panel in panels():
        for target in panel.get("targets", ()):
            yield filled_in(target["expr"])


def filled_in(query: str) -> str:
    """A query with values in the place of Grafana's variables."""
    for variable, value in _FILLED_IN.items():
        query = query.replace(variable, value)
    return query
