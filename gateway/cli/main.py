"""The command line: all commands, and what is set up before any of them runs."""

from __future__ import annotations

import sys
from io import TextIOWrapper

import click
from gevent.hub import Hub

from gateway.cli.add import add
from gateway.cli.adopt import adopt
from gateway.cli.check import check
from gateway.cli.explain import explain
from gateway.cli.handover import handover
from gateway.cli.hosts import hosts
from gateway.cli.import_cert import import_cert
from gateway.cli.init import init
from gateway.cli.logs import logs
from gateway.cli.overview import overview
from gateway.cli.shard import shard
from gateway.cli.status import status
from gateway.cli.verify import verify
from gateway.cli.version import version_option
from gateway.deploys import unattended


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@version_option
def main() -> None:
    """Look after WeCom gateways without changing them."""
    if isinstance(sys.stdout, TextIOWrapper):
        # File names may hold bytes that are no characters. Standard error escapes them by itself, standard output not.
        sys.stdout.reconfigure(errors="backslashreplace")
    # These two are caught and told in words; without this gevent would print a traceback as well.
    Hub.NOT_ERROR = (*Hub.NOT_ERROR, KeyboardInterrupt, UnicodeError)
    unattended.on_interrupt(unattended.interrupted_command)


for command in (
    *(check, hosts, status, verify, logs, overview, handover),
    *(explain, import_cert, add, adopt, init, shard),
):
    main.add_command(command)
