"""The results of `verify`: a table for the terminal, JSON for programs, and an HTML page that can be sent on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from gateway import product, rendering
from gateway.outside.findings import Result
from gateway.problems import Problem, count


def summary(results: Sequence[Result], problems: Sequence[Problem]) -> str:
    """All results and problems counted, in one line."""
    failed = sum(one.count("failed") for one in results)
    warned = sum(one.count("warning") for one in results)
    checks = sum(len(one.findings) for one in results)
    parts = [f"{count(len(results), 'place')} asked, {count(checks, 'check')}", f"{failed} failed"]
    if warned:
        parts.append(count(warned, "warning"))
    if problems:
        parts.append(f"{count(len(problems), 'problem')} in the inventory")
    return ", ".join(parts)


def outcome_in_words(result: Result) -> str:
    """How many checks failed, or else passed; the last column of the table."""
    failed, skipped = result.count("failed"), result.count("skipped")
    total = len(result.findings) - skipped
    if failed:
        return f"{failed} of {count(total, 'check')} failed"
    parts = [count(total, "check") + " passed"] if total else []
    if result.count("warning"):
        parts = [f"{count(total, 'check')}, {count(result.count('warning'), 'warning')}"]
    if skipped:
        parts.append(f"{skipped} not possible from here")
    return ", ".join(parts)


def table(results: Sequence[Result]) -> list[tuple[str, str, str, str]]:
    """A heading and a row for each result: site, address, days left of its certificate, outcome."""
    rows = [("site", "asked at", "certificate", "")]
    for one in results:
        days = one.certificate_days
        certificate = "-" if days is None else f"{days} days"
        rows.append((one.name, one.address or "-", certificate, outcome_in_words(one)))
    return rows


def not_asked(results: Sequence[Result]) -> dict[tuple[str, str], list[str]]:
    """What could not be checked from here: the sites' names by reason and next step, so that each is told once."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for result in results:
        for one in result.findings:
            if one.outcome == "skipped":
                found.setdefault((one.reason, one.remedy), {})[result.name] = None
    return {why: list(names) for why, names in found.items()}


def as_data(results: Sequence[Result], problems: Sequence[Problem], passed: bool) -> dict[str, Any]:
    """What --json prints."""
    return {
        "passed": passed,
        "results": [
            asdict(one) | {"outcome": one.outcome, "certificate_days": one.certificate_days} for one in results
        ],
        "problems": [asdict(problem) for problem in problems],
    }


def page(results: Sequence[Result], problems: Sequence[Problem], inventory: str, when: datetime) -> str:
    """One self-contained HTML page, failures first."""
    order = {"failed": 0, "warning": 1, "skipped": 2, "passed": 3}
    values = {
        "inventory": inventory,
        "when": f"{when:%Y-%m-%d %H:%M} UTC",
        "summary": summary(results, problems),
        "problems": [str(problem) for problem in problems],
        "results": sorted(results, key=lambda one: order[one.outcome]),
        "findings": lambda one: sorted(one.findings, key=lambda finding: order[finding.outcome]),
        "words": outcome_in_words,
        "product": product.full_name(),
    }
    return rendering.render("verify", "report.html.j2", values)
