"""The check that comes before pyinfra connects to anything, called from config.py."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import NoReturn

import click
from gevent.hub import Hub
from pyinfra.api.exceptions import PyinfraError

from gateway.deploys import checked, connections, spoken, unattended
from gateway.fleet.loading import InventoryError, load
from gateway.messages.said import colon, finding, said
from gateway.nginx import trial
from gateway.problems import count, errors

_DEPLOYS = {"deploy.py"}
_OPERATIONS = _DEPLOYS | {"rollback.py"}


def stop_on_problems() -> None:
    """Ends the run (exit 1) with every problem of every chosen host, or lets it go on.

    Only runs that deploy are checked: `debug-inventory`, facts and rollbacks must work in any case.
    """
    # An unreachable host is one line of pyinfra's own; paramiko would add a traceback.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    # What cannot be read of a host, or a name that cannot be one, is one line; gevent would add a traceback.
    Hub.NOT_ERROR = (*Hub.NOT_ERROR, PyinfraError, UnicodeError)
    connections.use_connector()
    spoken.speak()
    context = click.get_current_context(silent=True)
    if context is None:
        return
    unattended.on_interrupt(unattended.interrupted_deploy)
    options = context.params
    operations = options.get("operations", ())
    if Path(options.get("inventory", "")).name in _OPERATIONS:
        right = f"pyinfra {operations[0] if operations else 'inventory/prod.py'} {options['inventory']}"
        _stop("stopped", f"{options['inventory']} is no inventory, which goes first; right would be: {right}")
    if not _DEPLOYS & {Path(name).name for name in operations}:
        return
    try:
        fleet = load(
            options["inventory"],
            limit=options.get("limit") or (),
            exclude=options.get("exclude") or (),
            group_data=options.get("group_data") or (),
            data=options.get("data") or (),
        )
    except InventoryError as error:
        _stop("inventory", str(error))
    checked.keep(fleet.hosts)
    problems = sorted({*fleet.problems, *trial.problems(fleet.hosts)})
    for problem in problems:
        color = "red" if problem.severity == "error" else "yellow"
        _print(problem.severity, color, problem.told())
    wrong = errors(problems)
    if wrong:
        _stop("stopped", f"{count(len(wrong), 'problem')} in {options['inventory']}; no host was contacted")


def _stop(label: str, text: str) -> NoReturn:
    _print(label, "red", finding(text))
    sys.exit(1)


def _print(label: str, color: str, text: str) -> None:
    click.echo(f"--> {click.style(said(label), fg=color, bold=True)}{colon()}{text}", err=True)
