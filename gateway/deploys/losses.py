"""What a deploy would take away that a host serves today, and why it is refused unless that is meant. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pyinfra.api.host import HostData

SITES, VERIFICATION, CERTIFICATES = "allow_site_removal", "allow_verify_removal", "allow_older_certificate"
VERSION = "allow_older_version"

# Host data that allows one kind of loss each; given with `--data`, for one deploy.
OPTIONS = (SITES, VERIFICATION, CERTIFICATES, VERSION)


@dataclass(frozen=True)
class Losses:
    """What a deploy would take away.

    `sites` are domains. `verification` are verification files of sites that stay, as `<domain>/<name>`. `certificates`
    are those that would be replaced by one that ends earlier: by domain the end of the one in force, and of the other.
    `elsewhere` are those of the sites that other entries of the inventory have, by entry. `replaced` are names that no
    site has, of servers whose files the sites take the place of, with the file. `newer` is the version of the product
    that made the release in force where this one is older, and `own` this one's.
    """

    sites: tuple[str, ...] = ()
    # the id of the release in force where nothing of it can be read, else empty
    unread: str = ""
    verification: tuple[str, ...] = ()
    certificates: Mapping[str, tuple[datetime, datetime]] = field(default_factory=dict)
    elsewhere: Mapping[str, Collection[str]] = field(default_factory=dict)
    replaced: Mapping[str, str] = field(default_factory=dict)
    newer: str = ""
    own: str = ""

    def refusals(self, allowed: Collection[str]) -> list[str]:
        """A sentence for each kind of loss that is not among the `allowed` options."""
        texts = [
            (SITES, self._sites()),
            (SITES, self._names()),
            (VERIFICATION, self._verification()),
            (CERTIFICATES, self._certificates()),
            (VERSION, self._version()),
        ]
        return [text for option, text in texts if text and option not in allowed]

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

    def _names(self) -> str:
        if not self.replaced:
            return ""
        names = ", ".join(f"{name} ({file})" for name, file in sorted(self.replaced.items()))
        return (
            f"files that this entry replaces answer to further names, and nobody would any more: {names}; give each a "
            f"site, or move what is to stay into a file that is not replaced, or confirm with --data {SITES}=1"
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

    def _version(self) -> str:
        if not self.newer:
            return ""
        return (
            f"the release in force was made by wecom-gateway {self.newer}, and this is the older {self.own}, which "
            f"would take back what is new since; bring this one to {self.newer} (in a checkout git pull and make "
            f"setup, else pip install), or confirm with --data {VERSION}=1"
        )


def allowed_options(data: HostData) -> frozenset[str]:
    """Those of OPTIONS that are 1 in a host's data: any other value allows nothing."""
    return frozenset(option for option in OPTIONS if data.get(option) == 1)


def entries_with(domains: Collection[str], entries: Iterable[tuple[str, object]]) -> dict[str, list[str]]:
    """Which of the domains an inventory's entries have, by entry. `entries` are names of hosts with their `sites`."""
    found: dict[str, list[str]] = {}
    for name, sites in entries:
        for site in sites if isinstance(sites, list | tuple) else ():
            # other entries need not be sound
            domain = site.get("domain") if isinstance(site, Mapping) else None
            if isinstance(domain, str) and domain in domains:
                found.setdefault(name, []).append(domain)
    return found
