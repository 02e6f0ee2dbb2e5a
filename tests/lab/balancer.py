"""The lab's load balancer once more, for hosts of a test's own: the lab's stays as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lab import containers, hosts, slb
from lab.images import infra_image


def start(name: str, staged: Path, mapping: Mapping[str, Sequence[str]]) -> None:
    """Has it running at the address of host `name`, serving {domain: [gateway addresses]}."""
    slb._stage(staged, mapping)
    containers.ensure(
        containers.Spec(
            name=name,
            image=infra_image(),
            options=("--stop-signal", "SIGTERM"),
            command=(*slb._NGINX, "-g", "daemon off;"),
            files={staged: slb._TARGET},
        )
    )
    hosts.wait_for_port(name, 443)
