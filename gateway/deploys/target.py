"""A host that is deployed to: as it is, and as the inventory wants it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from pyinfra import host, state
from pyinfra.api.exceptions import PyinfraError

from gateway.deploys import orders
from gateway.deploys.facts import GatewayState, ReleaseDigest, ReleaseFiles, ReleaseHeld
from gateway.deploys.held_release import HeldRelease
from gateway.deploys.state import HostState, missing_packages
from gateway.fleet.host import Host
from gateway.nginx import release as releases
from gateway.nginx import tree
from gateway.nginx.release import Change, Release
from gateway.nginx.trial import LIKELY_BUILD
from gateway.rendering import BrokenTemplateError


class TemplateRefusedError(PyinfraError):
    """A template of the current folder's own fails on a host's sites; the message says which, and what helps."""


class Target:
    """What one run knows of a host that it deploys to.

    The host is asked once, so that a run with nothing to do is one remote command. It is asked again only after this
    run has changed it, and when this run begins to execute what it has prepared: in between an operator may have
    thought about it for an hour.
    """

    def __init__(self, wanted: Host) -> None:
        self.host = wanted
        self._read: tuple[bool, HostState] | None = None
        self._held: HeldRelease | None = None
        # nginx's group as it was first seen, in a tuple because None is one of its values
        self._group: tuple[str | None] | None = None
        self._changes: list[Change] | None = None
        # A release is rendered once for each nginx.
        self._release = cache(lambda build: releases.build(tree.tree(wanted, build)))

    def state(self) -> HostState:
        """The host as it is."""
        if self._read is None or self._read[0] != state.is_executing:
            self.forget()
            known: HostState = host.get_fact(GatewayState)
            self._read = (state.is_executing, known.replacing(self.host.replaces))
        return self._read[1]

    def held(self) -> HeldRelease:
        """The release on the host that the wanted one would follow."""
        before = self.state().in_place
        if self._held is None:
            self._held = host.get_fact(ReleaseHeld, release=before) if before else HeldRelease()
        return self._held

    def changes(self) -> list[Change]:
        """Paths that a deploy would change.

        Where the wanted release is the current one, those are files that were changed by hand on the host.
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

    def missing_packages(self) -> list[str]:
        """Packages that the host needs and that are not there."""
        return missing_packages(self.host, self.state())

    def forget(self) -> None:
        """Has the host asked anew. To be called before anything that changes it."""
        self._read = self._held = self._changes = None

    def wanted(self) -> Release:
        """The release that the inventory gives for the host's nginx. Raises TemplateRefusedError."""
        # Where there is no nginx yet and apt does not say which one it would install, only a preview is made of the
        # release: what is published is rendered for the nginx that was installed.
        build = self.state().build or LIKELY_BUILD
        if self._group is None and self.state().installed:
            self._group = (build.group,)
        # Whether other programs run in nginx's group may change at any moment, and the release with it: what is
        # activated has to be the one that was published.
        try:
            return self._release(replace(build, group=self._group[0]) if self._group else build)
        except BrokenTemplateError as error:
            raise TemplateRefusedError(str(error)) from error

    def has_orders(self) -> bool:
        """Whether some site's certificate comes from an ACME server."""
        return any(site.acme for site in self.host.sites)

    def due(self) -> list[str]:
        """Domains that a certificate has to be asked for (orders.due)."""
        known = self.state()
        return orders.due(self.host.sites, known.issued, known.failed)

    def is_intact(self) -> bool:
        """Whether the host has the wanted release, with every file and mode as it should be."""
        known, wanted = self.state(), self.wanted()
        if known.current == wanted.id:
            return known.digest == wanted.digest()
        held: str = host.get_fact(ReleaseDigest, release=wanted.id)
        return held == wanted.digest()
