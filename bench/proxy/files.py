"""Puts files onto the benchmark's hosts."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from bench.hosts import BenchHost
from lab import topology
from lab.engine import docker

PEERS = Path(__file__).resolve().parent / "peers"


def put(host: BenchHost, source: Path, target: str, values: Mapping[str, str] = MappingProxyType({})) -> None:
    """Copies a folder, or a file whose `@NAME@`s become values; folders on the way are made."""
    container = topology.container(host.name)
    if source.is_dir():
        host.run('mkdir -p -m 0700 "$1"', target)
        docker("cp", f"{source}/.", f"{container}:{target}")
        return
    host.run('mkdir -p "$(dirname "$1")"', target)
    text = source.read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    with tempfile.TemporaryDirectory(prefix="wecom-bench-") as folder:
        filled = Path(folder) / "filled"
        filled.write_text(text)
        docker("cp", str(filled), f"{container}:{target}")
