"""Directives of a hand-written configuration, each with the file and line that it came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway.checkout.own_directives import Directive, location_of
from gateway.problems import shown

# How many arguments of a directive come before a value that may be a password.
_BEFORE_A_VALUE = {"proxy_set_header": 1, "add_header": 1, "add_trailer": 1, "set": 1, "fastcgi_param": 1}


@dataclass(frozen=True)
class Placed(Directive):
    """A directive of a file, by the name that the file had where it was read. Included files stand in the place of
    their `include`."""

    block: tuple[Placed, ...] | None = None
    file: str = ""

    @property
    def inner(self) -> tuple[Placed, ...]:
        """The directives in it, none where it is no block."""
        return self.block or ()

    @property
    def first(self) -> str:
        """Its first argument, "" where it has none."""
        return self.arguments[0] if self.arguments else ""

    @property
    def words(self) -> str:
        """As it stands in a message: its name and arguments, without its block and not too long.

        Values that may be passwords are left out: those of headers and variables, and what a condition compares with.
        """
        told = self.arguments[: _BEFORE_A_VALUE.get(self.name)]
        if self.name == "if" and set(self.arguments) & {"=", "!="}:
            told = self.arguments[:2]
        arguments = " ".join(told if told == self.arguments else (*told, "..."))
        return shown(f"if ({arguments})" if self.name == "if" else f"{self.name} {arguments}".rstrip())


@dataclass(frozen=True, order=True)
class Finding:
    """What is to be told about a line of the source. `line` is 0 where it is about the whole file."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.file}:{self.line}" if self.line else self.file


def at(one: Placed, text: str) -> Finding:
    """A finding about a directive."""
    return Finding(one.file, one.line, text)


def named(block: Iterable[Placed], *names: str) -> list[Placed]:
    """The directives of these names, in their order; none from blocks inside."""
    return [one for one in block if one.name in names]


def every(block: Iterable[Placed]) -> Iterator[Placed]:
    """All directives, those in blocks inside too."""
    for one in block:
        yield one
        yield from every(one.inner)


def path_of(location: Placed) -> str:
    """What a location matches, without its sign."""
    return location_of(location.arguments)[1]


def nearest(levels: Iterable[Iterable[Placed]], *names: str) -> list[Placed]:
    """What nginx takes of directives that are inherited all or nothing: those of the first level that has any.

    `levels` go from a location outwards.
    """
    return next((found for level in levels if (found := named(level, *names))), [])
