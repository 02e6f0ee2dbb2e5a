"""The client: wrk from Debian, and ab where no TLS session may be resumed, on a host of its own, with one thread."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from bench.errors import BenchError
from bench.hosts import BenchHost
from bench.proxy import cores
from bench.proxy.cases import Case
from bench.proxy.files import PEERS, put
from lab import LabError

CONNECTIONS = 64

_SET_UP = """
systemctl disable -q --now nginx
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq wrk apache2-utils netbase  # wrk reads /etc/services
# New connections take a port each, and would soon wait for their predecessors' minute to end.
mount -o remount,rw /proc/sys
sysctl -q -w net.ipv4.tcp_tw_reuse=1
"""

# One name stands for every proxy in turn.
_POINT = """printf '127.0.0.1 localhost\\n%s %s\\n' "$1" "$2" >/etc/hosts"""
_WRK = """
core=$1 connections=$2 seconds=$3 url=$4
shift 4
exec taskset -c "$core" wrk --timeout 20 -t 1 -c "$connections" -d "${seconds}s" -s /root/wrk.lua "$@" "$url"
"""
_AB = 'exec taskset -c "$1" ab -q -t "$3" -n 10000000 -c "$2" "$4"'
_ASK = """curl -s -o /run/bench.body -w '%{http_code}' --retry 20 --retry-delay 1 --retry-all-errors "$1"
printf ' '
wc -c </run/bench.body"""


@dataclass(frozen=True)
class Load:
    """What a client saw in one run, without the connections' set-up; latencies in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float


class Client:
    """A host that asks."""

    def __init__(self, host: BenchHost) -> None:
        self.host = host
        host.run(_SET_UP)
        put(host, PEERS / "wrk.lua", "/root/wrk.lua")

    def point(self, name: str, address: str) -> None:
        """Makes `name` resolve to `address` on this host."""
        self.host.run(_POINT, address, name)

    def must_answer(self, url: str, size: int) -> None:
        """Raises BenchError unless `url` answers 200 with so many bytes, over TLS that this host trusts."""
        seen = self.host.run(_ASK, url).split()
        if seen != ["200", str(size)]:
            raise BenchError(f"{url} answered {' with '.join(seen)} bytes, where 200 with {size} would be right")

    def load(self, url: str, case: Case, seconds: int, core: int = cores.OTHER_CORE) -> Load:
        """Asks for `url` as fast as answers come. Raises BenchError where one of them is not what it should be."""
        size, close = case.size, [] if case.kept else ["-H", "Connection: close"]
        words = [str(core), str(CONNECTIONS), str(seconds), url]
        try:
            if case.full:
                return ab_load(self.host.run(_AB, *words, timeout=seconds + 60), size)
            output = self.host.run(_WRK, *words, *close, timeout=seconds + 60)
        except LabError as error:
            raise BenchError(f"the client failed: {error}") from None
        seen = json.loads(output.strip().splitlines()[-1])
        if not seen["requests"] or seen["errors"] or seen["statuses"] or seen["bytes"] < seen["requests"] * size:
            raise BenchError(f"answers were missing or wrong: {seen}")
        return Load(seen["requests"], seen["micros"] / 1e6, seen["p50"] / 1e3, seen["p99"] / 1e3)


def ab_load(output: str, size: int) -> Load:
    """What ab says that it saw. Raises BenchError where an answer was missing, or was not 200 with `size` bytes."""
    seen = {name: float(value) for name, value in re.findall(r"^ *([\w-][\w% -]*?):? +([\d.]+)", output, re.M)}
    requests = int(seen.get("Complete requests", 0))
    if not requests or seen.get("Failed requests") or "Non-2xx responses" in seen or seen["Document Length"] != size:
        raise BenchError(f"answers were missing or wrong: {seen}")
    return Load(requests, seen["Time taken for tests"], seen["50%"], seen["99%"])
