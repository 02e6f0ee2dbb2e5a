"""The report: Markdown for people, JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.expectations import Verdict
from bench.proxy.cases import EDGES
from bench.proxy.expectations import judge
from bench.proxy.measure import DIRECT, Cell
from bench.proxy.proxies import GATEWAY

REPORT = Path(__file__).resolve().parent.parent / "PROXY.md"
# Sections of the report that are made by commands of their own.
FEATURES, CLOSE = "## What each feature costs", "## Beside nginx alone and HAProxy"

_TITLES = {"slb": "Edge slb: clients come by plain http", "tls": "Edge tls: clients come by https"}
_HEAD = (
    "answer",
    "client's connections",
    "",
    "requests/s",
    "ours / theirs",
    "p50",
    "p99",
    "CPU s / 1,000",
    "upstream handshakes / 1,000",
    "proxy's share of its core",
    "all of it",
    "other core",
)
_LEGEND = """\
Medians over the rounds. "Ours / theirs" is this project's requests/s over the row's. CPU seconds are those of the \
proxy's processes, handshakes those that the platform accepted, both for 1,000 requests. The cores' columns say how \
busy they were: where the proxy's share is not near 100%, it was not the proxy that set the pace, and CPU seconds tell \
more than requests/s. `?`: something else on the machine took more than a tenth of the proxy's core, so requests/s and \
latencies are too bad. Latencies leave out the set-up of connections."""

_DISTURBED = 0.1
_RATIOS = """\
A ratio is taken in each round, between runs that stand side by side; the median counts, the range is added. By CPU \
seconds, which other work on the machine disturbs less than requests/s: the processes' for each request."""


@dataclass(frozen=True)
class Report:
    """Everything that was measured, and on what."""

    command: str
    machine: Mapping[str, str]
    cells: Sequence[Cell]

    @property
    def verdicts(self) -> list[Verdict]:
        return judge(self.cells)

    def as_json(self) -> str:
        values = {
            "command": self.command,
            "date": _today(),
            "machine": dict(self.machine),
            "cells": [{**asdict(cell), "median": asdict(cell.median) if cell.median else None} for cell in self.cells],
            "expectations": [asdict(verdict) for verdict in self.verdicts],
        }
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n"

    def as_markdown(self) -> str:
        parts = [f"## {_TITLES[edge]}\n\n{self._edge(edge)}" for edge in EDGES if self._cells_at(edge)]
        parts += [_LEGEND, f"## Expected and measured\n\n{_verdicts(self.verdicts)}", _RATIOS]
        failures = [f"- {cell.name}, {cell.case}: {cell.failure}" for cell in self.cells if cell.failure]
        if failures:
            parts.append("## Failed\n\n" + "\n".join(failures))
        return "\n\n".join(parts) + "\n"

    def as_file(self) -> str:
        """The content of PROXY.md."""
        machine = "".join(f"- {name}: {value}\n" for name, value in self.machine.items())
        head = f"# Requests through the proxy\n\n`{self.command}`, {_today()}\n\n{machine}"
        return f"{head}\n![Requests a second, 100-byte answers](../docs/images/requests.svg)\n\n{self.as_markdown()}"

    def as_section(self) -> str:
        """The section of PROXY.md about what hangs on few percent, its heading included."""
        machine = "".join(f"- {name}: {value}\n" for name, value in self.machine.items())
        measured = [verdict for verdict in self.verdicts if verdict.met is not None]
        tables = "\n\n".join(f"Edge {edge}:\n\n{self._edge(edge)}" for edge in EDGES)
        return f"{CLOSE}\n\n`{self.command}`, {_today()}\n\n{machine}\n{tables}\n\n{_verdicts(measured)}\n"

    def _cells_at(self, edge: str) -> list[Cell]:
        return [cell for cell in self.cells if cell.case.edge == edge]

    def _edge(self, edge: str) -> str:
        own = {cell.case: cell.median.rate for cell in self._cells_at(edge) if cell.name == GATEWAY and cell.median}
        return table(_HEAD, (_row(cell, own.get(cell.case)) for cell in self._cells_at(edge)))


def _verdicts(verdicts: Iterable[Verdict]) -> str:
    words = {True: "met", False: "NOT MET", None: "-"}
    rows = [[verdict.expected, verdict.measured, words[verdict.met]] for verdict in verdicts]
    return table(["expected", "measured", ""], rows)


def with_section(report: str, section: str) -> str:
    """The report with this section in the place of the one that has its heading, else at its end."""
    if not section:
        return report
    heading = section.partition("\n")[0]
    before, found, after = report.partition(f"\n{heading}\n")
    rest = after[after.index("\n## ") :] if found and "\n## " in after else ""
    return before.rstrip("\n") + "\n\n" + section.rstrip("\n") + "\n" + rest


def section_of(report: str, heading: str) -> str:
    """The section of a report, its heading included. Empty where there is none."""
    _, found, after = report.partition(f"\n{heading}\n")
    return f"{heading}\n{after.partition(f'{chr(10)}## ')[0]}" if found else ""


def _row(cell: Cell, own: float | None) -> list[str]:
    size = f"{cell.case.size} B" if cell.case.size < 1000 else f"{cell.case.size // 1000} kB"
    head = [f"{size}, platform by http" if cell.case.plain else size, cell.case.connections, cell.name]
    result = cell.median
    if result is None:
        return [*head, "failed", *["-"] * (len(_HEAD) - 4)]
    direct = cell.name == DIRECT
    disturbed = not direct and result.proxy_core - result.proxy_share > _DISTURBED
    return [
        *head,
        f"{result.rate:,.0f}" + (" ?" if disturbed else ""),
        f"{own / result.rate:.2f}" if own and cell.name != GATEWAY else "-",
        f"{result.p50:.2f} ms",
        f"{result.p99:.2f} ms",
        "-" if direct else f"{result.cpu:.3f}",
        f"{result.handshakes:,.1f}",
        "-" if direct else f"{result.proxy_share:.0%}",
        f"{result.proxy_core:.0%}" + (" (client)" if direct else ""),
        f"{result.other_core:.0%}",
    ]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"
