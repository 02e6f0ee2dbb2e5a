"""`python -m gateway`: what an operator asks without deploying."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

import click
from gevent.hub import Hub

from gateway.checkout import lost_files, tracked_keys
from gateway.cli.import_cert import import_cert
from gateway.cli.version import version_option
from gateway.deploys import status as host_status
from gateway.deploys import unattended
from gateway.fleet import ssh_keys
from gateway.fleet.loading import Fleet, InventoryError, load
from gateway.handover import pages, sheet
from gateway.nginx import trial
from gateway.outside import balancers, places, report, run
from gateway.outside.findings import Outcome, Result
from gateway.outside.probe import Client
from gateway.problems import Problem, count, errors
from gateway.rendering import BrokenTemplateError
from gateway.wecom import explain as wecom

# How many differing files of a host are listed; --json has them all.
_SHOWN = 5
# Warnings that are printed beside a thousand sheets.
_MOST_WARNINGS = 20
# Bytes of standard input that an error is looked for in.
_MOST_PASTED = 1 << 20


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@version_option
def main() -> None:
    """Look after WeCom gateways without changing them."""
    if isinstance(sys.stdout, TextIOWrapper):
        # Names of files may hold what a terminal has no character for; standard error escapes it by itself.
        sys.stdout.reconfigure(errors="backslashreplace")
    # Both are told by whoever catches them, Ctrl-C and a name that cannot be one; gevent would add a traceback.
    Hub.NOT_ERROR = (*Hub.NOT_ERROR, KeyboardInterrupt, UnicodeError)
    unattended.on_interrupt(unattended.interrupted_command)


def _inventory(command: Callable[..., None]) -> Callable[..., None]:
    """The argument and options that every command on an inventory has."""
    for decorate in (
        click.option("--json", "as_json", is_flag=True, help="Machine-readable output on standard output."),
        click.option("--limit", multiple=True, help="Only these hosts or groups (shell patterns)."),
        click.argument("inventory"),
    ):
        command = decorate(command)
    return command


main.add_command(import_cert)


@main.command()
@_inventory
def check(inventory: str, limit: tuple[str, ...], as_json: bool) -> None:
    """Find every mistake in INVENTORY, its certificates and verification files, offline.

    Exit 0 when clean or with warnings only, 1 with problems.
    """
    fleet = _loaded(inventory, limit, as_json, 1)
    lost = lost_files.warnings(fleet.hosts, Path("files"))
    keys = ssh_keys.warnings(fleet)
    templates = trial.problems(fleet.hosts)
    problems = sorted({*fleet.problems, *lost, *keys, *tracked_keys.problems(Path("files")), *templates})
    if as_json:
        report = {"problems": [asdict(one) for one in problems], "certificates": _certificates(fleet)}
        _print_json(report)
    else:
        _print_problems(problems)
        for one in _certificates(fleet):
            click.echo("certificate: {host}: {domain}: {days} days left, until {until}".format(**one))
        wrong = len(errors(problems))
        sites = sum(len(host.sites) for host in fleet.hosts)
        summary = f"{count(wrong, 'error')}, {count(len(problems) - wrong, 'warning')}"
        deployable = "" if wrong else f"{count(sites, 'site')} can be deployed, "
        click.echo(f"{inventory}: {deployable}{summary}")
    if errors(problems):
        sys.exit(1)


def _certificates(fleet: Fleet) -> list[dict[str, str | int]]:
    """Days left of each site's certificate, the soonest first; only of hosts without errors."""
    now = datetime.now(UTC)
    rows = [(pair.not_after, host.name, domain, pair) for host in fleet.hosts for domain, pair in host.certs.items()]
    return [
        {"host": host, "domain": domain, "days": pair.days_left(now), "until": f"{until:%Y-%m-%d}"}
        for until, host, domain, pair in sorted(rows, key=lambda row: row[:3])
    ]


@main.command()
@_inventory
@click.option("--no-outside", is_flag=True, help="Do not ask load balancers for their certificates.")
def status(inventory: str, limit: tuple[str, ...], as_json: bool, no_outside: bool) -> None:
    """Ask every host of INVENTORY which release it should have, holds, and really serves.

    The certificates of load balancers are read from outside, through DNS. Exit 0 when all are in sync, 2 on drift,
    expired certificates, unreachable hosts or an inventory that cannot be rendered.
    """
    # An expired certificate is something to tell of a host, no reason to be silent about it.
    fleet = _loaded(inventory, limit, as_json, 2, data=("allow_expired=1",))
    wrong = errors(fleet.problems)
    behind = [site.domain for host in fleet.hosts for site in host.sites if site.edge == "slb"]
    found = host_status.of(fleet, {} if no_outside else balancers.days_left(behind))
    if as_json:
        report = {"hosts": [one.as_data() for one in found], "problems": [asdict(problem) for problem in wrong]}
        _print_json(report)
    else:
        _print_status(found)
        _print_problems(wrong, err=True)
    if wrong or not all(one.in_sync for one in found):
        sys.exit(2)


