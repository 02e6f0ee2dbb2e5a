"""`python -m gateway hosts`: tells what each host is before the first deploy, and what would keep that from working."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click

from gateway.certificates import stored
from gateway.cli.inventory import load_or_stop, on_inventory
from gateway.cli.output import print_json, print_problems, progress, say
from gateway.deploys import host_words
from gateway.deploys.host_report import HostReport
from gateway.deploys.hosts import ask_hosts
from gateway.fleet.loading import Fleet
from gateway.problems import Problem, errors

_COLORS = {"in the way": "red", "note": "yellow"}
# So many warnings are printed at most: one for each certificate that is not there yet.
_MOST_WARNINGS = 20


@click.command()
@on_inventory
def hosts(inventory: str, limit: tuple[str, ...], as_json: bool) -> None:
    """Tell what every host of INVENTORY is, and what would keep a deploy to it from working.

    System, nginx, other programs and sites by name and port; nothing changes there. Certificates need not be there yet.
    Exit 0 when every host was read and can be deployed to, 2 when one was not or cannot, 1 with errors in the
    inventory.
    """
    fleet = load_or_stop(inventory, limit, as_json, 1, certificates=False)
    wrong = errors(fleet.problems)
    problems = [*wrong, *_certificates_to_come(fleet)]
    found = ask_hosts(fleet, progress("host", as_json))
    if as_json:
        print_json({"hosts": [one.as_data() for one in found], "problems": [problem.as_data() for problem in problems]})
    else:
        for one in found:
            _print_host(one)
        print_problems(problems, err=True, most=_MOST_WARNINGS)
    if wrong:
        sys.exit(1)
    if not all(one.ready for one in found):
        sys.exit(2)


def _certificates_to_come(fleet: Fleet) -> Iterator[Problem]:
    """What is wrong with certificates that the checkout has to have, as warnings: a host can be read without them."""
    for host in fleet.hosts:
        for site in host.sites:
            if site.edge == "tls" and not site.acme:
                _, found = stored.read(host.name, site.domain, Path("files/certs") / site.domain)
                yield from (replace(problem, severity="warning") for problem in errors(found))


def _print_host(one: HostReport) -> None:
    say(host_words.heading(one), "green" if one.ready else "red", folded=2)
    for label, text in host_words.rows(one):
        say(text, _COLORS.get(label), label, before=2, folded=4)
