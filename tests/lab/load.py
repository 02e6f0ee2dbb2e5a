"""A stream of requests that runs while something is done to a host."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import TracebackType

from lab import client, topology


class Load:
    """Sends requests from a few threads until the block ends; `failures` must stay empty.

    Each request is a connection of its own, as from new phones; to another address from when `connect` is set to it.
    Bounded: at most `seconds` long.
    """

    def __init__(
        self, url: str, connect: str, *, threads: int = 3, seconds: float = 120, ca: Path = topology.CA
    ) -> None:
        self.sent = 0
        self.failures: list[str] = []
        self._url, self.connect, self._ca = url, connect, ca
        self._until = time.monotonic() + seconds
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if error is None:
            assert self.sent > 10, "no load to speak of"
            assert not self.failures, f"{self._url}: {len(self.failures)} of {self.sent} failed: {self.failures[:3]}"

    def _run(self) -> None:
        while not self._stop.is_set() and time.monotonic() < self._until:
            try:
                status = client.request(self._url, connect=self.connect, timeout=15, ca=self._ca).status
                failure = "" if status == 200 else f"status {status}"
            except OSError as error:
                failure = f"{type(error).__name__}: {error}"
            with self._lock:
                self.sent += 1
                if failure:
                    self.failures.append(f"{time.strftime('%H:%M:%S')} {failure}")
            time.sleep(0.01)
