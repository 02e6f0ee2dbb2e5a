"""Makes each wrong change of changes/*.toml in a copy of the checkout and sees that the fast tests catch it.

`python -m tests.mutants` runs all of them, two at a time; `--only WORD` those whose name or changed text has the word;
`--some N` as many, drawn anew each time; `--list` prints their names. First the tests have to pass without any change;
`--passed` says that they just did. Exit 1 where a change passed the tests, 2 where the list itself is wrong.
"""

from __future__ import annotations

import argparse
import queue
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tests import warm
from tests.mutants.catalogue import CatalogueError, Mutant, read
from tests.mutants.copies import Copy, Outcome

_AT_A_TIME = 2


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="WORD", default="", help="only changes whose name or text has this word")
    parser.add_argument("--list", action="store_true", help="print the changes, run nothing")
    parser.add_argument("--some", metavar="N", type=int, help="only so many of them, others each time")
    parser.add_argument("--passed", action="store_true", help="all tests have just passed here: not again first")
    options = parser.parse_args(arguments)
    try:
        mutants = [one for one in read() if options.only in f"{one.name}\n{one.old}\n{one.new}"]
    except CatalogueError as error:
        print(error, file=sys.stderr)
        return 2
    if options.some:
        mutants = random.sample(mutants, min(options.some, len(mutants)))
    if not mutants:
        print(f"no change has {options.only!r} in its name or text", file=sys.stderr)
        return 2
    if options.list:
        for one in mutants:
            print(f"{one.name}\n    {one.path}; {' '.join(one.tests)}")
        print(f"{len(mutants)} changes")
        return 0
    started = time.monotonic()
    warm.compile_product()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies: queue.SimpleQueue[Copy] = queue.SimpleQueue()
        for number in range(_AT_A_TIME):
            copies.put(Copy(Path(folder) / str(number)))
        status = (not options.passed and _unchanged(copies, mutants)) or _run(copies, mutants)
    print(f"{len(mutants)} changes in {time.monotonic() - started:.0f} s")
    return status


def _unchanged(copies: queue.SimpleQueue[Copy], mutants: Iterable[Mutant]) -> int:
    """Runs every named test without a change: a test that fails anyway proves nothing. 0 where all pass, else 2."""
    named = sorted({test for one in mutants for test in one.tests})
    files: dict[str, list[str]] = {}
    for test in named:
        files.setdefault(test.partition("::")[0], []).append(test)
    halves: list[list[str]] = [[] for _ in range(_AT_A_TIME)]
    for tests in files.values():
        # a file that is named as a whole has its tests in it
        whole = [test for test in tests if "::" not in test]
        min(halves, key=len).extend(whole or tests)
    with ThreadPoolExecutor(_AT_A_TIME) as workers:
        for done in [workers.submit(_on_a_copy, copies, None, half) for half in halves if half]:
            outcome = done.result()
            if outcome.kind != "survived":
                print(f"the named tests do not pass without any change:\n{outcome.output}", file=sys.stderr)
                return 2
    return 0


def _run(copies: queue.SimpleQueue[Copy], mutants: list[Mutant]) -> int:
    left: list[Mutant] = []
    wrong = 0
    lock = threading.Lock()
    with ThreadPoolExecutor(_AT_A_TIME) as workers:
        runs = {workers.submit(_on_a_copy, copies, one, one.tests): one for one in mutants}
        for number, run in enumerate(as_completed(runs), 1):
            mutant, outcome = runs[run], run.result()
            with lock:
                print(f"[{number}/{len(mutants)}] {outcome.kind:8} {outcome.seconds:4.1f} s  {mutant.name}", flush=True)
            if outcome.kind == "survived":
                left.append(mutant)
            elif outcome.kind == "unclear":
                wrong += 1
                print(outcome.output, flush=True)
    for one in left:
        print(f"\nno test noticed: {one.name}\n  {one.path}\n  - {one.old}\n  + {one.new}\n  {' '.join(one.tests)}")
    if wrong:
        print(f"{wrong} of them could not be judged: pytest ended before any test could fail", file=sys.stderr)
    return 1 if left else 2 if wrong else 0


def _on_a_copy(copies: queue.SimpleQueue[Copy], mutant: Mutant | None, tests: Iterable[str]) -> Outcome:
    copy = copies.get()
    try:
        return copy.tried(mutant, tests)
    finally:
        copies.put(copy)


if __name__ == "__main__":
    sys.exit(main())
