"""`python -m gateway check`: finds every mistake in an inventory, offline."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from gateway.checkout import lost_files, tracked_keys
from gateway.cli.inventory import load_or_stop, on_inventory
from gateway.cli.output import print_json, print_problems, say
from gateway.fleet import ssh_keys
from gateway.fleet.loading import Fleet
from gateway.nginx import trial
from gateway.problems import count, errors


@click.command()
@on_inventory
def check(inventory: str, limit: tuple[str, ...], as_json: bool) -> None:
    """Find every mistake in INVENTORY, its certificates and verification files, offline.

    Exit 0 when clean or with warnings only, 1 with problems.
    """
    fleet = load_or_stop(inventory, limit, as_json, 1)
    sites = [(host.name, site.domain) for host in fleet.hosts for site in host.sites]
    lost = lost_files.warnings(sites, Path("files"))
    keys = ssh_keys.warnings(fleet)
    templates = trial.problems(fleet.hosts)
    problems = sorted({*fleet.problems, *lost, *keys, *tracked_keys.problems(Path("files")), *templates})
    if as_json:
        print_json({"problems": [one.as_data() for one in problems], "certificates": _certificates(fleet)})
    else:
        print_problems(problems)
        for one in _certificates(fleet):
            say("certificate: {host}: {domain}: {days} days left, until {until}".format(**one))
        wrong = len(errors(problems))
        summary = f"{count(wrong, 'error')}, {count(len(problems) - wrong, 'warning')}"
        deployable = "" if wrong else f"{count(len(sites), 'site')} can be deployed, "
        say(f"{inventory}: {deployable}{summary}")
    if errors(problems):
        sys.exit(1)


def _certificates(fleet: Fleet) -> list[dict[str, str | int]]:
    """Days left of each site's certificate, the first to expire first. Hosts with errors are not in `fleet`."""
    now = datetime.now(UTC)
    rows = [(pair.not_after, host.name, domain, pair) for host in fleet.hosts for domain, pair in host.certs.items()]
    return [
        {"host": host, "domain": domain, "days": pair.days_left(now), "until": f"{until:%Y-%m-%d}"}
        for until, host, domain, pair in sorted(rows, key=lambda row: row[:3])
    ]
