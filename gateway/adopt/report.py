"""What became of each server block, for people and programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from gateway.adopt.directives import Finding

Outcome = Literal["adopted", "different", "left"]


@dataclass(frozen=True)
class BlockReport:
    """A server block: where it stands, its names and ports, and its outcome.

    `domains` are the sites that it became a part of. `findings` are what will be different, or why it is left alone.
    """

    file: str
    line: int
    names: tuple[str, ...]
    ports: tuple[int, ...]
    domains: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def outcome(self) -> Outcome:
        if not self.domains:
            return "left"
        return "different" if self.findings else "adopted"

    def as_data(self) -> dict[str, Any]:
        """For --json."""
        found = [{"file": one.file, "line": one.line, "text": one.text} for one in self.findings]
        return {
            "file": self.file,
            "line": self.line,
            "names": list(self.names),
            "ports": list(self.ports),
            "outcome": self.outcome,
            "domains": list(self.domains),
            "different" if self.domains else "why": found,
        }
