"""The status of hosts as lines for people. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.deploys.drift import HostStatus
from gateway.messages.said import finding
from gateway.onhost.constants import WARN_DAYS
from gateway.problems import count


def table(found: Iterable[HostStatus]) -> list[tuple[str, ...]]:
    """A heading, then a row for each host.

    Columns: name, wanted and published release, the version of the product that published it, running release, days of
    the certificate that ends first, and everything that is to be said of the host.
    """
    rows: list[tuple[str, ...]] = [("host", "wanted", "published", "version", "running", "certificate", "")]
    for one in found:
        days = min(one.certificate_days.values(), default=None)
        certificate = "-" if days is None else f"{days} days" if days >= 0 else "expired"
        releases = (one.wanted or "-", one.published or "-", one.version or "-", one.running or "-")
        rows.append((one.host, *releases, certificate, "; ".join(map(finding, _notes(one)))))
    return rows


def _notes(one: HostStatus) -> list[str]:
    notes = one.findings or ["in sync"]
    soon = {domain: left for domain, left in one.certificate_days.items() if 0 <= left < WARN_DAYS}
    notes += [f"{domain}: certificate expires in {count(left, 'day')}" for domain, left in sorted(soon.items())]
    if one.unresolved:
        notes.append(f"does not resolve there: {', '.join(one.unresolved)}")
    if one.apart:
        notes.append(f"belongs to another site there: {', '.join(one.apart)}")
    notes += [f"{domain}: renewal failed, {why}" for domain, why in one.renewal_failed.items()]
    return [*notes, *one.warnings]


def certificate_lines(found: Iterable[HostStatus]) -> list[str]:
    """A line for each certificate that is known of, the soonest to expire first."""
    rows = sorted((days, one.host, domain) for one in found for domain, days in one.certificate_days.items())
    return [
        f"certificate: {host}: {domain}: {count(days, 'day') + ' left' if days >= 0 else 'expired'}"
        for days, host, domain in rows
    ]
