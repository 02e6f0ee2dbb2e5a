"""`python -m gateway add`: a school's entry in the inventory, its folders and files, and what `check` says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gateway import whole_file
from gateway.checkout import verify_files
from gateway.checkout.verify_files import VerifyFile
from gateway.cli import import_cert
from gateway.cli.check import check
from gateway.cli.output import refuse, say, stop
from gateway.fleet import inventory_file, loading
from gateway.problems import errors

# Options with as many values as stand behind them.
_LISTS = ("--slb-cidr", "--bk-app", "--verify", "--cert", "--encrypt-to")


class _WithLists(click.Command):
    """Takes `--cert a.pem b.key` as `--cert a.pem --cert b.key`: what follows such an option is its own, up to the next
    option, so that a shell's `*` stands for every file of a folder."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        spread: list[str] = []
        option = ""
        for before, word in zip(["", *args], args, strict=False):
            if word.startswith("-"):
                option = word if word in _LISTS else ""
            elif option and before != option:
                spread.append(option)
            spread.append(word)
        return super().parse_args(ctx, spread)


@click.command(cls=_WithLists)
@click.argument("domain")
@click.option(
    "--host", required=True, metavar="ADDRESS", help="The host that serves it, one of the inventory's or new."
)
@click.option(
    "--edge",
    required=True,
    metavar="EDGE",
    type=click.Choice(["slb", "tls"]),
    help="`slb` behind a load balancer that ends TLS, `tls` where nginx does.",
)
@click.option("--platform", default="", metavar="NAME", help="The platform. Left out: the one of the host's list.")
@click.option("--inventory", default="inventory/prod.py", metavar="FILE", help="Default inventory/prod.py.")
@click.option("--slb-cidr", multiple=True, metavar="NETWORK...", help="Networks that the load balancer connects from.")
@click.option("--bk-upstream", default="", metavar="URL", help="BlueKing only: the inner platform.")
@click.option("--bk-app", multiple=True, metavar="APP...", help="BlueKing only: the apps to publish.")
@click.option(
    "--verify", multiple=True, metavar="FILE...", type=click.Path(path_type=Path), help="Its verification files."
)
@click.option(
    "--cert", multiple=True, metavar="FILE...", type=click.Path(path_type=Path), help="What import-cert would take."
)
@click.option("--encrypt-to", multiple=True, metavar="age1...", help="Store the key encrypted to these recipients.")
@click.pass_context
def add(
    context: click.Context,
    domain: str,
    host: str,
    edge: str,
    platform: str,
    inventory: str,
    slb_cidr: tuple[str, ...],
    bk_upstream: str,
    bk_app: tuple[str, ...],
    verify: tuple[Path, ...],
    cert: tuple[Path, ...],
    encrypt_to: tuple[str, ...],
) -> None:
    """Write the entry for DOMAIN into an inventory, put its files in place, and check it, offline.

    The entry is written as those beside it are; nothing else in the file changes. What could not be deployed is
    refused, and so is a file whose lists are made by code. A certificate may follow: check misses it, the entry stays.

    Exit 0 when check finds nothing but warnings, 1 when it finds errors or nothing was added.
    """
    # It takes a third of a second, which no other command is to wait for.
    from gateway.editing import addition

    certificates = import_cert.folder_for(domain)
    if cert and edge == "slb":
        text = 'edge "slb": the load balancer holds the certificate; bring it there, or set --edge tls'
        import_cert.refuse(domain, "--cert", text)
    entry: dict[str, Any] = {"domain": domain, "edge": edge}
    if slb_cidr:
        entry["slb_cidrs"] = list(slb_cidr)
    if bk_upstream or bk_app:
        entry["bk"] = {"upstream": bk_upstream, "apps": list(bk_app)}
    folder = Path("files/verify") / domain
    handed = [_verification_file(domain, path, folder) for path in verify]
    picked = import_cert.pick(domain, cert) if cert else None
    path = _inventory_file(inventory)
    try:
        loaded, problems = loading.read_inventory(inventory)
        # those of other hosts are theirs
        if wrong := [one for one in errors(problems) if not one.host]:
            refuse(*wrong)
        planned = addition.plan(addition.NewSite(host, entry, platform), path, loaded, Path("files"))
        with whole_file.replaced(path, planned.text):
            # What may still refuse comes first.
            if picked:
                import_cert.store(domain, certificates, picked, encrypt_to)
            elif edge == "tls":
                certificates.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(parents=True, exist_ok=True)
            for one in handed:
                (folder / one.name).write_bytes(one.body)
                say(f"{folder / one.name}{f': {one.notice}' if one.notice else ''}")
    except loading.InventoryError as error:
        stop(str(error), False)
    except addition.NotAddedError as error:
        refuse(*error.reasons)
    except OSError as error:
        stop(f"{error.filename or path} cannot be written: {error.strerror}", False)
    say(f"{inventory}: {domain} was {planned.where}")
    context.invoke(check, inventory=inventory, limit=(planned.host,), as_json=False)


def _inventory_file(inventory: str) -> Path:
    """Says why and exits where the inventory is no file that could be written into."""
    if wrong := inventory_file.wrong_name(inventory):
        stop(f"{inventory}: {wrong}", False)
    path = Path(inventory)
    if not path.is_file() or path.suffix != ".py":
        stop(f"{inventory}: is no Python file; name one, for example inventory/prod.py", False)
    return path


def _verification_file(domain: str, path: Path, folder: Path) -> VerifyFile:
    """The file as it will be served. Says why and exits where it cannot be."""
    try:
        found = verify_files.read(path.name, verify_files.content(path, path.parent))
    except ValueError as error:
        import_cert.refuse(domain, str(path), str(error))
    except OSError as error:
        import_cert.refuse(domain, str(path), f"cannot be read: {error.strerror}; name the file that you downloaded")
    there = folder / found.name
    if there.exists() and there.read_bytes() != found.body:
        import_cert.refuse(domain, str(path), f"{there} is there with other content; remove the one that is wrong")
    return found
