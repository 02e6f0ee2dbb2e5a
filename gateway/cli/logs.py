"""`python -m gateway logs`: finds requests in the access logs of all hosts."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

import click

from gateway.cli.inventory import load_or_stop, on_inventory
from gateway.cli.output import print_json, print_problems, progress, say, stop
from gateway.deploys import log_query, log_words
from gateway.deploys.log_query import Query
from gateway.deploys.log_words import Found
from gateway.deploys.logs import ask_hosts
from gateway.problems import errors, printable

# Where neither an id nor a time is given: an id is looked for in all that there is.
_USUAL_SINCE = "1d"
# So much of each host fits into one answer.
_MOST_LINES = 5000

Value = TypeVar("Value")


@click.command()
@on_inventory
@click.option("--id", "request_id", metavar="REQUEST-ID", help="The request with this id, as an error page shows it.")
@click.option("--site", metavar="DOMAIN", help="Requests to this site alone; only its hosts are asked.")
@click.option("--status", metavar="STATUS", help="Requests with this status alone: 502, or 5xx for all of a kind.")
@click.option(
    "--since", metavar="TIME", help="From then on: 30m, 2h or 1d ago, or a date. Usual: 1d; with --id everything kept."
)
@click.option(
    "--lines",
    type=click.IntRange(1, _MOST_LINES),
    default=50,
    show_default=True,
    help="So many lines at most, the newest.",
)
def logs(
    inventory: str,
    limit: tuple[str, ...],
    as_json: bool,
    request_id: str | None,
    site: str | None,
    status: str | None,
    since: str | None,
    lines: int,
) -> None:
    """Find requests in the access logs of all hosts of INVENTORY, rotated files too, the newest last.

    With --id also what nginx says of that request in the error log. Exit 0 when something was found and every host was
    asked, 1 when nothing was found, a host could not be asked, or there are errors in the inventory.
    """
    now = datetime.now().astimezone()
    if since is None and request_id is None:
        since = _USUAL_SINCE

    def read(option: str, text: str | None, reader: Callable[[str], Value], nothing: Value) -> Value:
        try:
            return nothing if text is None else reader(text)
        except ValueError as error:
            stop(f"--{option}: {error}", as_json)

    query = Query(
        request_id=read("id", request_id, log_query.request_id, ""),
        status=read("status", status, log_query.status, ""),
        since=read("since", since, lambda text: log_query.since(text, now), None),
        lines=lines,
    )
    # Certificates need not be there.
    fleet = load_or_stop(inventory, limit, as_json, 1, certificates=False)
    wrong = errors(fleet.problems)
    known = {one.domain for host in fleet.hosts for one in host.sites}
    query = replace(query, site=read("site", site, lambda text: log_query.site(text, known), ""))
    answers = ask_hosts(fleet, query, progress("host", as_json))
    found = log_words.newest(answers, lines)
    if as_json:
        data = {"lines": [one.as_data() for one in found], "hosts": [one.as_data() for one in answers]}
        print_json({**data, "problems": [problem.as_data() for problem in wrong]})
    else:
        for one in found:
            _print_line(one)
        for remark in log_words.remarks(answers, len(found)):
            say(printable(remark), err=True)
        if not found:
            say(log_words.nothing(query, answers), err=True)
        print_problems(wrong, err=True)
    if wrong or not found or any(one.problem for one in answers):
        sys.exit(1)


def _print_line(one: Found) -> None:
    before, status, rest = log_words.parts(one)
    color = "red" if status.startswith("5") or status == "-" else "yellow" if status.startswith("4") else "green"
    click.echo(f"{before} {click.style(status, fg=color)} {rest}")
    for text in one.said:
        click.echo(f"    nginx: {printable(text)}")
