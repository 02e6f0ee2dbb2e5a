"""The certificates that a host got from ACME servers, as its state tells them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Issued:
    """A certificate that a host got. `order` is the Acme.order that it was asked for with, as the host noted it."""

    domain: str
    order: str
    # None where it cannot be read
    not_after: datetime | None


def read_issued(values: Mapping[str, str]) -> tuple[Issued, ...]:
    """The certificates in a host's state, which has a key `order:<domain>` and a key `ends:<domain>` for each."""
    domains = [key.removeprefix("order:") for key in values if key.startswith("order:")]
    return tuple(Issued(name, values[f"order:{name}"], read_date(values.get(f"ends:{name}", ""))) for name in domains)


def read_date(text: str) -> datetime | None:
    """The time that `openssl x509 -enddate` writes as "Nov 21 12:00:00 2027 GMT". None where it is no such text."""
    try:
        return datetime.strptime(text, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
    except ValueError:
        return None
