"""The platforms that the product comes with, group_data/all.py, which pyinfra else reads by itself."""

from __future__ import annotations

import runpy
from typing import Any

from .conftest import REPO

PLATFORMS: dict[str, Any] = runpy.run_path(str(REPO / "group_data" / "all.py"))["platforms"]
