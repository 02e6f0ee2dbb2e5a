"""`python -m gateway overview`: writes a page for the fleet and one for each site."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from gateway.cli.inventory import load_or_stop
from gateway.cli.output import progress, say, stop
from gateway.cli.outside import asking, balancers_days, with_ca, with_resolve
from gateway.deploys.status import ask_hosts
from gateway.handover.sheet import sheets
from gateway.overview import folder, pages
from gateway.overview.view import fleet_view
from gateway.problems import count, errors
from gateway.rendering import BrokenTemplateError


@click.command()
@click.argument("inventory")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder for the pages.")
@with_resolve
@with_ca
@click.option("--no-outside", is_flag=True, help="Ask the hosts alone; of the sites the pages say that nobody asked.")
def overview(inventory: str, out: Path, resolve: tuple[str, ...], ca: Path | None, no_outside: bool) -> None:
    """Ask every host of INVENTORY as status does and every site as verify does, and write pages of what they say.

    index.html is the fleet's, and each site has one of its own, Chinese and English. Pages of sites that are no longer
    in the inventory are removed, other files in the folder stay. Exit 0 when the pages are written, also where they
    tell of trouble; 1 when they cannot be, or the inventory cannot be loaded.
    """
    # A host whose certificate has expired is asked all the same, and the certificate told of.
    fleet = load_or_stop(inventory, (), False, 1, data=("allow_expired=1",))
    how = asking(fleet, resolve, ca, False)
    found = sheets(fleet.hosts)
    try:
        folder.refuse_others(out, [folder.INDEX, *(folder.page_name(one.domain) for one in found)])
        when = datetime.now(UTC)
        statuses = ask_hosts(fleet, progress("host", False), balancers_days(fleet, no_outside))
        results = [] if no_outside else how.results()
        wrong = errors(fleet.problems)
        view = fleet_view(inventory, found, statuses, results, [*wrong, *how.unreached])
        written = folder.write(out, pages.render(view, when))
        # An entry with an error is left out, and its site has not gone.
        gone = [] if wrong else folder.remove_gone(out, written)
    except (BrokenTemplateError, folder.OthersFileError) as error:
        stop(str(error), False)
    except OSError as error:
        stop(f"--out {out}: cannot be written: {error.strerror}; name another folder", False)
    removed = f", {len(gone)} removed" if gone else ""
    say(f"{count(len(written), 'page')} in {out}{removed}; {count(len(view.concerns), 'thing')} to act on")
