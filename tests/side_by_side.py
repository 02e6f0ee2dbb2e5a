"""`python -m tests.side_by_side [--labs] ARGUMENT...`: pytest in two processes, for a machine of two cores.

ARGUMENTs are pytest's. Both processes collect all tests, and each takes the next module (in tests/matrix the next
release of Debian) that nobody has taken yet. With --labs the second one has a copy of the checkout, and a lab of its
own. What is printed is pytest's own, one process after the other. Exit 0 where both passed, else the exit code of one
that did not.

pytest-xdist is no way to do it: pyinfra makes threads and sockets cooperative, and xdist's workers hang on that.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import pytest

from lab import engine, pki, ssh, topology
from lab.progress import silent
from tests import warm
from tests.conftest import REPO

TAKEN = "WECOM_TESTS_TAKEN"

# What a copy does not need, and what would be another lab's.
_LEFT_OUT = (".venv", ".state", ".*_cache", ".hypothesis", "site")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """pytest's own loop, over the tests that the other process has not taken."""
    folder = os.environ.get(TAKEN)
    if folder is None or session.testsfailed or session.config.option.collectonly:
        return None
    ours = _ours(session.items, Path(folder))
    item = next(ours, None)
    while item is not None:
        following = next(ours, None)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
        item = following
    return True


def _ours(items: list[pytest.Item], folder: Path) -> Iterator[pytest.Item]:
    """Each test whose lot this process is the first to take."""
    known: dict[str, bool] = {}
    for item in items:
        lot = _lot(item)
        if lot not in known:
            known[lot] = _take(folder / quote(lot, safe=""))
        if known[lot]:
            yield item


def _lot(item: pytest.Item) -> str:
    """Tests that share hosts, and so run in one process: those of a module, or of a release of Debian."""
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return str(parameters.get("pair") or parameters.get("suite") or item.nodeid.partition("::")[0])


def _take(place: Path) -> bool:
    try:
        place.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def main(arguments: list[str]) -> int:
    """Runs both processes; returns the exit code."""
    labs = arguments[:1] == ["--labs"]
    slowest = ("--durations=30", "--durations-min=10") if labs else ()
    command = [sys.executable, "-m", "pytest", "-p", "tests.side_by_side", *slowest, *arguments[labs:]]
    warm.compile_product()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="side-by-side-")))
        (folder / "taken").mkdir()
        environment = os.environ | {TAKEN: str(folder / "taken")}
        there, more = _second_lab(folder) if labs else (REPO, {})
        output = stack.enter_context(tempfile.TemporaryFile())
        second = subprocess.Popen(command, cwd=there, env=environment | more, stdout=output, stderr=subprocess.STDOUT)
        try:
            codes = [subprocess.run(command, cwd=REPO, env=environment, check=False).returncode, second.wait()]
        finally:
            second.terminate()
            second.wait()
            output.seek(0)
            sys.stdout.write(output.read().decode(errors="replace"))
    return max(codes)


def _second_lab(folder: Path) -> tuple[Path, dict[str, str]]:
    """A copy of the checkout in the folder, and what makes its lab another one.

    It has copies of the first lab's keys, so that both take the same images, and what else it keeps is kept beside the
    first lab's. `python -m lab down` removes both labs.
    """
    # Only one of two can start it.
    engine.ensure(silent)
    shutil.copytree(REPO, folder / "checkout", ignore=shutil.ignore_patterns(*_LEFT_OUT), symlinks=True)
    state = topology.STATE / "second"
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    ssh.ensure_key()
    for authority in (topology.CA, topology.PRIVATE_CA):
        pki.ensure_ca(authority)
    shutil.copytree(topology.PKI, state / topology.PKI.name, dirs_exist_ok=True)
    keys = state / topology.SSH_KEY.parent.name
    keys.mkdir(mode=0o700, exist_ok=True)
    for key in (topology.SSH_KEY, topology.SSH_KEY.with_suffix(".pub")):
        shutil.copy2(key, keys)
    topology.LOCKS.mkdir(exist_ok=True)
    if not (locks := state / topology.LOCKS.name).is_symlink():
        locks.symlink_to(topology.LOCKS)
    (folder / "checkout/lab/.state").symlink_to(state)
    own = topology.subnet()
    beside = f"{own.network_address + own.num_addresses}/{own.prefixlen}"
    return folder / "checkout", {
        topology.PREFIX_VARIABLE: f"{topology.PREFIX}-2",
        topology.IMAGES_VARIABLE: topology.IMAGES,
        topology.SUBNET_VARIABLE: beside,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
