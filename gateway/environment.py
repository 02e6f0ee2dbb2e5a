"""What Python has to be and have for the gateway. Read by any Python from 3.6 on, before anything that needs more."""

import sys
from importlib.util import find_spec

OLDEST = (3, 11)
# What the distributions of pyproject.toml are imported as; ngxparse is crossplane.
PACKAGES = (
    "pyinfra",
    "gevent",
    "jinja2",
    "markupsafe",
    "paramiko",
    "pydantic",
    "click",
    "cryptography",
    "pyrage",
    "crossplane",
)
_RIGHT = (
    "run the commands of the environment that has all of it: in a checkout .venv/bin/python (`make setup` makes it), "
    "else the one that `pip install` was run in"
)


def fault() -> str:
    """Why the gateway cannot run here, and what would be right; empty where it can."""
    if sys.version_info < OLDEST:
        needed, own = (".".join(map(str, one[:2])) for one in (OLDEST, sys.version_info))
        return f"needs Python {needed} or later, this is {own}; {_RIGHT}"
    missing = [name for name in PACKAGES if find_spec(name) is None]
    return f"{sys.executable} lacks {', '.join(missing)}; {_RIGHT}" if missing else ""
