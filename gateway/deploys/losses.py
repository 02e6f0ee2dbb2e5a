"""What a deploy would take away from a host that serves it today: told, and refused unless it is meant. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pyinfra.api.host import HostData

SITES, VERIFICATION, CERTIFICATES = "allow_site_removal", "allow_verify_removal", "allow_older_certificate"

# Host data that allows one kind of loss each; given with `--data`, for one deploy.
OPTIONS = (SITES, VERIFICATION, CERTIFICATES)


@dataclass(frozen=True)
class Losses:
    """`sites` are domains, `verification` is `<domain>/<name>` of sites that stay. `elsewhere` says by entry which of
    the sites another entry of the inventory has. `certificates` are those that would be followed by one that ends
    earlier: by domain the end of the one in force and of the other."""

    sites: tuple[str, ...] = ()
    # the release in force where nothing of it can be read
    unread: str = ""
    verification: tuple[str, ...] = ()
    certificates: Mapping[str, tuple[datetime, datetime]] = field(default_factory=dict)
    elsewhere: Mapping[str, Collection[str]] = field(default_factory=dict)

    def refused(self, allowed: Collection[str]) -> list[str]:
        """A text for each kind that none of the `allowed` options is for."""
        texts = {SITES: self._sites(), VERIFICATION: self._verification(), CERTIFICATES: self._certificates()}
        return [text for option, text in texts.items() if text and option not in allowed]

    def _sites(self) -> str:
        if self.unread:
            return (
                f"what release {self.unread} serves cannot be read on this host any more, so nobody can say which "
                "sites a deploy would take away; see that the entry has all of them, and "
                f"confirm with --data {SITES}=1"
            )
        if not self.sites:
            return ""
        moved = [
            f"the entry of {entry} has {', '.join(sorted(domains))}: deploy that host first"
            for entry, domains in sorted(self.elsewhere.items())
        ]
        return "; ".join(
            [
                f"a deploy would take away sites that are in force on this host: {', '.join(self.sites)}",
                *moved,
                "look whether this checkout is old, whether ssh_hostname is this host's, and whether the entry has all "
                f"its sites, or confirm with --data {SITES}=1",
            ]
        )

    def _verification(self) -> str:
        if not self.verification:
            return ""
        return (
            f"verification files are deployed but missing in this checkout: {', '.join(self.verification)}. WeCom may "
            "ask for them again at any time: put them back under files/verify/ (git log --diff-filter=D says who "
            f"removed them), or confirm with --data {VERIFICATION}=1"
        )

    def _certificates(self) -> str:
        if not self.certificates:
            return ""
        ends = [
            f"{domain} ({held:%Y-%m-%d} in force, {wanted:%Y-%m-%d} in this checkout)"
            for domain, (held, wanted) in sorted(self.certificates.items())
        ]
        return (
            f"certificates would be replaced by ones that end earlier: {', '.join(ends)}; bring the newer ones into "
            f"files/certs/, or confirm with --data {CERTIFICATES}=1"
        )


def allowed(data: HostData) -> frozenset[str]:
    """The options that a host's data has, each only where it is 1: what else somebody writes allows nothing."""
    return frozenset(option for option in OPTIONS if data.get(option) == 1)


def elsewhere(domains: Collection[str], entries: Iterable[tuple[str, object]]) -> dict[str, list[str]]:
    """Which of the domains other entries of an inventory have; `entries` are names of hosts with their `sites`."""
    found: dict[str, list[str]] = {}
    for name, sites in entries:
        for site in sites if isinstance(sites, list | tuple) else ():
            # other entries need not be sound
            domain = site.get("domain") if isinstance(site, Mapping) else None
            if isinstance(domain, str) and domain in domains:
                found.setdefault(name, []).append(domain)
    return found
