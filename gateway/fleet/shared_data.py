"""What is wrong with a platform, or with data that a group gives its hosts, is one mistake, and is told once."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from dataclasses import replace

from pyinfra.api import Inventory

from gateway.problems import Problem


def told_once(problems: Iterable[Problem], inventory: Inventory) -> list[Problem]:
    """The problems; of those that one mistake makes at several hosts or sites a single one, without a host, that says
    how many they are and names the first."""
    same: dict[Hashable, list[Problem]] = {}
    for one in dict.fromkeys(problems):
        mistake = (one.field, one.text, one.severity, bool(one.domain)) if _is_shared(one, inventory) else one
        same.setdefault(mistake, []).append(one)
    return [found[0] if len(found) == 1 else _together(found) for found in same.values()]


def _is_shared(problem: Problem, inventory: Inventory) -> bool:
    """Whether it may be the same mistake elsewhere: one of a platform, or of data that is not the host's own."""
    key = re.split(r"[.\[]", problem.field)[0]
    if problem.domain:
        return key == "platform"
    host = inventory.hosts.get(problem.host)
    return host is not None and key not in host.host_data and (key == "platforms" or key in host.data.dict())


def _together(found: list[Problem]) -> Problem:
    first = found[0]
    if first.domain:
        concerned = f"it concerns {len({one.domain for one in found})} sites, like {first.domain}"
    else:
        concerned = f"it concerns {len(found)} hosts, like {first.host}"
    return replace(first, host="", domain="", text=f"{first.text} ({concerned})")
