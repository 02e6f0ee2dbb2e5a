"""What was found from outside, told so that an operator can act on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["passed", "failed", "warning", "skipped"]


@dataclass(frozen=True)
class Finding:
    """One check. A failure has a reason and the next step (`remedy`); `days` are a certificate's."""

    check: str
    subject: str
    outcome: Outcome
    reason: str = ""
    remedy: str = ""
    days: int | None = None

    def __str__(self) -> str:
        said = "; ".join(part for part in (self.reason, self.remedy) if part)
        return f"{self.check}: {self.subject}" + (f": {said}" if said else "")


@dataclass(frozen=True)
class Result:
    """All findings of one site at one of its public addresses, or of one host's egress.

    `hosts` are the inventory's names of those that serve it, `address` is "" where none is known.
    """

    name: str
    hosts: tuple[str, ...]
    address: str
    findings: tuple[Finding, ...]

    def count(self, outcome: Outcome) -> int:
        return sum(one.outcome == outcome for one in self.findings)

    @property
    def outcome(self) -> Outcome:
        """The worst of them; what could not be checked is worse than nothing only where nothing was."""
        ranks: tuple[Outcome, ...] = ("failed", "warning", "passed")
        return next((rank for rank in ranks if self.count(rank)), "skipped")

    @property
    def certificate_days(self) -> int | None:
        """Of the certificate that expires first."""
        return min((one.days for one in self.findings if one.days is not None), default=None)
