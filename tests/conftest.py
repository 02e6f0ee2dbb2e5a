"""Options and fixtures for tests that need hosts."""

from __future__ import annotations

from pathlib import Path

import pytest

REPO = Path(__file__).parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--inventory",
        help="Run the acceptance tests against the hosts of this inventory, as deployed. "
        "Default: the demo inventory, deployed on the lab first.",
    )


@pytest.fixture(scope="session")
def demo_lab() -> None:
    """The lab with the demo inventory deployed on it."""
    from lab import demo
    from lab.progress import silent

    demo.prepare(silent)
    done = demo.deploy(capture=True)
    assert done.returncode == 0, done.stdout + done.stderr
