"""Certificates and keys of a hand-written configuration, judged as `import-cert` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.adopt.source import Source
from gateway.certificates import importing, passphrase
from gateway.certificates.keys import KeyPair

# A key of a device, as nginx names it.
_NO_FILE = ("engine:", "store:")
_RENEWED = ("/etc/letsencrypt/", "/.acme.sh/")


@dataclass(frozen=True)
class Taken:
    """The pair for a domain; without one `why` says the reason. `others` is True where it is for other names alone."""

    pair: KeyPair | None
    why: str = ""
    others: bool = False
    told: tuple[str, ...] = ()


def take(domain: str, paths: Sequence[str], source: Source) -> Taken:
    """The pair in the files that a server block names."""
    right = f"python -m gateway import-cert {domain} FILE..."
    if not paths:
        return Taken(None, f"names no certificate; {right}")
    if any(path.startswith("data:") for path in paths):
        return Taken(None, f"a key or certificate stands in the configuration itself; {right}")
    if any(path.startswith(_NO_FILE) for path in paths):
        return Taken(None, f"its key stands in no file; {right}")
    if varies := [path for path in paths if "$" in path]:
        return Taken(None, f"the certificate {varies[0]} depends on a variable; {right}")
    files = {path: source.local(path) for path in dict.fromkeys(paths)}
    if missing := [path for path, local in files.items() if local is None]:
        return Taken(None, f"{' and '.join(missing)} not in the source; {right}")
    # opening a pipe would wait for its writer
    if odd := [path for path, local in files.items() if local and not (local.is_file() or local.is_dir())]:
        return Taken(None, f"{' and '.join(odd)} is no regular file; {right}")
    told = [
        f'{path} is renewed by a program of that host, which does not reach this folder; the entry\'s "cert": '
        '{"acme": ...} has the gateway renew it'
        for path in list(files)[:1]
        if any(mark in path for mark in _RENEWED)
    ]
    try:
        picked = importing.pick(
            domain, [local for local in files.values() if local], passphrase.from_environment(), datetime.now(UTC)
        )
    except importing.RefusedError as error:
        why = "; ".join(error.reasons)
        return Taken(None, f"{why}; {right}", f"not for {domain}" in why)
    return Taken(picked.pair, told=(*told, *picked.warnings))
