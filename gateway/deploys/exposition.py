"""What status found, in the text format of Prometheus: what no host knows of itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from gateway.deploys.drift import HostStatus

_RUNS = "wecom_gateway_status_wanted_release_runs"
_ENDS = "wecom_gateway_status_balancer_certificate_not_after_timestamp_seconds"
_WHEN = "wecom_gateway_status_timestamp_seconds"
_DAY = 86400


def exposition(found: Iterable[HostStatus], balancers: Mapping[str, int], now: datetime) -> str:
    """The metrics: for each host that answered whether nginx serves the release that the inventory gives, for each
    domain of `balancers`, which has days left, when its load balancer's certificate ends, and when that was asked."""
    asked = int(now.timestamp())
    runs = {
        f'{{gateway="{_escaped(one.host)}"}}': int(one.wanted == one.running)
        for one in found
        if one.reachable and one.wanted is not None
    }
    ends = {f'{{site="{_escaped(name)}"}}': asked + left * _DAY for name, left in sorted(balancers.items())}
    return "".join(
        (
            _family(_RUNS, "Whether nginx on the host serves the release that the inventory gives.", runs),
            _family(_ENDS, "When the certificate ends that the site's load balancer shows; up to a day early.", ends),
            _family(_WHEN, "When status asked the hosts.", {"": asked}),
        )
    )


def _family(name: str, meaning: str, series: Mapping[str, int]) -> str:
    """One metric: its series by their labels."""
    values = "".join(f"{name}{labels} {value}\n" for labels, value in series.items())
    return f"# HELP {name} {meaning}\n# TYPE {name} gauge\n{values}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
