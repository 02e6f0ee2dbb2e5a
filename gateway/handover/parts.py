"""What the steps of a sheet are made of."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.wecom.bilingual import Text


@dataclass(frozen=True)
class Row:
    """A named value, or several, to copy as they stand."""

    name: Text
    values: tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """Whose job, what to do, and the values for it."""

    number: str
    who: tuple[Text, ...]
    text: Text
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Section:
    """Steps that belong together."""

    title: Text
    steps: tuple[Step, ...]
