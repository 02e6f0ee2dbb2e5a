"""`python -m gateway verify`: asks every site from outside and says what is wrong."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from gateway.cli.inventory import load_or_stop, on_inventory
from gateway.cli.notify import notifier, with_notify
from gateway.cli.output import SHOWN, aligned, print_json, print_problems, say, stop
from gateway.cli.outside import asking, with_ca, with_resolve
from gateway.messages.said import said
from gateway.outside import compare_fleet, compare_report, compare_servers, concerns, report
from gateway.outside.compare_difference import Comparison, Right
from gateway.outside.findings import Outcome, Result
from gateway.problems import Problem, count, errors
from gateway.rendering import BrokenTemplateError

_COLORS: dict[Outcome, str] = {"passed": "green", "failed": "red", "warning": "yellow", "skipped": "yellow"}

_RIGHT_COLORS: dict[Right, str | None] = {
    "gateway": "green",
    "old": "red",
    "neither": "red",
    "open": "yellow",
    "neutral": None,
    "unasked": "yellow",
}


@click.command()
@on_inventory
@with_resolve
@click.option(
    "--compare",
    "old",
    multiple=True,
    metavar="ADDRESS",
    help="Ask the old server at ADDRESS the same, and tell what differs; DOMAIN:ADDRESS is for one site. Where it has "
    "other ports, ADDRESS,443=8443,80=8080. Repeatable.",
)
@with_ca
@click.option("--report", "page", type=click.Path(path_type=Path), help="Write an HTML page with everything to FILE.")
@with_notify
def verify(
    inventory: str,
    limit: tuple[str, ...],
    as_json: bool,
    resolve: tuple[str, ...],
    old: tuple[str, ...],
    ca: Path | None,
    page: Path | None,
    notify: str | None,
    notified: Path | None,
) -> None:
    """Ask every site of INVENTORY from outside, as WeCom and a phone would, and say what is wrong.

    Sends harmless requests only. Exit 0 when everything passed (warnings are fine), 1 otherwise; with --compare, 0 when
    both are alike (neutral differences are fine), 1 otherwise.
    """
    if old and page:
        stop("--report: a comparison has no page; leave it out, or ask for --json", as_json)
    if old and notify is not None:
        stop("--notify: a comparison is for whoever moves; leave it out", as_json)
    told = notifier(notify, notified, f"verify {inventory}", as_json, 1)
    fleet = load_or_stop(inventory, limit, as_json, 1, tell=told.tell_of_inventory, certificates=False)
    try:
        servers = compare_servers.old_servers(fleet.hosts, old)
    except ValueError as error:
        stop(str(error), as_json)
    how = asking(fleet, resolve, ca, as_json)
    wrong = [*errors(fleet.problems), *how.unreached]
    if old:
        compared = compare_fleet.ask(how.fleet, how.addresses, servers, how.client, how.progress, how.own)
        _tell(inventory, compared, wrong, as_json)
        return
    results = how.results()
    passed = not wrong and all(one.outcome != "failed" for one in results)
    if as_json:
        print_json(report.as_data(results, wrong, passed))
    else:
        _print_results(results)
        print_problems(wrong, err=True)
        say(f"{inventory}: {report.summary(results, wrong)}")
    if page:
        try:
            page.write_text(report.page(results, wrong, inventory, datetime.now(UTC)), encoding="utf-8")
        except BrokenTemplateError as error:
            stop(str(error), False)
        except OSError as error:
            stop(f"--report {page}: cannot be written: {error.strerror}; name another file", False)
    if not told.tell(concerns.seen(results, wrong, whole=not limit)) or not passed:
        sys.exit(1)


def _tell(inventory: str, compared: list[Comparison], wrong: list[Problem], as_json: bool) -> None:
    """Prints what a comparison has shown, and exits with 1 where the two are not alike."""
    alike = bool(compared) and not wrong and all(one.alike for one in compared)
    if as_json:
        print_json(compare_report.as_data(compared, wrong, alike))
    else:
        _print_comparisons(compared)
        print_problems(wrong, err=True)
        say(f"{inventory}: {compare_report.summary(compared, wrong)}")
    if not alike:
        sys.exit(1)


def _print_results(results: list[Result]) -> None:
    for line in aligned(report.table(results), [None, *(_COLORS[one.outcome] for one in results)]):
        click.echo(line)
    for one in results:
        for finding in one.findings:
            if finding.outcome in ("failed", "warning"):
                click.echo()
                say(f"{one.name}: {said(finding.check)}: {finding.subject}", _COLORS[finding.outcome], finding.outcome)
                say(finding.reason, before=4, found=True)
                say(finding.remedy, label="next", before=4)
    for (reason, remedy), names in report.not_asked(results).items():
        some = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
        click.echo()
        say(some, "yellow", "not checked")
        say(reason, before=4)
        say(remedy, label="next", before=4)


def _print_comparisons(compared: list[Comparison]) -> None:
    colors = [
        "green" if one.alike else "red" if one.count("old") or one.count("neither") else "yellow" for one in compared
    ]
    for line in aligned(compare_report.table(compared), [None, *colors]):
        click.echo(line)
    for one in compared:
        for told in one.differences:
            others = f" and {count(len(told.others), 'other')}" if told.others else ""
            click.echo()
            place = f"{one.name}: {said(told.check)}: {told.subject}{others}: {told.trait}"
            say(place, _RIGHT_COLORS[told.right], compare_report.LABELS[told.right])
            say(told.gateway, label="gateway", before=4)
            say(told.old, label="old server", before=4)
            say(told.reason, before=4)
