"""Rounds of runs: every proxy in turn under the same load, again and again, and of each the median."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.errors import BenchError
from bench.progress import say
from bench.proxy import cases, cores
from bench.proxy.cases import DOMAIN, PLATFORM_NAME, Case
from bench.proxy.client import Client
from bench.proxy.proxies import Proxy
from bench.proxy.upstream import Upstream
from bench.schools import Edge
from lab import LabError

DIRECT = "the platform itself"
_WARM_SECONDS = 1


@dataclass(frozen=True)
class Result:
    """What one run showed, or for each number the median of several runs.

    `rate` are requests a second; latencies are in milliseconds; the proxy's CPU seconds and the upstream handshakes are
    for 1,000 requests. How busy the cores were is from 0 to 1: `proxy_share` is what the proxy used of its core,
    `proxy_core` what anybody used of it.
    """

    rate: float
    p50: float
    p99: float
    cpu: float
    handshakes: float
    proxy_share: float
    proxy_core: float
    other_core: float


@dataclass(frozen=True)
class Cell:
    """The single runs of one proxy in one case, or why there are none."""

    name: str
    case: Case
    runs: tuple[Result, ...]
    failure: str = ""

    @property
    def median(self) -> Result | None:
        """None where any run failed."""
        if self.failure or not self.runs:
            return None
        return Result(*(median(getattr(run, name) for run in self.runs) for name in Result.__dataclass_fields__))


class Bench:
    """The hosts of a benchmark, set up. `direct`: the platform without a proxy is measured too."""

    def __init__(self, client: Client, upstream: Upstream, proxies: Sequence[Proxy], direct: bool = True) -> None:
        self.client, self.upstream, self.proxies, self._direct = client, upstream, proxies, direct
        line = f"{upstream.host.address} {PLATFORM_NAME}"
        for proxy in proxies:
            proxy.host.run('echo "$1" >>/etc/hosts', line)
            cores.pin(proxy.host, cores.PROXY_CORE)

    def measure(self, wanted: Iterable[Case], rounds: int, close_rounds: int, seconds: int) -> list[Cell]:
        """Measures every proxy in every case that it can serve, and the platform: one cell for each.

        There are `close_rounds` where much hangs on few percent, `rounds` elsewhere.
        """
        by_edge: dict[Edge, list[Case]] = {edge: [] for edge in cases.EDGES}
        for case in wanted:
            by_edge[case.edge].append(case)
        return [
            cell
            for edge, own in by_edge.items()
            if own
            for cell in self._edge(edge, own, rounds, close_rounds, seconds)
        ]

    def _edge(self, edge: Edge, wanted: Sequence[Case], rounds: int, close_rounds: int, seconds: int) -> list[Cell]:
        runs: dict[tuple[str, Case], list[Result]] = {}
        failures: dict[tuple[str, Case], str] = {}
        for proxy in self.proxies:
            say(f"{proxy.name}: edge {edge}")
            try:
                proxy.serve(edge)
            except (BenchError, LabError) as error:
                failures |= {(proxy.name, case): str(error) for case in wanted}
        everyone: list[Proxy | None] = [*self.proxies, *([None] if self._direct else [])]
        turns = [(each, case) for case in wanted for each in everyone if not each or each.can_serve(case)]
        for number in range(1, max(rounds, close_rounds) + 1):
            for each, case in turns:
                key = (each.name if each else DIRECT, case)
                if key in failures or number > (close_rounds if case.close else rounds):
                    continue
                try:
                    result = self._run(each, case, seconds)
                except (BenchError, LabError) as error:
                    failures[key] = str(error)
                    say(f"{key[0]}, {case}: {error}")
                    continue
                runs.setdefault(key, []).append(result)
                say(f"round {number}, {case}, {key[0]}: {result.rate:,.0f} requests/s")
        keys = [(each.name if each else DIRECT, case) for each, case in turns]
        return [Cell(*key, tuple(runs.get(key, ())), failures.get(key, "")) for key in keys]

    def _run(self, proxy: Proxy | None, case: Case, seconds: int) -> Result:
        """One run, after one that warms up. Without a proxy the client has the proxy's core to itself."""
        if proxy:
            url, core, counted = case.public_url, cores.OTHER_CORE, proxy.host
            self.client.point(DOMAIN, proxy.host.address)
        else:
            url, core, counted = case.platform_url, cores.PROXY_CORE, self.upstream.host
            self.client.point(PLATFORM_NAME, self.upstream.host.address)
        process = proxy.process if proxy else "no-proxy"
        self.client.must_answer(url, case.size)
        self.client.load(url, case, _WARM_SECONDS, core)
        connections = self.upstream.connections()
        before = cores.read(counted, process)
        load = self.client.load(url, case, seconds, core)
        after = cores.read(counted, process)
        handshakes = self.upstream.connections() - connections - 1  # asking for the number is a connection too
        thousands = load.requests / 1000
        return Result(
            rate=load.requests / load.seconds,
            p50=load.p50,
            p99=load.p99,
            cpu=(after.process - before.process) / thousands,
            handshakes=handshakes / thousands,
            proxy_share=(after.process - before.process) / load.seconds,
            proxy_core=after.busy_since(before, cores.PROXY_CORE),
            other_core=after.busy_since(before, cores.OTHER_CORE),
        )
