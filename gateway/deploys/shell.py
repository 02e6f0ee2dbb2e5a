"""Every command that runs on a host is built here, and only here.

Quoting contract: the scripts in gateway/onhost/scripts are constants without any value in them; where a host has its
nginx stands before them, quoted. Values arrive as positional parameters, each quoted by pyinfra; they are release
ids, digests, the product's version, what gateway.deploys.origin says of the checkout and what
gateway.deploys.log_query has checked, in characters without a meaning to a shell; never inventory text and never
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

from gateway.deploys.log_query import Query
from gateway.deploys.origin import Origin
from gateway.nginx.layout import Layout
from gateway.nginx.release import Release
from gateway.onhost import scripts


class Shown(StringCommand):
    """A command that may take long: what the host prints is shown at once, not only where it fails or `-v` asks for
    it."""

    def execute(self, state: State, host: Host, connector_arguments: ConnectorArguments) -> tuple[bool, CommandOutput]:
        connector_arguments.update(self.connector_arguments)
        done, output = host.run_shell_command(
            self, print_output=True, print_input=state.print_input, **connector_arguments
        )
        # pyinfra would show the output of a failure a second time.
        return done, output if done else CommandOutput([])


_DEBIANS = Layout()


def _words(name: str, *values: str, layout: Layout = _DEBIANS) -> list[str | QuoteString]:
    script = scripts.text(name, layout.for_scripts())
    return ["bash", "-c", QuoteString(script), "wecom-gateway", *map(QuoteString, values)]


def _command(name: str, *values: str, layout: Layout = _DEBIANS, stdin: str | None = None) -> StringCommand:
    bits = _words(name, *values, layout=layout)
    return StringCommand(*bits, _stdin=stdin) if stdin is not None else StringCommand(*bits)


def read_state(*, whole: bool = False) -> StringCommand:
    """Prints what gateway.deploys.state reads; with `whole` also the sites of every other nginx."""
    return _command("state", *(["whole"] if whole else []))


def read_health(layout: Layout) -> StringCommand:
    """Prints what gateway.deploys.health reads."""
    return _command("health", layout=layout)


def read_log(query: Query) -> StringCommand:
    """Prints the lines of the access log that gateway.deploys.host_log reads."""
    since = str(int(query.since.timestamp())) if query.since else "0"
    return _command("logs", query.request_id or "-", query.site or "-", query.status or "-", since, str(query.lines))


def read_release(release: str, part: Literal["digest", "files", "held"]) -> StringCommand:
    """Prints a part of a release: what ReleaseDigest, ReleaseFiles or ReleaseHeld of gateway.deploys.facts reads."""
    return _command("manifest", release, part)


def read_parts(release: str, part: Literal["ends", "texts"]) -> StringCommand:
    """Prints what CertificateEnds or ReleaseTexts of gateway.deploys.facts reads, for the names on standard input."""
    return _command("manifest", release, part)


def read_handwritten(part: Literal["configuration", "files", "names"], layout: Layout = _DEBIANS) -> StringCommand:
    """Prints a part of what a hand-written nginx has, for gateway.deploys.handwritten; files and names for the paths on
    standard input."""
    return _command("handwritten", part, layout=layout)


def stdin_lines(values: Iterable[str]) -> str:
    """Names as a fact's `_stdin`, a line each. pyinfra ignores the `_stdin` of the command that a fact returns."""
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


def obtain(secrets: Mapping[str, str], layout: Layout) -> Shown:
    """Has the certificates issued that the release in force has orders for; `secrets` are by ACME account."""
    stdin = "".join(f"{account} {secret}\n" for account, secret in secrets.items())
    return Shown(*_words("obtain", layout=layout), _stdin=stdin)


def activate(release: str, entry: str, origin: Origin, version: str, layout: Layout) -> StringCommand:
    """Tests, switches, reloads and asks the running nginx; undoes all of it unless the answer is right.

    `entry` is the link by which nginx's own configuration includes the release, one of layout.entries, or its main
    file. `version` is the product's.
    """
    return _command("activate", release, "deploy", entry, origin.line(), version, layout=layout)


def reactivate(release: str, entry: str, layout: Layout) -> StringCommand:
    """The same as activate with an earlier release, which keeps its place in the history."""
    return _command("activate", release, "rollback", entry, layout=layout)


def open_ports(ports: Iterable[int]) -> StringCommand:
    """Has firewalld let in these TCP ports, now and after a reboot."""
    return _command("open_ports", *map(str, ports))


def withdraw(layout: Layout, purpose: Literal["deploy", "rollback"]) -> StringCommand:
    """Takes the gateway out of nginx's configuration and proves that the running nginx serves it no longer. A rollback
    leaves no release to go back to."""
    return _command("withdraw", purpose, layout=layout)


def hold_back_nginx() -> StringCommand:
    """To be run before nginx is installed: keeps it from starting until a release is in force, whatever happens."""
    return _command("hold_back")


def settle_nginx() -> StringCommand:
    """To be run after nginx was installed: stops and disables it."""
    return _command("settle_nginx")


def settle_mtail() -> StringCommand:
    """To be run after mtail was installed: disables the package's own unit."""
    return _command("settle_mtail")
