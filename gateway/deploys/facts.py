"""What pyinfra asks a host, each in one remote command; state, health and held_release read the answers."""

from __future__ import annotations

from datetime import datetime

from pyinfra.api import FactBase, StringCommand

from gateway.deploys import health, held_release, host_log, shell, state
from gateway.deploys.health import Health
from gateway.deploys.held_release import HeldRelease
from gateway.deploys.host_log import HostLog
from gateway.deploys.log_query import Query
from gateway.deploys.state import HostState
from gateway.nginx.layout import Layout
from gateway.nginx.release import Entry


class GatewayState(FactBase[HostState]):
    """The state of the host, with `whole` also the sites of every other nginx, which deploys do not ask for. Not
    readable (HostState.is_readable) where the host does not say."""

    def command(self, whole: bool = False) -> StringCommand:
        return shell.read_state(whole=whole)

    @staticmethod
    def default() -> HostState:
        return HostState()

    def process(self, output: list[str]) -> HostState:
        return state.read(output)


class GatewayHealth(FactBase[Health]):
    """The health of the host whose nginx has these places, empty where it does not say. Deploys do not ask for it: it
    runs `nginx -t`."""

    def command(self, layout: Layout) -> StringCommand:
        return shell.read_health(layout)

    @staticmethod
    def default() -> Health:
        return Health()

    def process(self, output: list[str]) -> Health:
        return health.read(output)


class RequestLog(FactBase[HostLog]):
    """Lines of the host's access log. The host fails where it has none, or none that can be read."""

    def command(self, query: Query) -> StringCommand:
        return shell.read_log(query)

    @staticmethod
    def default() -> HostLog:
        return HostLog()

    def process(self, output: list[str]) -> HostLog:
        return host_log.read(output)


class ReleaseDigest(FactBase[str]):
    """One digest over the files that the host has of a release: Release.digest() where it is intact, else another."""

    def command(self, release: str) -> StringCommand:
        return shell.read_release(release, "digest")

    @staticmethod
    def default() -> str:
        return ""


class ReleaseFiles(FactBase[frozenset[Entry]]):
    """The files that the host has of a release, as they are now; empty where it has none of it."""

    def command(self, release: str) -> StringCommand:
        return shell.read_release(release, "files")

    @staticmethod
    def default() -> frozenset[Entry]:
        return frozenset()

    def process(self, output: list[str]) -> frozenset[Entry]:
        return held_release.read_files(output)


class ReleaseHeld(FactBase[HeldRelease]):
    """A release as the host holds it."""

    def command(self, release: str) -> StringCommand:
        return shell.read_release(release, "held")

    @staticmethod
    def default() -> HeldRelease:
        return HeldRelease()

    def process(self, output: list[str]) -> HeldRelease:
        return held_release.read_held(output)


class CertificateEnds(FactBase[dict[str, datetime]]):
    """When the certificates of a release on the host end, by domain, for the domains of `_stdin` (shell.stdin_lines).
    Those that cannot be read are left out."""

    def command(self, release: str) -> StringCommand:
        return shell.read_parts(release, "ends")

    @staticmethod
    def default() -> dict[str, datetime]:
        return {}

    def process(self, output: list[str]) -> dict[str, datetime]:
        return held_release.read_ends(output)


class ReleaseTexts(FactBase[dict[str, bytes]]):
    """The files of a release on the host at the paths of `_stdin` (shell.stdin_lines). Those that not everybody
    may see are left out by scripts/manifest.sh."""

    def command(self, release: str) -> StringCommand:
        return shell.read_parts(release, "texts")

    @staticmethod
    def default() -> dict[str, bytes]:
        return {}

    def process(self, output: list[str]) -> dict[str, bytes]:
        return held_release.read_texts(output)
