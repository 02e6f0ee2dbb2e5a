"""Two cores: the proxy under test has one to itself, client and platform share the other.

Times are the kernel's, read on the hosts: a process's own share as it is accounted to it, and how long each core was
not idle, whoever used it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from bench.errors import BenchError
from bench.hosts import BenchHost
from lab import topology
from lab.engine import docker

PROXY_CORE, OTHER_CORE = 0, 1

# The core's idle time (waiting for disks counts as idle) and all of its time, in clock ticks; then one line for each
# process of the name, with what it and its threads used.
_READ = """
getconf CLK_TCK
awk '$1 == "cpu0" || $1 == "cpu1" { sum = 0; for (i = 2; i <= 9; i++) sum += $i; print $5 + $6, sum }' /proc/stat
for pid in $(pgrep -x "$1"); do sed 's/.*) //' "/proc/$pid/stat"; done \\
    | awk '{ sum += $12 + $13 } END { print sum + 0 }'
"""


@dataclass(frozen=True)
class Clock:
    """What had been used at one moment, in seconds."""

    idle: tuple[float, float]
    total: tuple[float, float]
    process: float

    def busy_since(self, before: Clock, core: int) -> float:
        """The part of the time in which a core was not idle, 0 to 1."""
        total = self.total[core] - before.total[core]
        return 1 - (self.idle[core] - before.idle[core]) / total if total else 0.0


def read(host: BenchHost, process: str) -> Clock:
    """The clock now. `process` is the name of those processes on `host` that are counted together."""
    ticks, first, second, used = host.run(_READ, process).splitlines()
    rate = float(ticks)
    idle, total = zip(*((int(a) / rate, int(b) / rate) for a, b in (first.split(), second.split())), strict=True)
    return Clock((idle[0], idle[1]), (total[0], total[1]), int(used) / rate)


def must_be_two() -> None:
    """Raises BenchError on a machine with one core."""
    if (os.cpu_count() or 1) < 2:
        raise BenchError("the proxy under test needs a core to itself: this machine has only one")


def pin(host: BenchHost, core: int) -> None:
    """Everything on a host runs on one core from now on."""
    docker("update", f"--cpuset-cpus={core}", topology.container(host.name))
