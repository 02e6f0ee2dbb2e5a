"""The options --resolve and --ca of commands that ask sites from outside, and what they ask with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from gateway.cli.output import progress, stop
from gateway.fleet.loading import Fleet
from gateway.outside import balancers, places, whole_fleet
from gateway.outside.findings import Result
from gateway.outside.probe import Client
from gateway.problems import Problem

with_resolve = click.option(
    "--resolve",
    multiple=True,
    metavar="DOMAIN:ADDRESS",
    help="Ask this address instead of DNS's; ADDRESS alone is for all sites of one host. Repeatable.",
)
with_ca = click.option(
    "--ca", type=click.Path(path_type=Path), help="Believe certificates of this CA (PEM), not the system's."
)


def balancers_days(fleet: Fleet, no_outside: bool) -> Mapping[str, int]:
    """Days left of the certificates of the fleet's load balancers, by domain; none with --no-outside."""
    if no_outside:
        return {}
    return balancers.days_left([domain for host in fleet.hosts for domain in host.behind_balancers])


@dataclass(frozen=True)
class Asking:
    """What sites are asked with. `addresses` and `own` are as in whole_fleet.ask; `unreached` are errors for hosts of
    the fleet that `fleet` lacks, since they have no address. `progress` is told how many sites are done."""

    fleet: Fleet
    addresses: Mapping[str, str]
    client: Client
    own: frozenset[str]
    unreached: list[Problem]
    progress: Callable[[int, int], None]

    def results(self) -> list[Result]:
        """One result for each place, with progress on a terminal."""
        return whole_fleet.ask(self.fleet, self.addresses, self.client, self.progress, self.own)


def asking(fleet: Fleet, resolve: tuple[str, ...], ca: Path | None, as_json: bool) -> Asking:
    """What the options ask for. Exits with 1 where they cannot be followed."""
    try:
        addresses = places.overrides(fleet.hosts, resolve)
    except ValueError as error:
        stop(str(error), as_json)
    try:
        client = Client(ca)
    except OSError as error:
        stop(f"--ca {ca}: no certificates can be read from it ({error.strerror or 'not PEM'})", as_json)
    fleet, own, unreached = places.with_own_addresses(fleet, addresses)
    return Asking(fleet, addresses, client, own, unreached, progress("site", as_json))
