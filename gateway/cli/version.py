"""`--version`: which product this is."""

from __future__ import annotations

import click

from gateway import product
from gateway.checkout import git


def described() -> str:
    """Name and version; in a checkout under git its commit too, and whether files were changed since."""
    text = product.full_name()
    folder = product.checkout()
    if folder is None or not (folder / ".git").exists():
        return text
    # without tags, which would stand there in place of the commit
    commit = "".join(git.lines("-C", str(folder), "describe", "--always", "--abbrev=12", "--exclude=*"))
    if not commit:
        return text
    changed = ", with changes not committed" if git.lines("-C", str(folder), "status", "--porcelain") else ""
    return f"{text} (checkout at commit {commit}{changed})"


def _print(context: click.Context, parameter: click.Parameter, asked: bool) -> None:
    if asked:
        click.echo(described())
        context.exit()


version_option = click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print,
    help="Show the version, in a checkout with its commit, and exit.",
)
