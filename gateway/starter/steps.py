"""What is left to do in a repository that has just been begun, before anything can be checked there."""

from __future__ import annotations

import shlex
from pathlib import Path

from gateway import product
from gateway.problems import printable


def first_steps(folder: Path) -> list[str]:
    """In their order, up to where the product runs there."""
    wheel = f"wheels/wecom_gateway-{product.version()}-py3-none-any.whl"
    steps = [] if folder.resolve() == Path.cwd() else [f"cd {shlex.quote(printable(str(folder)))}"]
    if not (folder / ".git").exists():
        steps.append("git init -b main")
    return [*steps, f"put {wheel} there (wheels/README.md), then run ci/setup.sh and . .venv/bin/activate"]
