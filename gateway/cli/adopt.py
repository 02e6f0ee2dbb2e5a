"""`python -m gateway adopt`: makes an inventory of a hand-written nginx, and tells what will be different."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import click
from pydantic import TypeAdapter, ValidationError

from gateway import starter
from gateway.adopt import adopting, fetched, reading, replacing, source, writing
from gateway.adopt.adopting import Adoption
from gateway.adopt.report import BlockReport, Outcome
from gateway.cli.inventory import load_or_stop
from gateway.cli.output import print_json, progress, say, stop
from gateway.deploys import handwritten
from gateway.fleet import host_keys
from gateway.inventory.values import Domain
from gateway.messages.said import said
from gateway.problems import count, errors, printable

# An address for documentation: nobody's.
EXAMPLE = "203.0.113.10"
_WORDS: dict[Outcome, str] = {
    "adopted": "adopted",
    "different": "adopted, with differences",
    "left": "left alone",
}
_COLORS: dict[Outcome, str] = {"adopted": "green", "different": "yellow", "left": "red"}


@click.command()
@click.argument("source_path", metavar="SOURCE", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The new folder to write.")
@click.option("--host", metavar="ADDRESS", help="The address of the host that will serve the sites.")
@click.option(
    "--from", "from_host", metavar="HOST", help="Fetch everything from this host of an inventory, which SOURCE is then."
)
@click.option(
    "--in-place",
    is_flag=True,
    help="The sites stay on their host: a deploy puts the old files aside. So it is with --from, without --host.",
)
@click.option("--domain", "domains", multiple=True, help="The domain of server blocks that name none.")
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    help='What stands for the host\'s "/": "/" on the host itself, or a copy.',
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output on standard output.")
def adopt(
    source_path: Path,
    out: Path,
    host: str | None,
    from_host: str | None,
    in_place: bool,
    domains: tuple[str, ...],
    root: Path | None,
    as_json: bool,
) -> None:
    """Make a folder to deploy from out of a hand-written nginx, and tell of every server block what became of it.

    SOURCE is nginx's folder, a file of it, or what `nginx -T` printed. Verification files, certificates and keys that
    it names are taken along where they are found. Nothing that is there is overwritten.

    Exit 0 when every server block is told of, 1 when nothing could be read or written.
    """
    for domain in domains:
        try:
            TypeAdapter(Domain).validate_python(domain)
        except ValidationError as error:
            stop(f"--domain {printable(domain)}: {error.errors()[0]['ctx']['error']}", as_json)
    if host is not None and not host.startswith("@"):
        for wrong in host_keys.no_address(host):
            stop(f"--host: {wrong}", as_json)
    if root and not root.is_dir():
        stop(f"--root {printable(str(root))}: is no folder; name the one in which the host's files lie", as_json)
    address = host or from_host or EXAMPLE
    try:
        writing.refuse_what_is_there(out)
        with tempfile.TemporaryDirectory(prefix="wecom-gateway-") as folder:
            if from_host:
                files = _fetched(str(source_path), from_host, Path(folder), as_json)
            else:
                files = source.read(source_path, root)
            adoption = adopting.adopt(reading.read(files), files, domains)
        stays = in_place or (from_host is not None and host in (None, from_host))
        replaces, kept = replacing.replaced(adoption.blocks) if stays else ([], [])
        written = writing.write(out, adoption, address, replaces) if adoption.sites else []
    except (source.SourceError, starter.FolderError) as error:
        stop(printable(str(error)), as_json)
    steps = _next_steps(adoption, out, address)
    if as_json:
        print_json(_as_data(adoption, written, steps) | {"replaces": replaces, "kept": [vars(one) for one in kept]})
        return
    for block in adoption.blocks:
        _print_block(block)
    for one in adoption.unread:
        say(printable(str(one)), "red", "not read", folded=2)
    numbers = Counter(block.outcome for block in adoption.blocks)
    told = ", ".join(f"{numbers[outcome]} {words}" for outcome, words in _WORDS.items() if numbers[outcome])
    say(f"{count(len(adoption.blocks), 'server block')}: {told}; {count(len(adoption.sites), 'site')}")
    for file in replaces:
        say(printable(file), "green", "put aside by a deploy", folded=2)
    for one in kept:
        say(printable(str(one)), "red", "stays", folded=2)
    for step in steps:
        say(step, folded=2)


def _fetched(inventory: str, name: str, folder: Path, as_json: bool) -> source.Source:
    """What the nginx of a host of an inventory has, below the folder. Where it cannot be had, says why and exits."""
    fleet = load_or_stop(inventory, (name,), as_json, 1, certificates=False)
    if not fleet.hosts:
        stop("; ".join(map(str, errors(fleet.problems))).replace("--limit ", "--from ", 1), as_json)
    if len(fleet.hosts) > 1:
        stop(f"--from {name}: is more than one host; name one of them", as_json)
    (found,) = handwritten.fetch(fleet, fetched.named, progress("host", as_json))
    if found.problem:
        stop(f"{fleet.hosts[0].name}: {found.problem}", as_json)
    return fetched.laid_out(folder, found.printed, found.files, found.names)


def _print_block(block: BlockReport) -> None:
    names = " ".join(block.names) or "(no name)"
    ports = " ".join(map(str, block.ports))
    place = f"{block.file}:{block.line}: {names}{f' [{ports}]' if ports else ''}"
    click.echo(f"{printable(place)}: {click.style(said(_WORDS[block.outcome]), fg=_COLORS[block.outcome])}")
    for one in block.findings:
        say(printable(str(one)), before=2, folded=4)


def _next_steps(adoption: Adoption, out: Path, host: str) -> list[str]:
    """What is left to do, in order."""
    if not adoption.sites:
        return [f"no server block can be a site, so {out} was not written"]
    file = out / "inventory" / writing.INVENTORY
    address = f"write the host's address in place of {EXAMPLE}, and" if host == EXAMPLE else "write"
    return [
        f"written: {out}",
        f"in {file}: {address} how to log in to it (ssh_user, ssh_key, _sudo)",
        f"next: {'; '.join(starter.first_steps(out))}",
        f"then: wecom-gateway check inventory/{writing.INVENTORY}",
    ]


def _as_data(adoption: Adoption, written: list[Path], steps: list[str]) -> dict[str, Any]:
    return {
        "blocks": [block.as_data() for block in adoption.blocks],
        "unread": [{"file": one.file, "line": one.line, "text": one.text} for one in adoption.unread],
        "sites": [one.entry for one in adoption.sites],
        "written": [str(path) for path in written],
        "next": steps,
    }
