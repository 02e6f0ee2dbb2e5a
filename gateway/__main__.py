"""`python -m gateway`: what an operator asks without deploying."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from gateway.fleet import InventoryError, load
from gateway.problems import errors


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Look after WeCom gateways without changing them."""


@main.command()
@click.argument("inventory")
@click.option("--limit", multiple=True, help="Only these hosts or groups (shell patterns).")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output on standard output.")
def check(inventory: str, limit: tuple[str, ...], as_json: bool) -> None:
    """Find every mistake in INVENTORY, its certificates and verification files, offline.

    Exit 0 when clean or with warnings only, 1 with problems.
    """
    try:
        fleet = load(inventory, limit=limit)
    except InventoryError as error:
        if as_json:
            click.echo(json.dumps({"error": str(error), "problems": []}, ensure_ascii=False))
        else:
            click.echo(f"error: {error}", err=True)
        sys.exit(1)
    problems = sorted(fleet.problems)
    if as_json:
        click.echo(json.dumps({"problems": [asdict(one) for one in problems]}, ensure_ascii=False, indent=2))
    else:
        for problem in problems:
            color = "red" if problem.severity == "error" else "yellow"
            click.echo(f"{click.style(problem.severity, fg=color)}: {problem}")
        wrong = len(errors(problems))
        sites = sum(len(host.sites) for host in fleet.hosts)
        summary = f"{wrong} errors, {len(problems) - wrong} warnings"
        click.echo(
            f"{inventory}: {summary}" if wrong else f"{inventory}: {sites} sites can be deployed, {summary}"
        )
    if errors(problems):
        sys.exit(1)


if __name__ == "__main__":
    main(prog_name="python -m gateway")
