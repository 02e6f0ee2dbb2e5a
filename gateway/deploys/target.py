"""What one run knows of a host that it deploys to."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from pyinfra import host, state

from gateway import acme
from gateway.deploys.facts import GatewayState, Held, HostState, ReleaseDigest, ReleaseFiles, ReleaseHeld
from gateway.fleet.host import Host
from gateway.nginx import egress, tree
from gateway.nginx import release as releases
from gateway.nginx.build import Build
from gateway.nginx.release import Change, Release
from gateway.nginx.tls_profile import Version

# Before nginx is there and where apt does not say which one it will be: only ever used to foretell that
# there will be a change. What is published is rendered for the nginx that was installed.
_FORETOLD = Build(Version((1, 22, 1)))


class Target:
    """A host, as it is and as the inventory wants it.

    It is read once, so that a run without anything to do is one remote command, and again only after this run
    changed it or began to execute what it had prepared: between those an operator may have thought for an hour.
    """

    def __init__(self, wanted: Host) -> None:
        self.host = wanted
        self._read: tuple[bool, HostState] | None = None
        self._held: Held | None = None
        # nginx's group as it was first seen
        self._group: tuple[str | None] | None = None
        self._changes: list[Change] | None = None
        # Rendered once for each nginx, however often it is asked for.
        self._release = cache(lambda build: releases.build(tree.tree(wanted, build)))

    def state(self) -> HostState:
        """The host as it is."""
        if self._read is None or self._read[0] != state.is_executing:
            self.changing()
            self._read = (state.is_executing, host.get_fact(GatewayState))
        return self._read[1]

    def held(self) -> Held:
        """The release that goes before the wanted one."""
        before = self.state().in_place
        if self._held is None:
            self._held = host.get_fact(ReleaseHeld, release=before) if before else Held()
        return self._held

    def changes(self) -> list[Change]:
        """What stands between what is in force on the host and the wanted release, by path.

        Of the same release that is what was changed by hand; of another one, what the inventory changed.
        """
        known, wanted = self.state(), self.wanted()
        if self._changes is None:
            if known.current != wanted.id:
                self._changes = releases.diff(self.held().sources, wanted.sources())
            elif known.digest == wanted.digest():
                self._changes = []
            else:
                self._changes = releases.diff(host.get_fact(ReleaseFiles, release=wanted.id), wanted.manifest())
        return self._changes

    def missing(self) -> list[str]:
        """Packages that this host needs and that are not there."""
        return missing(self.host, self.state())

    def changing(self) -> None:
        """To be called before anything that changes the host."""
        self._read = self._held = self._changes = None

    def wanted(self) -> Release:
        """The release that the inventory gives for the host's nginx."""
        build = self.state().build or _FORETOLD
        if self._group is None and self.state().installed:
            self._group = (build.group,)
        # programs come and go: what was published for one group is not activated for another
        return self._release(replace(build, group=self._group[0]) if self._group else build)

    def has_orders(self) -> bool:
        """Whether some site's certificate comes from an ACME server."""
        return any(site.acme for site in self.host.sites)

    def due(self) -> list[str]:
        """Domains that a certificate has to be asked for."""
        known = self.state()
        return acme.due(self.host.sites, known.issued, known.failed)

    def is_intact(self) -> bool:
        """Whether the host has that release, every file and mode as it should be."""
        known, wanted = self.state(), self.wanted()
        if known.current == wanted.id:
            return known.digest == wanted.digest()
        held: str = host.get_fact(ReleaseDigest, release=wanted.id)
        return held == wanted.digest()


def missing(host: Host, known: HostState) -> list[str]:
    """Packages that the host needs and that are not there."""
    # A minimal Debian lacks logrotate, and nginx's logs would grow until the disk is full.
    needed = {"nginx", "ca-certificates", "logrotate"}
    if host.egress:
        needed.add(egress.PACKAGE)
    if any(site.acme for site in host.sites):
        needed.add("certbot")
    return [package for package in known.missing if package in needed]
