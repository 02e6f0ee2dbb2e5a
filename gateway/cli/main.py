"""The group of all commands."""

from __future__ import annotations

import sys
from io import TextIOWrapper

import click
from gevent.hub import Hub

from gateway.cli.check import check
from gateway.cli.explain import explain
from gateway.cli.handover import handover
from gateway.cli.import_cert import import_cert
from gateway.cli.status import status
from gateway.cli.verify import verify
from gateway.deploys import unattended


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Look after WeCom gateways without changing them."""
    if isinstance(sys.stdout, TextIOWrapper):
        # Names of files may hold what a terminal has no character for; standard error escapes it by itself.
        sys.stdout.reconfigure(errors="backslashreplace")
    # Ctrl-C and names that cannot be host names are told where they are caught; gevent would add a traceback.
    Hub.NOT_ERROR = (*Hub.NOT_ERROR, KeyboardInterrupt, UnicodeError)
    unattended.on_interrupt(unattended.interrupted_command)


for command in (check, status, verify, handover, explain, import_cert):
    main.add_command(command)
