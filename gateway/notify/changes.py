"""What has changed between two runs of a command: what is newly wrong, and what no longer is. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

# Numbers, dates, ids of releases and tokens are other ones at every run, and the concern the same. What is part of a
# name, an address or a path, or says which port, tells one concern from another.
_VARIES = re.compile(
    r"(?<=/acme-challenge/)[\w-]+|\b0x[0-9a-f]+\b"
    r"|(?<![\w.:/@-])(?<!port )"
    r"(?:\d{4}[-/]\d\d[-/]\d\d(?:T[\d:]+Z?)?|\d\d:\d\d:\d\d|\d+ days?\b|\d+(?:\.\d+)?|[0-9a-f]{8,})"
    r"(?![\w/@-]|[.:]\w)"
)


# The place of what is wrong with the inventory itself.
INVENTORY = "inventory"


@dataclass(frozen=True, order=True)
class Concern:
    """One thing that somebody has to act on: where it is, and what is wrong there."""

    place: str
    text: str

    @property
    def key(self) -> str:
        """The same for the same concern with other numbers in its text."""
        return hashlib.sha256(f"{self.place}\0{_VARIES.sub('#', self.text)}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Seen:
    """What a run saw. `asked` says of a place whether the run would have told a concern of it, `exists` whether there
    still is such a place."""

    concerns: tuple[Concern, ...]
    asked: Callable[[str], bool]
    exists: Callable[[str], bool]


@dataclass(frozen=True)
class Changes:
    """What is new, what has ended, and everything that is known to be wrong now."""

    new: tuple[Concern, ...]
    ended: tuple[Concern, ...]
    open: Mapping[str, Concern]

    def __bool__(self) -> bool:
        return bool(self.new or self.ended)


def changes(before: Iterable[Concern], seen: Seen) -> Changes:
    """What has changed since a run that left the concerns `before`.

    One of a place that was not asked now, or did not answer, goes on as long as there is such a place.
    """
    now = {one.key: one for one in seen.concerns}
    known = {one.key: one for one in before}
    gone = {key: one for key, one in known.items() if key not in now}
    goes_on = {key: one for key, one in gone.items() if not seen.asked(one.place) and seen.exists(one.place)}
    return Changes(
        new=tuple(sorted(one for key, one in now.items() if key not in known)),
        ended=tuple(sorted(one for key, one in gone.items() if key not in goes_on)),
        open=now | goes_on,
    )