def _print_status(found: list[host_status.HostStatus]) -> None:
    rows = host_status.table(found)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    for row, one in zip(rows, [None, *found], strict=True):
        line = "  ".join(text.ljust(width) for text, width in zip(row[:-1], widths, strict=True))
        color = None if one is None else "green" if one.in_sync else "red"
        click.echo(f"{line}  {click.style(row[-1], fg=color)}".rstrip())
        if one is not None and not one.in_sync:
            for difference in one.differences[:_SHOWN]:
                click.echo(f"    {difference}")
            if len(one.differences) > _SHOWN:
                click.echo(f"    and {len(one.differences) - _SHOWN} more files")
    for text in host_status.certificates(found):
        click.echo(text)


@main.command()
@_inventory
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder for the sheets.")
def handover(inventory: str, limit: tuple[str, ...], as_json: bool, out: Path) -> None:
    """Write one sheet per site of INVENTORY for those who set up WeCom, DNS and the load balancer.

    Each sheet is Chinese and English, as Markdown and as HTML; index.html links them all and is left as it is
    with --limit. Certificates and keys are not read. Exit 1 with problems in the inventory or nowhere to write.
    """
    fleet = _loaded(inventory, limit, as_json, 1, certificates=False)
    found = sheet.sheets(fleet)
    # of a missing verification file the sheets' own blanks tell
    problems = sorted(problem for problem in fleet.problems if problem.field != "verify")
    if not errors(problems):
        problems += [problem for one in found for problem in one.blanks()]
    written: dict[str, list[str]] = {}
    try:
        if not errors(problems):
            written = {one.domain: [str(path) for path in pages.write(out, pages.render(one))] for one in found}
            if not limit and not pages.write_index(out, found):
                problems.append(Problem("", "", str(out / pages.INDEX), "is another page and stays", "warning"))
    except BrokenTemplateError as error:
        problems = [error.problem]
    except OSError as error:
        problems = [Problem("", "", f"--out {out}", f"cannot be written: {error.strerror}; name another folder")]
    if as_json:
        hosts = {one.domain: [node.name for node in one.hosts] for one in found}
        report = [{"domain": domain, "hosts": hosts[domain], "files": files} for domain, files in written.items()]
        found_wrong = [asdict(problem) for problem in problems]
        _print_json({"sheets": report, "problems": found_wrong})
    else:
        _print_problems(problems, err=True, most=_MOST_WARNINGS)
        for files in [*written.values()][:_SHOWN]:
            click.echo("\n".join(files))
        if len(written) > _SHOWN:
            click.echo(f"and {len(written) - _SHOWN} more sheets")
        if not errors(problems):
            click.echo(f"{count(len(written), 'sheet')} in {out}")
    if errors(problems):
        sys.exit(1)


# WeCom's code for "busy" is -1: not an option of this command
@main.command(context_settings={"ignore_unknown_options": True})
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output on standard output.")
@click.argument("answer", nargs=-1, required=True, metavar="CODE-OR-ANSWER")
def explain(answer: tuple[str, ...], as_json: bool) -> None:
    """Say what a WeCom error means, whose side it is on, and what to change.

    Takes an error code (60020), a whole answer, or the URL of WeCom's error page, in quotation marks. With -
    it is read from standard input, which keeps tokens out of the shell's history. Nothing secret is repeated.
    """
    pasted = " ".join(answer)
    if pasted == "-":
        pasted = sys.stdin.buffer.read(_MOST_PASTED).decode("utf-8", errors="replace")
    found = wecom.explain(pasted)
    if as_json:
        _print_json({"errors": [wecom.as_data(one) for one in found]})
    else:
        click.echo("\n\n".join(wecom.as_text(one) for one in found) or wecom.NOTHING_FOUND)


_COLORS: dict[Outcome, str] = {"passed": "green", "failed": "red", "warning": "yellow", "skipped": "yellow"}


