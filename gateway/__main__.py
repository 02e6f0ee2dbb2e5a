"""`python -m gateway`: every command but the deploy itself, which is pyinfra's."""

from __future__ import annotations

from gateway.cli.main import main

if __name__ == "__main__":
    main(prog_name="python -m gateway")
