"""The certificates of load balancers, read from outside: neither the checkout nor a host holds them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from gevent.pool import Pool

from gateway.outside import places
from gateway.outside.probe import EXPIRED, Client, Door, Unanswered

# Names that are asked at the same time; each has one connection open, and the client bounds its time.
_PARALLEL = 50
_PORT = 443


def days_left(domains: Iterable[str]) -> dict[str, int]:
    """Days left of the certificate that each domain shows on 443, negative when it has expired.

    Domains where no certificate can be read are left out.
    """
    names = sorted(set(domains))
    if not names:
        return {}  # reading what certificates to believe takes a third of a second
    client = Client()
    found = zip(names, Pool(_PARALLEL).imap(lambda name: _days(name, client), names), strict=True)
    return {name: days for name, days in found if days is not None}


def _days(domain: str, client: Client) -> int | None:
    try:
        seen = client.greet(Door(places.lookup(domain)[0], _PORT, True), domain)
    except Unanswered as error:
        return -1 if error.code == EXPIRED else None
    except OSError:
        return None
    if seen is None or seen.not_after is None:
        return None
    return (datetime.fromtimestamp(seen.not_after, UTC) - datetime.now(UTC)).days
