"""`python -m lab COMMAND`."""

import sys

import click

import lab
from lab import engine, hosts, topology
from lab.errors import LabError
from lab.progress import Progress


@click.group()
def cli() -> None:
    """Real hosts in Docker to try the gateway on."""


@cli.command()
@click.argument("host", nargs=-1)
@click.option("--suite", type=click.Choice(topology.SUITES), default=topology.DEFAULT_SUITE, show_default=True)
def up(host: tuple[str, ...], suite: str) -> None:
    """Bring the lab up: gw-slb and gw-tls, or the HOSTs named (gw-slb, gw-tls, t01 to t99)."""
    say = Progress()
    lab.up(host or tuple(topology.GATEWAYS), suite, say)
    say("the lab is up")
    _show()


@cli.command()
@click.option("--keep-images", is_flag=True, help="Keep the images and their keys, for a quick next start.")
def down(keep_images: bool) -> None:
    """Remove everything the lab made."""
    lab.down(keep_images, Progress())


@cli.command()
def status() -> None:
    """Show the hosts, their addresses and how to log in."""
    problem = engine.why_unreachable()
    if problem is not None or not hosts.names():
        raise LabError(f"the lab is down ({problem or 'no hosts'}); bring it up with: python -m lab up")
    _show()


@cli.command()
def demo() -> None:
    """Deploy the demo inventory and show every mapping by a real request."""
    from lab import demo as script

    script.run(Progress())


def _show() -> None:
    for name in hosts.names():
        click.echo(f"{name:<9} {topology.address(name):<15} {topology.ssh_command(name)}")
    for name, role in topology.INFRASTRUCTURE.items():
        click.echo(f"{name:<9} {topology.address(name):<15} {role}")


def main() -> None:
    """Runs the command. A LabError is printed to stderr as one line."""
    try:
        cli()
    except LabError as error:
        click.echo(f"lab: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
