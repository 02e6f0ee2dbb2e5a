"""Every command that runs on a host is built here, and only here.

Quoting contract: the scripts in gateway/scripts are constants without any value in them. Values arrive as
positional parameters, each quoted by pyinfra; they are release ids, digests and what gateway.origin says of the
checkout, in characters without a meaning to a shell; never inventory text and never secrets. Content travels on
standard input, which no log, process list or `-vvv` shows.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from typing import Literal

from pyinfra.api import QuoteString, StringCommand

from gateway import scripts
from gateway.origin import Origin
from gateway.release import Release


def _command(name: str, *values: str, stdin: str | None = None) -> StringCommand:
    bits = ["bash", "-c", QuoteString(scripts.text(name)), "wecom-gateway", *map(QuoteString, values)]
    return StringCommand(*bits, _stdin=stdin) if stdin is not None else StringCommand(*bits)


def read_state() -> StringCommand:
    """Prints what gateway.facts.GatewayState reads."""
    return _command("state")


def read_release(release: str, part: Literal["digest", "files", "held"]) -> StringCommand:
    """Prints what ReleaseDigest, ReleaseFiles or ReleaseHeld of gateway.facts reads."""
    return _command("manifest", release, part)


def read_parts(release: str, part: Literal["ends", "texts"]) -> StringCommand:
    """Prints what CertificateEnds or ReleaseTexts of gateway.facts reads, of the names on standard input."""
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


def obtain(secrets: Mapping[str, str]) -> StringCommand:
    """Asks for the certificates that the release in force has orders for; secrets are by ACME account."""
    return _command("obtain", stdin="".join(f"{account} {secret}\n" for account, secret in secrets.items()))


def activate(release: str, origin: Origin) -> StringCommand:
    """Tests, switches, reloads and asks the running nginx; undoes all of it unless the answer is right."""
    return _command("activate", release, "deploy", origin.line())


def reactivate(release: str) -> StringCommand:
    """The same with an earlier release, which stays in its place in the history."""
    return _command("activate", release, "rollback")
