"""`python -m gateway`: what an operator asks without deploying."""

from __future__ import annotations

from gateway.cli.main import main

if __name__ == "__main__":
    main(prog_name="python -m gateway")
