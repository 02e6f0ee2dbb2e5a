"""Every command that runs on a host is built here, and only here.

Quoting contract: the scripts in gateway/scripts are constants without any value in them. Values arrive as
positional parameters, each quoted by pyinfra; they are release ids and digests, never inventory text and
never secrets. Content travels on standard input, which no log, process list or `-vvv` shows.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Literal

from pyinfra.api import QuoteString, StringCommand

from gateway import scripts
from gateway.release import Release

# As in gateway/scripts/common.sh.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _command(name: str, *values: str, stdin: str | None = None) -> StringCommand:
    bits = ["bash", "-c", QuoteString(scripts.text(name)), "wecom-gateway", *map(QuoteString, values)]
    return StringCommand(*bits, _stdin=stdin) if stdin is not None else StringCommand(*bits)


def read_state() -> StringCommand:
    """Prints what gateway.facts.GatewayState reads."""
    return _command("state")


def read_release(release: str, part: Literal["digest", "files", "sources"]) -> StringCommand:
    """Prints what ReleaseDigest, ReleaseFiles or ReleaseSources of gateway.facts reads."""
    return _command("manifest", release, part)


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


def activate(release: str, purpose: Literal["deploy", "rollback"]) -> StringCommand:
    """Tests, switches, reloads and asks the running nginx; undoes all of it unless the answer is right."""
    return _command("activate", release, purpose)
