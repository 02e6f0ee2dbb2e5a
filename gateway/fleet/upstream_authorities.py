"""The authorities by which upstreams are known, read from the checkout."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gateway.certificates import ca_file
from gateway.inventory.site import Site
from gateway.problems import Problem


def read(host_name: str, sites: Iterable[Site], checkout: Path) -> tuple[dict[str, bytes], list[Problem]]:
    """The files that the routes of a host's sites name as `ca`, by their paths, and what is wrong with them."""
    found: dict[str, bytes] = {}
    problems: list[Problem] = []
    for site in sites:
        for path in dict.fromkeys(route.upstream.ca for route in site.routes):
            if not path or path in found:
                continue
            field = "bk.ca" if site.follows_from_bk else f'platforms["{site.platform}"].routes'
            try:
                found[path] = ca_file.read(checkout / path, path)
            except ValueError as error:
                problems.append(Problem(host_name, site.domain, field, str(error)))
    return found, problems
