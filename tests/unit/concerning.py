"""What tests of --notify share: a concern, and a run that saw some."""

from __future__ import annotations

from gateway.notify.changes import Concern, Seen

DOWN = Concern("gw-a", "nginx does not answer; see journalctl -u nginx there, then deploy")


def saw(*concerns: Concern, asked: bool = True, exists: bool = True) -> Seen:
    """What a run saw that asked every place or, with `asked` False, none; with `exists` False no place is left."""
    return Seen(concerns, lambda _: asked, lambda _: exists)
