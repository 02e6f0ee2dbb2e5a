"""What was found from outside, told so that an operator can act on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Outcome = Literal["passed", "failed", "warning", "skipped"]


class Fault(NamedTuple):
    """What is wrong with an answer, and the next step."""

    reason: str
    remedy: str


class Refusal(Fault):
    """An answer that may be right for who asked, so that nothing is known of what it was to show."""


class Expected(Refusal):
    """A refusal that the inventory, or a file beside it, asks for: nobody has to look."""


class Doubt(Fault):
    """An answer that may be right, and is worth a look."""


@dataclass(frozen=True)
class Finding:
    """The outcome of one check of `subject`, a URL or a name.

    A failure or warning has a reason and the next step (`remedy`). `days` are those left of a certificate.
    `expected` says of a skipped one that the inventory, or a file beside it, has the answer be as it is.
    """

    check: str
    subject: str
    outcome: Outcome
    reason: str = ""
    remedy: str = ""
    days: int | None = None
    expected: bool = False

    def __str__(self) -> str:
        said = "; ".join(part for part in (self.reason, self.remedy) if part)
        return f"{self.check}: {self.subject}" + (f": {said}" if said else "")


@dataclass(frozen=True)
class Result:
    """All findings of one site at one of its public addresses, or of one host's egress.

    `hosts` are the names, in the inventory, of the hosts that serve it; `address` is "" where none is known.
    """

    name: str
    hosts: tuple[str, ...]
    address: str
    findings: tuple[Finding, ...]

    def count(self, outcome: Outcome) -> int:
        return sum(one.outcome == outcome for one in self.findings)

    @property
    def outcome(self) -> Outcome:
        """The worst of the findings; "skipped" only where nothing could be checked."""
        ranks: tuple[Outcome, ...] = ("failed", "warning", "passed")
        return next((rank for rank in ranks if self.count(rank)), "skipped")

    @property
    def certificate_days(self) -> int | None:
        """Days left of the certificate that expires first; None where no certificate was seen."""
        return min((one.days for one in self.findings if one.days is not None), default=None)
