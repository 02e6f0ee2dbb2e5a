"""The options --notify and --notify-memory of commands that can tell a group robot, and telling it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from gateway.cli.output import stop
from gateway.notify import memory, robot, telling
from gateway.notify.changes import INVENTORY, Concern, Seen
from gateway.notify.robot import Robot, RobotError
from gateway.problems import count


def with_notify(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options --notify and --notify-memory."""
    for decorate in (
        click.option(
            "--notify-memory",
            "notified",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="Where to remember what was told. Without it, a file of the user's own.",
        ),
        click.option(
            "--notify",
            metavar="ROBOT",
            help="Tell a WeCom group robot what got worse since the last run, and what has ended. ROBOT is the "
            "environment variable with its webhook's URL.",
        ),
    ):
        command = decorate(command)
    return command


@dataclass(frozen=True)
class Notifier:
    """Tells a robot of a command's runs, or nobody where none was named."""

    to: Robot | None
    path: Path
    command: str

    def tell_of_inventory(self, why: str) -> None:
        """Tells that the inventory cannot be loaded, so that nothing else is known, nor which errors it has."""
        self.tell(Seen((Concern(INVENTORY, why),), lambda _: False, lambda _: True))

    def tell(self, seen: Seen) -> bool:
        """Tells what has changed; False, with the reason on standard error, where that was not possible."""
        if self.to is None:
            return True
        try:
            told = telling.tell(self.to, self.path, self.command, seen)
        except (RobotError, memory.MemoryFileError) as error:
            click.echo(f"{click.style('not notified', fg='red')}: {error}", err=True)
            return False
        if told:
            click.echo(f"notified: {count(told, 'change')}", err=True)
        return True


def notifier(given: str | None, notified: Path | None, command: str, as_json: bool, exit_code: int) -> Notifier:
    """What the options ask for. `command` is what shows everything again. Exits where they cannot be followed."""
    path = notified or memory.default_path(os.environ)
    if given is None:
        if notified:
            stop("--notify-memory: is for --notify, which names the robot", as_json, exit_code)
        return Notifier(None, path, command)
    try:
        to = robot.robot(given, os.environ)
    except RobotError as error:
        stop(str(error), as_json, exit_code)
    if "://" in given:
        click.echo(
            f"{click.style('warning', fg='yellow')}: --notify: everybody on this machine can read the address while "
            "this runs; put it into an environment variable and name that",
            err=True,
        )
    return Notifier(to, path, command)
