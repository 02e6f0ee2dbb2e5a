"""`python -m gateway shard`: tells which hosts one of several deploys has."""

from __future__ import annotations

import re
import sys

import click

from gateway.cli.inventory import load_or_stop, on_inventory
from gateway.cli.output import print_json, print_problems, stop
from gateway.fleet.shards import shards
from gateway.problems import errors, shown

_SHARD = re.compile(r"([1-9][0-9]{0,4})/([1-9][0-9]{0,4})", re.ASCII)


@click.command()
@on_inventory
@click.argument("shard", metavar="N/M")
def shard(inventory: str, limit: tuple[str, ...], as_json: bool, shard: str) -> None:
    """Print the hosts of the N-th of M parts of INVENTORY, one a line, as --limit takes them.

    Parts differ by one host at most, and are the same each time. Nodes of one site are in different parts as long as
    there are parts enough. Certificates and keys are not read. Exit 0 also where a part has no host, 1 with errors in
    the inventory or no such part.
    """
    number, count = _parsed(shard, as_json)
    fleet = load_or_stop(inventory, limit, as_json, 1, certificates=False)
    wrong = errors(fleet.problems)
    names = [host.name for host in shards(fleet.hosts, count)[number - 1]] if not wrong else []
    if as_json:
        print_json({"hosts": names, "problems": [problem.as_data() for problem in wrong]})
    else:
        print_problems(wrong, err=True)
        for name in names:
            click.echo(name)
    if wrong:
        sys.exit(1)


def _parsed(shard: str, as_json: bool) -> tuple[int, int]:
    """Its two numbers. Says what would be right and exits with 1 where it has not both."""
    found = _SHARD.fullmatch(shard)
    number, count = map(int, found.groups()) if found else (0, 0)
    if not 1 <= number <= count:
        stop(f"{shown(shard)}: is no shard; right would be 1/8 to 8/8 for eight of them", as_json)
    return number, count
