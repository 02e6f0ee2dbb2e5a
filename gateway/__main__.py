"""`python -m gateway`: every command but the deploy itself, which is pyinfra's."""

from __future__ import annotations

from gateway.cli.help import in_chinese
from gateway.cli.main import main as commands
from gateway.messages import language


def main(prog_name: str | None = None) -> None:
    """Runs the command that the arguments name, in the operator's language; ends the program."""
    if language.chosen() == "en":
        commands(prog_name=prog_name)
    # It takes a while to read.
    from gateway.messages import catalogue

    in_chinese(commands, catalogue.chinese(), catalogue.read(catalogue.CLICK))(prog_name=prog_name)


if __name__ == "__main__":
    main("python -m gateway")
