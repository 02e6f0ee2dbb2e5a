"""Whether this Python can run the gateway: its version, and the packages that it needs.

Imported before everything else, so this file must be readable by any Python from 3.6 on.
"""

import sys
from importlib.util import find_spec

OLDEST = (3, 11)
# The dependencies in pyproject.toml, by the names that they are imported by; ngxparse is crossplane.
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
    "libcst",
    "babel",
    "wcwidth",
)
_RIGHT = (
    "run the commands of the environment that has all of it: in a checkout .venv/bin/python (`make setup` makes it), "
    "else the one that `pip install` was run in"
)


def why_unusable() -> str:
    """Why the gateway cannot run in this Python, and what would be right; "" where it can."""
    if sys.version_info < OLDEST:
        needed, own = (".".join(map(str, one[:2])) for one in (OLDEST, sys.version_info))
        return f"needs Python {needed} or later, this is {own}; {_RIGHT}"
    missing = [name for name in PACKAGES if find_spec(name) is None]
    return f"{sys.executable} lacks {', '.join(missing)}; {_RIGHT}" if missing else ""
