"""From an inventory to checked hosts, without a connection to any of them.

The inventory is loaded by pyinfra's own loader, so groups, group_data and precedence are exactly those of
the deploy that follows.
"""

from __future__ import annotations

import fnmatch
import traceback
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pyinfra.api import Inventory, State
from pyinfra.api.exceptions import PyinfraError
from pyinfra.context import ctx_state
from pyinfra_cli.exceptions import UnexpectedExternalError
from pyinfra_cli.inventory import _get_groups_from_filename, make_inventory
from pyinfra_cli.util import parse_cli_arg

from gateway import acme, host_keys, wecom_rules
from gateway.host import Host, parse_host
from gateway.problems import Problem


@dataclass(frozen=True)
class Fleet:
    """Every host of an inventory (within a limit), and all that is wrong with them."""

    hosts: tuple[Host, ...]
    problems: tuple[Problem, ...]
    # pyinfra's own view of the same hosts: groups, SSH settings and all
    inventory: Inventory


class InventoryError(Exception):
    """The inventory itself cannot be loaded; the message says where and why."""


def load(
    inventory: str,
    *,
    limit: Iterable[str] = (),
    exclude: Iterable[str] = (),
    group_data: Iterable[str] = (),
    data: Iterable[str] = (),
    files: Path = Path("files"),
    certificates: bool = True,
) -> Fleet:
    """Loads and checks `inventory` as `pyinfra INVENTORY` would see it from the current directory.

    `limit` and `exclude` are host or group names or shell patterns, `data` are `key=value` as after `--data`. Without
    `certificates`, certificates and keys are neither read nor missed.
    Raises InventoryError where there is no inventory to check.
    """
    path = Path(inventory)
    if path.suffix == ".py" and not path.is_file():
        raise InventoryError(f"{inventory}: no such file; name an inventory, for example inventory/prod.py")
    had_state = ctx_state.get()
    try:
        ctx_state.set(had_state or State())  # pyinfra's loader notes in it which file it runs
        problems = _given_twice(inventory) if path.is_file() else []
        loaded = make_inventory(
            inventory,
            cwd=str(Path.cwd()),
            override_data={key: parse_cli_arg(value) for key, _, value in (text.partition("=") for text in data)},
            group_data_directories=list(group_data),
        )
    except UnexpectedExternalError as error:
        raise InventoryError(_where(error.exception, error.filename)) from None
    except SyntaxError as error:
        raise InventoryError(f"{error.filename}:{error.lineno}: {error.msg}") from None
    except (PyinfraError, OSError, UnicodeError, TypeError, ValueError) as error:
        raise InventoryError(f"{inventory}: {error}") from None
    finally:
        ctx_state.set(had_state)

    parsed: list[Host] = []
    skipped = _matching(loaded, exclude)
    chosen = _matching(loaded, limit) if limit else {host.name for host in loaded}
    for pattern in limit:
        if not _matching(loaded, [pattern]):
            raise InventoryError(f"--limit {pattern}: no host or group of {inventory} has that name")
    for host in loaded:
        if host.name in chosen and host.name not in skipped:
            own = host.data.dict()
            one, found = parse_host(host.name, own, files, certificates=certificates)
            problems += [*found, *host_keys.warnings(host.name, own)]
            if one:
                parsed.append(one)
    problems += [*acme.warnings(parsed), *wecom_rules.warnings(parsed)]
    if not parsed and not problems:
        raise InventoryError(f"{inventory}: no hosts in it; add an entry as README.md shows")
    return Fleet(tuple(parsed), tuple(problems), loaded)


def _given_twice(inventory: str) -> list[Problem]:
    """Hosts that have two entries with data: pyinfra would keep one of them and drop the other's sites."""
    groups = _get_groups_from_filename(inventory)
    entries = [entry for group in groups.values() for entry in (group[0] if isinstance(group, tuple) else group)]
    names = [entry[0] for entry in entries if isinstance(entry, tuple)]
    text = "has two entries with data, of which one would be lost; put all its sites into one"
    return [Problem(name, "", "sites", text) for name, count in Counter(names).items() if count > 1]


def _where(error: Exception, filename: str) -> str:
    """File, line and message of an exception raised by an operator's own inventory code."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == filename]
    return f"{filename}:{lines[-1] if lines else 0}: {type(error).__name__}: {error}"


def _matching(inventory: Inventory, patterns: Iterable[str]) -> set[str]:
    """Names of hosts that pyinfra's `--limit` would choose: a group's members or a name's matches."""
    names: set[str] = set()
    for pattern in patterns:
        group = inventory.groups.get(pattern)
        if group is not None:
            names |= {host.name for host in group}
        else:
            names |= {host.name for host in inventory if fnmatch.fnmatch(host.name, pattern)}
    return names
