"""The product as `pip install` leaves it: in an environment of its own, away from the checkout."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

from .conftest import REPO

_PYINFRA = """#!{python}
import sys
from pyinfra_cli.main import main
sys.exit(main())
"""


def environment(folder: Path) -> Path:
    """Makes an environment in `folder` and installs the product into it; returns its folder of programs.

    What the product depends on is that of the environment that runs the tests, so nothing is fetched.
    """
    _run(sys.executable, "-m", "venv", "--without-pip", str(folder))
    lend(folder)
    programs = folder / "bin"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(programs / "python")]
    _run(*pip, "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", str(REPO))
    return programs


def lend(folder: Path) -> None:
    """Gives the environment in `folder` the packages of the one that runs the tests, as if pip had put them there."""
    programs = folder / "bin"
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (programs / "pyinfra").write_text(_PYINFRA.format(python=programs / "python"))
    (programs / "pyinfra").chmod(0o755)


def wheel(folder: Path) -> None:
    """Puts the product's wheel into `folder`."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    _run(
        *pip,
        "wheel",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(folder),
        str(REPO),
    )


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


if __name__ == "__main__":
    lend(Path(sys.argv[1]))
