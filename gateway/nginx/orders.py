"""The file `orders` of a release: which certificates the host asks ACME servers for, and as whom."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.inventory.site import Site


def orders(sites: Iterable[Site]) -> str:
    """A line for each site with an ACME certificate: its domain and its Acme.order, in the order of domains."""
    return "".join(sorted(f"{site.domain} {site.acme.order}\n" for site in sites if site.acme))
