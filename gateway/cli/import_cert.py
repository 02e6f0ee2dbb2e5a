"""`python -m gateway import-cert`: stores a certificate, as it arrived, in the files that a deploy reads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import click
from pydantic import TypeAdapter, ValidationError

from gateway.certificates import importing, names, passphrase, pem, stored
from gateway.cli import output
from gateway.cli.output import say
from gateway.inventory.values import Domain
from gateway.messages.said import said
from gateway.problems import Problem, printable


@click.command("import-cert")
@click.argument("domain")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--encrypt-to", multiple=True, metavar="age1...", help="Store the key encrypted to this recipient.")
def import_cert(domain: str, files: tuple[Path, ...], encrypt_to: tuple[str, ...]) -> None:
    """Check, order and store the certificate and key for DOMAIN out of FILES, as they arrived.

    FILES are PEM, DER, PKCS #7, PKCS #12 (.pfx) or zip files in any mix. A passphrase is taken from the environment
    variable GATEWAY_KEY_PASSPHRASE. Exit 0 when stored in files/certs/DOMAIN/, 1 when refused and nothing is changed.
    """
    folder = folder_for(domain)
    store(domain, folder, pick(domain, files), encrypt_to)


def folder_for(domain: str) -> Path:
    """Where the certificate of a domain is kept. Says why and exits where the domain is none or files/ is not here."""
    try:
        TypeAdapter(Domain).validate_python(domain)
    except ValidationError as error:
        refuse(domain, "domain", str(error.errors()[0]["ctx"]["error"]))
    if not Path("files").is_dir():
        refuse(domain, "cert", "there is no folder files/ here; run this in the checkout's top folder")
    return Path("files/certs") / domain


def pick(domain: str, files: Sequence[Path]) -> importing.Picked:
    """The pair for the domain out of the files. Says why and exits where there is none to store."""
    try:
        return importing.pick(domain, files, passphrase.from_environment(), datetime.now(UTC))
    except importing.RefusedError as error:
        for source, why in error.ignored:
            say(printable(f"{source}: {why}"), label="ignored", err=True)
        refuse(domain, "cert", *error.reasons)
    except ValueError as error:
        refuse(domain, "cert", str(error))


def store(domain: str, folder: Path, picked: importing.Picked, encrypt_to: Sequence[str]) -> None:
    """Stores the pair and prints what is stored. Says why and exits where it cannot be."""
    before = _stored_expiry(folder)
    try:
        written = stored.write(folder, picked.pair, encrypt_to)
    except ValueError as error:
        refuse(domain, "cert", str(error))
    except OSError as error:
        refuse(domain, "cert", f"{error.filename or folder} cannot be written: {error.strerror}")
    _print_stored(picked, written, datetime.now(UTC))
    for text in picked.warnings:
        _warn(domain, text)
    if before and before > picked.pair.not_after:
        _warn(domain, f"the certificate that this one replaces was valid longer, until {before:%Y-%m-%d}")


def _print_stored(picked: importing.Picked, written: list[Path], now: datetime) -> None:
    encrypted = written[-1].name == stored.PRIVKEY_AGE
    rows = [
        ("stored", str(written[0])),
        ("", f"{written[-1]} ({'encrypted' if encrypted else 'not encrypted, mode 600'})"),
    ]
    rows += [("from" if number == 0 else "", source) for number, source in enumerate(picked.used)]
    rows.append(("names", names.shown_names(picked.chain[0])))
    rows.append(("valid until", f"{picked.pair.not_after:%Y-%m-%d}, {picked.pair.days_left(now)} days left"))
    for number, one in enumerate(picked.chain):
        rows.append(("chain" if number == 0 else "", names.title(one.subject)))
    rows.append(("", f"(issued by {names.title(picked.chain[-1].issuer)})"))
    for number, (source, why) in enumerate(picked.ignored):
        rows.append(("ignored" if number == 0 else "", f"{source}: {why}"))
    import wcwidth  # as in output.py

    for label, text in rows:
        click.echo(f"{click.style(wcwidth.ljust(said(label), 12), bold=True)}{said(printable(text))}")


def _stored_expiry(folder: Path) -> datetime | None:
    """When the certificate in `folder` expires; None where none can be read."""
    try:
        return pem.load_certificates(stored.read_file(folder / stored.FULLCHAIN))[0].not_valid_after_utc
    except ValueError:
        return None


def _warn(domain: str, text: str) -> None:
    say(str(Problem("", domain, "cert", printable(text))), "yellow", "warning", err=True)


def refuse(domain: str, field: str, *reasons: str) -> NoReturn:
    """Says why nothing is done, and exits."""
    output.refuse(*(Problem("", printable(domain), field, text) for text in reasons))
