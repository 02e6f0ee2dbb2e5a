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
    programs = folder / "bin"
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    # a dependency's program, which pip would have put there
    (programs / "pyinfra").write_text(_PYINFRA.format(python=programs / "python"))
    (programs / "pyinfra").chmod(0o755)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(programs / "python")]
    _run(*pip, "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", str(REPO))
    return programs


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
