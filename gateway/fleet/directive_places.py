"""Where directives of the operator's own stand, and which rules of gateway/fleet/directive_rules.py meet them there."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from gateway.checkout.own_directives import Directive
from gateway.inventory.site import Site

Arguments = tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """Where a directive stands: in the server blocks of a site, or `inside` of a block there.

    `proxy_protocol` is True where a load balancer of layer 4 says who the visitors are. The block `asks` where it lets
    in some people alone, and is `closed` where nobody else gets anything from it.
    """

    site: Site
    proxy_protocol: bool = False
    inside: bool = False
    asks: bool = False
    closed: bool = False

    def within(self, block: Sequence[Directive]) -> Place:
        """The place in a block that stands at this place."""
        asks = self.asks or any(_lets_in_some(one) for one in block)
        returns = [one.arguments for one in block if one.name == "return"]
        nothing = bool(returns) and all(map(refuses, returns))
        # return is done before anybody is asked
        closed = self.closed or nothing or (asks and not returns) or any(one.name == "internal" for one in block)
        return Place(self.site, self.proxy_protocol, True, asks, closed)


def _lets_in_some(one: Directive) -> bool:
    if one.name in ("auth_basic", "auth_request", "auth_jwt"):
        return one.arguments[:1] != ("off",)
    return one.name == "deny" and one.arguments == ("all",)


def refuses(arguments: Arguments) -> bool:
    """Whether a `return` with these arguments gives visitors nothing."""
    return bool(arguments) and re.fullmatch("4[0-9][0-9]", arguments[0]) is not None


@dataclass(frozen=True)
class Rule:
    """Directives, by name or pattern, that undo something, and a `text` that says what, and what would be right.

    It counts in the server block itself, in blocks inside it, or in both; only where the arguments are such that
    `undoes` is true, and only `at` places where that is. What is said `twice` cannot work in the server block: the
    gateway says it there too, and nginx takes it once. Nor can what nginx has `refused`.
    """

    names: tuple[str, ...]
    text: str
    where: Literal["server", "inside", "both"] = "server"
    undoes: Callable[[Arguments], bool] = lambda _: True
    at: Callable[[Place], bool] = lambda _: True
    twice: bool = False
    refused: bool = False

    def meets(self, one: Directive, place: Place) -> bool:
        here = (self.where == "both" or (self.where == "inside") == place.inside) and self.at(place)
        return here and any(fnmatchcase(one.name, name) for name in self.names) and self.undoes(one.arguments)

    def cannot_work(self, one: Directive, place: Place) -> bool:
        # At edge slb no server of the site speaks TLS, or says how.
        return self.refused or (self.twice and not (place.site.edge == "slb" and one.name.startswith("ssl_")))
