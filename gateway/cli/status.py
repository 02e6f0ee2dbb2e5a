"""`python -m gateway status`: shows whether every host has and serves the release that it should have."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from gateway import whole_file
from gateway.cli.inventory import load_or_stop, on_inventory
from gateway.cli.notify import notifier, with_notify
from gateway.cli.output import SHOWN, aligned, print_json, print_problems, progress, say, stop
from gateway.cli.outside import balancers_days
from gateway.deploys import concerns, status_words
from gateway.deploys.drift import HostStatus
from gateway.deploys.exposition import exposition
from gateway.deploys.status import ask_hosts
from gateway.problems import errors


@click.command()
@on_inventory
@click.option("--no-outside", is_flag=True, help="Do not ask load balancers for their certificates.")
@click.option(
    "--metrics",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write what Prometheus can ask no host for. FILE, NAME.prom, is for a node exporter's textfile collector.",
)
@with_notify
def status(
    inventory: str,
    limit: tuple[str, ...],
    as_json: bool,
    no_outside: bool,
    metrics: Path | None,
    notify: str | None,
    notified: Path | None,
) -> None:
    """Ask every host of INVENTORY which release it should have, holds, and really serves.

    The certificates of load balancers are read from outside, through DNS. Exit 0 when all are in sync, 2 on drift,
    expired certificates, unreachable hosts, an inventory that cannot be rendered, a robot that cannot be told, or a
    file of metrics that cannot be written.
    """
    if metrics is not None and metrics.suffix != ".prom":
        stop("--metrics: a node exporter reads files that end in .prom alone; name a file NAME.prom", as_json, 2)
    told = notifier(notify, notified, f"status {inventory}", as_json, 2)
    # A host whose certificate has expired is asked all the same, and the certificate reported.
    fleet = load_or_stop(inventory, limit, as_json, 2, tell=told.tell_of_inventory, data=("allow_expired=1",))
    wrong = errors(fleet.problems)
    days = balancers_days(fleet, no_outside)
    found = ask_hosts(fleet, progress("host", as_json), days)
    if as_json:
        print_json({"hosts": [one.as_data() for one in found], "problems": [problem.as_data() for problem in wrong]})
    else:
        _print_hosts(found)
        print_problems(wrong, err=True)
    was_told = told.tell(concerns.seen(found, wrong, whole=not limit))
    was_written = _write(metrics, found, days)
    if wrong or not was_told or not was_written or not all(one.in_sync for one in found):
        sys.exit(2)


def _write(metrics: Path | None, found: list[HostStatus], days: Mapping[str, int]) -> bool:
    """Writes the file of metrics, where one is asked for; False, with the reason on standard error, where it cannot."""
    if metrics is None:
        return True
    try:
        whole_file.write(metrics, exposition(found, days, datetime.now(UTC)))
    except OSError as error:
        text = f"{error.strerror}; name a file NAME.prom in a folder that is there and that you may write to"
        say(f"--metrics {metrics}: cannot be written: {text}", "red", "error", err=True)
        return False
    return True


def _print_hosts(found: list[HostStatus]) -> None:
    heading, *lines = aligned(status_words.table(found), [None, *("green" if one.in_sync else "red" for one in found)])
    click.echo(heading)
    for line, one in zip(lines, found, strict=True):
        click.echo(line)
        if not one.in_sync:
            for difference in one.differences[:SHOWN]:
                say(difference, before=4)
            if len(one.differences) > SHOWN:
                say(f"and {len(one.differences) - SHOWN} more files", before=4)
    for text in status_words.certificate_lines(found):
        say(text)