@main.command()
@_inventory
@click.option(
    "--resolve",
    multiple=True,
    metavar="DOMAIN:ADDRESS",
    help="Ask this address instead of DNS's; ADDRESS alone is for all sites of one host. Repeatable.",
)
@click.option("--ca", type=click.Path(path_type=Path), help="Believe certificates of this CA (PEM), not the system's.")
@click.option("--report", "page", type=click.Path(path_type=Path), help="Write an HTML page with everything to FILE.")
def verify(
    inventory: str, limit: tuple[str, ...], as_json: bool, resolve: tuple[str, ...], ca: Path | None, page: Path | None
) -> None:
    """Ask every site of INVENTORY from outside, as WeCom and a phone would, and say what is wrong.

    Sends harmless requests only. Exit 0 when everything passed (warnings are fine), 1 otherwise.
    """
    fleet = _loaded(inventory, limit, as_json, 1, certificates=False)
    try:
        addresses = places.overrides(fleet, resolve)
    except ValueError as error:
        _stop(str(error), as_json)
    try:
        client = Client(ca)
    except OSError as error:
        _stop(f"--ca {ca}: no certificates can be read from it ({error.strerror or 'not PEM'})", as_json)
    wrong = errors(fleet.problems)
    results = run.of(fleet, addresses, client, _progress)
    passed = not wrong and all(one.outcome != "failed" for one in results)
    if as_json:
        _print_json(report.as_data(results, wrong, passed))
    else:
        _print_results(results)
        _print_problems(wrong, err=True)
        click.echo(f"{inventory}: {report.summary(results, wrong)}")
    if page:
        try:
            page.write_text(report.page(results, wrong, inventory, datetime.now(UTC)), encoding="utf-8")
        except BrokenTemplateError as error:
            _stop(str(error), False)
        except OSError as error:
            _stop(f"--report {page}: cannot be written: {error.strerror}; name another file", False)
    if not passed:
        sys.exit(1)


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{done} of {count(total, 'site')} asked", nl=done == total, err=True)


def _print_results(results: list[Result]) -> None:
    rows = report.table(results)
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row, one in zip(rows, [None, *results], strict=True):
        line = "  ".join(text.ljust(width) for text, width in zip(row[:3], widths, strict=True))
        click.echo(f"{line}  {click.style(row[3], fg=_COLORS[one.outcome]) if one else ''}".rstrip())
    for one in results:
        for finding in one.findings:
            if finding.outcome in ("failed", "warning"):
                label = click.style(finding.outcome, fg=_COLORS[finding.outcome])
                click.echo(f"\n{label}: {one.name}: {finding.check}: {finding.subject}\n    {finding.reason}")
                click.echo(f"    next: {finding.remedy}")
    for (reason, remedy), names in report.not_asked(results).items():
        some = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
        click.echo(f"\n{click.style('not checked', fg='yellow')}: {some}\n    {reason}\n    next: {remedy}")


def _stop(text: str, as_json: bool, exit_code: int = 1) -> NoReturn:
    """Ends the run with what is wrong with how it was called."""
    if as_json:
        _print_json({"error": text})
    else:
        click.echo(f"error: {text}", err=True)
    sys.exit(exit_code)


def _print_json(data: object) -> None:
    """For people to read as well; where standard output has not every character of it, with JSON's own escapes."""
    text = json.dumps(data, ensure_ascii=False, indent=2)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(data, indent=2)
    click.echo(text)


def _print_problems(problems: list[Problem], err: bool = False, most: int | None = None) -> None:
    """All of them; where there is a `most`, no more warnings than that."""
    warnings = [problem for problem in problems if problem.severity == "warning"]
    kept = warnings[:most]
    for problem in problems if len(kept) == len(warnings) else [*errors(problems), *kept]:
        color = "red" if problem.severity == "error" else "yellow"
        click.echo(f"{click.style(problem.severity, fg=color)}: {problem}", err=err)
    if len(kept) < len(warnings):
        text = f"and {len(warnings) - len(kept)} more; --json has them all"
        click.echo(f"{click.style('warning', fg='yellow')}: {text}", err=err)


def _loaded(inventory: str, limit: tuple[str, ...], as_json: bool, exit_code: int, **options: Any) -> Fleet:
    """The inventory, or the end of the run where it cannot be loaded; `options` are further ones of fleet.load."""
    try:
        return load(inventory, limit=limit, **options)
    except InventoryError as error:
        _stop(str(error), as_json, exit_code)


if __name__ == "__main__":
    main(prog_name="python -m gateway")
