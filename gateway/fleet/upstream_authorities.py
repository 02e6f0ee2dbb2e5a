"""The authorities by which upstreams are known, read from the checkout."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from gateway.certificates import ca_file, pem
from gateway.certificates.chain import self_issued
from gateway.inventory.site import Site
from gateway.problems import Problem


def read(host_name: str, sites: Iterable[Site], checkout: Path) -> tuple[dict[str, bytes], list[Problem]]:
    """The files that the routes of a host's sites name as `ca`, by their paths, and what is wrong with them.

    A file that no server can be verified with today is a warning, once for each file.
    """
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
                continue
            if text := _proves_nothing(found[path]):
                problems.append(Problem(host_name, site.domain, field, f"{path} {text}", "warning"))
    return found, problems


def _proves_nothing(body: bytes) -> str:
    """Why no server is verified with these certificates, and what would be right; "" where one may be."""
    # nginx follows a server's chain to its end and looks for that here: an intermediate alone does not do
    ends = [one for one in pem.load_certificates(body) if self_issued(one)]
    if not ends:
        return (
            "holds no certificate that signs itself, so that no server is verified with it and visitors get 502; put "
            "the certificate of the authority's root there, or, of a server that signs for itself, that very one"
        )
    last = max(one.not_valid_after_utc for one in ends)
    if last <= datetime.now(UTC):
        return f"expired on {last:%Y-%m-%d}, so that visitors get 502; put the authority's present certificate there"
    return ""
