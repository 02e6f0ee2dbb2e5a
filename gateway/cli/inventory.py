"""The argument and options of every command that takes an inventory, and loading it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from gateway.cli.output import stop
from gateway.fleet.loading import Fleet, InventoryError, load


def on_inventory(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command its argument INVENTORY and the options --limit and --json."""
    for decorate in (
        click.option("--json", "as_json", is_flag=True, help="Machine-readable output on standard output."),
        click.option("--limit", multiple=True, help="Only these hosts or groups (shell patterns)."),
        click.argument("inventory"),
    ):
        command = decorate(command)
    return command


def load_or_stop(
    inventory: str,
    limit: tuple[str, ...],
    as_json: bool,
    exit_code: int,
    tell: Callable[[str], object] | None = None,
    **options: Any,
) -> Fleet:
    """The inventory's hosts and problems. Where it cannot be loaded, says why and exits with `exit_code`.

    `tell` is called with the reason first. `options` are passed on to fleet.loading.load.
    """
    try:
        return load(inventory, limit=limit, **options)
    except InventoryError as error:
        if tell:
            tell(str(error))
        stop(str(error), as_json, exit_code, found=True)
