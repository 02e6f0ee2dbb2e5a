"""Every command that runs on a host is built here, and only here.

Quoting contract: the scripts in gateway/onhost/scripts are constants without any value in them. Values arrive as
positional parameters, each quoted by pyinfra; they are release ids, digests, the product's version and what
gateway.deploys.origin says of the checkout, in characters without a meaning to a shell; never inventory text and never
secrets. Content travels on standard input, which no log, process list or `-vvv` shows.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from typing import Literal

from pyinfra.api import Host, QuoteString, State, StringCommand
from pyinfra.api.arguments import ConnectorArguments
from pyinfra.connectors.util import CommandOutput

from gateway.deploys.origin import Origin
from gateway.nginx.release import Release
from gateway.onhost import scripts

# As in gateway/onhost/scripts/common.sh.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Shown(StringCommand):
    """A command that may take long: every line is shown as soon as the host says it, not only where it fails or `-v`
    asks for it."""

    def execute(self, state: State, host: Host, connector_arguments: ConnectorArguments) -> tuple[bool, CommandOutput]:
        connector_arguments.update(self.connector_arguments)
        done, output = host.run_shell_command(
            self, print_output=True, print_input=state.print_input, **connector_arguments
        )
        # What is handed back of a failure would be shown a second time.
        return done, output if done else CommandOutput([])


def _bits(name: str, *values: str) -> list[str | QuoteString]:
    return ["bash", "-c", QuoteString(scripts.text(name)), "wecom-gateway", *map(QuoteString, values)]


def _command(name: str, *values: str, stdin: str | None = None) -> StringCommand:
    bits = _bits(name, *values)
    return StringCommand(*bits, _stdin=stdin) if stdin is not None else StringCommand(*bits)


def read_state() -> StringCommand:
    """Prints what gateway.deploys.facts.GatewayState reads."""
    return _command("state")


def read_health() -> StringCommand:
    """Prints what gateway.deploys.health reads."""
    return _command("health")


def read_release(release: str, part: Literal["digest", "files", "held"]) -> StringCommand:
    """Prints what ReleaseDigest, ReleaseFiles or ReleaseHeld of gateway.deploys.facts reads."""
    return _command("manifest", release, part)


def read_parts(release: str, part: Literal["ends", "texts"]) -> StringCommand:
    """Prints what CertificateEnds or ReleaseTexts of gateway.deploys.facts reads, of the names on standard input."""
    return _command("manifest", release, part)


def names(values: Iterable[str]) -> str:
    """A fact's `_stdin`: pyinfra passes over that of a fact's command."""
    return "".join(f"{value}\n" for value in values)


def publish(release: Release) -> StringCommand:
    """Uploads the release in the same command that unpacks it: no file under a guessable name in between."""
    archive = release.archive()
    return _command(
        "publish",
        release.id,
        hashlib.sha256(archive).hexdigest(),
        stdin=base64.b64encode(archive).decode("ascii"),
    )


def obtain(secrets: Mapping[str, str]) -> Shown:
    """Asks for the certificates that the release in force has orders for; secrets are by ACME account."""
    stdin = "".join(f"{account} {secret}\n" for account, secret in secrets.items())
    return Shown(*_bits("obtain"), _stdin=stdin)


def activate(release: str, entry: str, origin: Origin, version: str) -> StringCommand:
    """Tests, switches, reloads and asks the running nginx; undoes all of it unless the answer is right.

    `entry` is one of neighbours.ENTRIES, the link by which nginx's own configuration includes the release. `version` is
    the product's.
    """
    return _command("activate", release, "deploy", entry, origin.line(), version)


def reactivate(release: str, entry: str) -> StringCommand:
    """The same with an earlier release, which stays in its place in the history."""
    return _command("activate", release, "rollback", entry)


def hold_back_nginx() -> StringCommand:
    """Before nginx is installed: it does not start before a release is in force, whatever happens."""
    return _command("hold_back")


def settle_nginx() -> StringCommand:
    """After it was installed: nginx is neither running nor enabled."""
    return _command("settle_nginx")
