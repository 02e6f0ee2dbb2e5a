"""A copy of the checkout in which one wrong change at a time is tried."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Literal

from tests import warm
from tests.mutants.catalogue import CHECKOUT, Mutant

_LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".*_cache", ".hypothesis", "*.egg-info")

# With these every package that the product and its fast tests use is there.
warm.preload("gateway.cli.main", "gateway.deploys.stages", "tests.unit.conftest", "tests.scripts.conftest", "pytest")

# What is compiled is kept in the copy. The fast tests use none of pytest's plugins, and load faster than those.
_QUICK = {"PYTHONDONTWRITEBYTECODE": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

# Seconds after which a change that makes a test wait for ever counts as noticed, and that all tests have without one.
_PATIENCE, _PATIENCE_WITH_ALL = 120, 600


@dataclass(frozen=True)
class Outcome:
    """`killed`: a test failed or waited for ever. `survived`: all passed. `unclear`: pytest could not run them."""

    kind: Literal["killed", "survived", "unclear"]
    seconds: float
    output: str


class Copy:
    """The checkout in folder `root`, for one change after the other."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._times = count(1)
        shutil.copytree(CHECKOUT, root, ignore=_LEFT_OUT, symlinks=True)

    def tried(self, mutant: Mutant | None, tests: Iterable[str]) -> Outcome:
        """What the tests say to the change, or to the product as it is."""
        arguments = ["-x", "-q", "-p", "no:cacheprovider", "--tb=line", *tests]
        output = self._root.with_suffix(".log")
        started = time.monotonic()
        with self._changed(mutant):
            patience = _PATIENCE if mutant else _PATIENCE_WITH_ALL
            surroundings = os.environ | {"PYTHONPATH": str(self._root)} | _QUICK
            code = warm.run("pytest", arguments, self._root, surroundings, output, output, patience)
        seconds = time.monotonic() - started
        if code is None:
            return Outcome("killed", seconds, "the tests did not end")
        kinds: dict[int, Literal["killed", "survived"]] = {0: "survived", 1: "killed"}
        return Outcome(kinds.get(code, "unclear"), seconds, output.read_text(errors="replace"))

    @contextmanager
    def _changed(self, mutant: Mutant | None) -> Iterator[None]:
        if mutant is None:
            yield
            return
        path = self._root / mutant.path
        kept, stat = path.read_bytes(), path.stat()
        path.write_bytes(kept.replace(mutant.old.encode(), mutant.new.encode()))
        # Python knows a compiled file by the second and the size of its source: each change has a second of its own.
        moment = stat.st_mtime - 10 * next(self._times)
        os.utime(path, (moment, moment))
        try:
            yield
        finally:
            path.write_bytes(kept)
            os.utime(path, (stat.st_atime, stat.st_mtime))
