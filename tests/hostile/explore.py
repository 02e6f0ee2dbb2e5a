"""Many generated requests, few connections: hypothesis makes lists of them, each list goes out together."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

CASES = int(os.environ.get("WECOM_HOSTILE_CASES", "10000"))
_BATCH = 25
_SHOWN = 12

Case = TypeVar("Case")
# Sends a list of cases, counts what is worth telling, and says what is wrong, one text for each wrong case.
Send = Callable[[Sequence[Case], Counter[str]], Iterable[str]]


def explore(strategy: st.SearchStrategy[Case], send: Send[Case], cases: int = CASES) -> tuple[Counter[str], str]:
    """Hands `send` at least `cases` cases in lists; returns what it counted, and a line to print.

    Fails at the end with the shortest of what is wrong. Every run draws other cases; a failure names the seed
    that draws the same again.
    """
    number = int(os.environ.get("WECOM_HOSTILE_SEED") or random.SystemRandom().randrange(2**32))
    counts: Counter[str] = Counter()
    wrong: set[str] = set()
    started = time.monotonic()

    @seed(number)
    @settings(
        max_examples=-(-cases // _BATCH),
        deadline=None,
        database=None,
        # Cases stand for themselves: the shortest of many says more than one made shorter over minutes.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(strategy, min_size=_BATCH, max_size=_BATCH))
    def run(batch: list[Case]) -> None:
        counts["cases"] += len(batch)
        wrong.update(send(batch, counts))

    try:
        run()
        assert counts["cases"] >= cases, "the strategy ran out of cases"
        shortest = "\n".join(sorted(wrong, key=len)[:_SHOWN])
        assert not wrong, f"{len(wrong)} of {counts['cases']} cases are wrong, the shortest:\n{shortest}"
    except BaseException as error:
        error.add_note(f"the same again with WECOM_HOSTILE_SEED={number}")
        raise
    told = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
    return counts, f"{told} in {time.monotonic() - started:.0f} s, seed {number}"
