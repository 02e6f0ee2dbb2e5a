"""The file that remembers what a robot was told, so that nothing is told twice."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway import whole_file
from gateway.notify.changes import Concern
from gateway.product import NAME


class MemoryFileError(Exception):
    """The file cannot be read or written; the message says why and what to do."""


class Memory:
    """What was told, by the run that told it, and when messages went out, in seconds since 1970."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        told = data.get("told", {})
        self._told = {str(name): [(str(place), str(text)) for place, text in rows] for name, rows in told.items()}
        self.sent = [float(one) for one in data.get("sent", ())]

    def told(self, run: str) -> list[Concern]:
        return [Concern(place, text) for place, text in self._told.get(run, ())]

    def tell(self, run: str, concerns: Iterable[Concern]) -> None:
        self._told[run] = [(one.place, one.text) for one in sorted(concerns)]

    def as_data(self) -> dict[str, Any]:
        return {"version": 1, "told": self._told, "sent": self.sent}


def default_path(environment: Mapping[str, str]) -> Path:
    """Below systemd's StateDirectory where it gives one, else where programs of a user keep such files."""
    if given := environment.get("STATE_DIRECTORY", "").partition(":")[0]:
        return Path(given) / "notified.json"
    state = environment.get("XDG_STATE_HOME") or Path(environment.get("HOME", "."), ".local", "state")
    return Path(state) / NAME / "notified.json"


@contextmanager
def opened(path: Path) -> Iterator[Memory]:
    """The memory at `path`, for one run at a time. Where the context ends without an error it is written anew, whole.

    Raises MemoryFileError.
    """
    try:
        if path.exists() and not path.is_file():  # nothing else may be replaced, such as /dev/null by root
            raise MemoryFileError(f"{path}: is no regular file; --notify-memory names another")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.with_name(f"{path.name}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            memory = _read(path)
            # On a full disk nothing is told: each run would tell it again.
            _write(path, memory)
            yield memory
            _write(path, memory)
    except OSError as error:
        raise MemoryFileError(
            f"{path}: cannot be used ({error.strerror}); --notify-memory names another file"
        ) from None


def _read(path: Path) -> Memory:
    try:
        return Memory(json.loads(path.read_bytes() or b"{}"))
    except FileNotFoundError:
        return Memory({})
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise MemoryFileError(
            f"{path}: is no memory of --notify; remove it, and everything is told once more"
        ) from None


def _write(path: Path, memory: Memory) -> None:
    # in ASCII: names of folders need not be UTF-8
    staged = whole_file.stage(path, json.dumps(memory.as_data(), indent=1).encode())
    try:
        staged.replace(path)
    finally:
        staged.unlink(missing_ok=True)
