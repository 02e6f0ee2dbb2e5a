"""The report: Markdown for people, JSON for machines."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from bench import ansible
from bench.expectations import COMPARED_SITES, GATEWAY, Verdict, judge
from bench.measure import Result, State

_STATES: tuple[State, ...] = ("bare", "unchanged", "changed")
_HEADS = ("from bare", "unchanged", "one site changed")


@dataclass(frozen=True)
class Report:
    """Everything that was measured, and on what."""

    command: str
    machine: dict[str, str]
    scale: Sequence[Result]
    compare: Sequence[Result]
    not_run: Sequence[tuple[str, int, float]]  # tool, sites, seconds for each further site, unchanged
    failures: Sequence[str]

    @property
    def verdicts(self) -> list[Verdict]:
        return judge([*self.scale, *self.compare])

    def as_json(self) -> str:
        values = {
            "command": self.command,
            "date": _today(),
            "machine": self.machine,
            "scale": [asdict(result) for result in self.scale],
            "compare": [asdict(result) for result in self.compare],
            "failures": list(self.failures),
            "expectations": [asdict(verdict) for verdict in self.verdicts],
        }
        return json.dumps(values, indent=2) + "\n"

    def as_markdown(self) -> str:
        """The tables; a cell is wall seconds and, after the slash, remote commands."""
        parts = []
        if self.scale:
            parts.append("## One host, more and more sites\n\n" + self._scale_table())
        if self.compare:
            parts.append(f"## {COMPARED_SITES} sites, side by side\n\n" + self._compare_table())
        parts.append("## Expected and measured\n\n" + self._verdict_table())
        if self.failures:
            parts.append("## Failed\n\n" + "\n\n".join(f"```\n{failure}\n```" for failure in self.failures))
        parts.append(
            "A cell is wall seconds / remote commands (SSH sessions that the host's own sshd counted). "
            "nginx is installed in every state; bare is bare but for that. "
            "`≈`: not run with so many sites, reckoned along the line through two smaller numbers."
        )
        return "\n\n".join(parts) + "\n"

    def as_file(self) -> str:
        """The content of RESULTS.md."""
        machine = "".join(f"- {name}: {value}\n" for name, value in self.machine.items())
        head = f"# Results\n\n`{self.command}`, {_today()}\n\n{machine}"
        return f"{head}\n{self.as_markdown()}"

    def _scale_table(self) -> str:
        rows = [[tool, f"{sites:,}", *cells] for (tool, sites), cells in _by_row(self.scale).items()]
        for tool, sites, each in self.not_run:
            rows.append([tool, f"{sites:,}", "not measured", f"not measured ({each:.2f} s a site)", "not measured"])
        return _table(["", "sites", *_HEADS], rows)

    def _compare_table(self) -> str:
        own = {result.state: result.seconds for result in self.compare if result.tool == GATEWAY}
        times = {result.tool: _times(result, own) for result in self.compare if result.state == "unchanged"}
        sources = {result.tool: _source(result) for result in self.compare}
        rows = [[tool, sources[tool], *cells, times[tool]] for (tool, _), cells in _by_row(self.compare).items()]
        return _table(["", "run with", *_HEADS, "unchanged, times ours"], rows)

    def _verdict_table(self) -> str:
        words = {True: "met", False: "NOT MET", None: "-"}
        rows = [[verdict.expected, verdict.measured, words[verdict.met]] for verdict in self.verdicts]
        return _table(["expected", "measured", ""], rows)


def machine(host_versions: dict[str, str], load: float) -> dict[str, str]:
    """Facts about this machine. `load` is its load average before the benchmark began."""
    return {
        "cores": f"{os.cpu_count()}, shared by the tool and the host; load {load:.1f} when it began",
        "Python": platform.python_version(),
        "pyinfra": version("pyinfra"),
        **ansible.versions(),
        "host's Debian": host_versions["debian"],
        "host's nginx": host_versions["nginx"],
        "network": "a bridge on the same machine, so no round trips to speak of",
    }


def _by_row(results: Iterable[Result]) -> dict[tuple[str, int], list[str]]:
    cells: dict[tuple[str, int], dict[State, str]] = {}
    for result in results:
        about = "≈ " if result.reckoned_from else ""
        text = f"{about}{_seconds(result.seconds)} / {result.sessions:,}"
        cells.setdefault((result.tool, result.sites), {})[result.state] = text
    return {key: [row.get(state, "-") for state in _STATES] for key, row in cells.items()}


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value < 10 else f"{value:,.0f} s"


def _times(result: Result, own: dict[State, float]) -> str:
    return f"{result.seconds / own[result.state]:.0f}" if result.state in own else "-"


def _source(result: Result) -> str:
    if result.reckoned_from:
        return " and ".join(map(str, result.reckoned_from)) + " sites"
    return f"{result.sites} sites"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"
