"""From an inventory to checked hosts, without a connection to any of them.

The inventory is loaded by pyinfra's own loader, so groups, group_data and precedence are exactly those of
the deploy that follows.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pyinfra.api import Inventory, State
from pyinfra.api.exceptions import PyinfraError
from pyinfra.context import ctx_state
from pyinfra_cli.exceptions import UnexpectedExternalError
from pyinfra_cli.inventory import make_inventory
from pyinfra_cli.util import PYTHON_CODES, parse_cli_arg

from gateway import rendering
from gateway.certificates import exposed
from gateway.checkout import stray_files
from gateway.fleet import (
    groups,
    host_keys,
    inventory_file,
    misplaced,
    same_machine,
    shared_data,
    shared_domains,
    upstream_rules,
    vagrant,
    wecom_rules,
    written_twice,
)
from gateway.fleet.host import Host
from gateway.fleet.parsing import parse_host
from gateway.inventory import domain_names
from gateway.problems import Problem, errors


@dataclass(frozen=True)
class Fleet:
    """The hosts of an inventory, or of a part of it, that have no error, and every problem."""

    hosts: tuple[Host, ...]
    problems: tuple[Problem, ...]
    # pyinfra's inventory with all hosts, their groups and their SSH settings
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
    if wrong := inventory_file.wrong_name(inventory):
        raise InventoryError(f"{inventory}: {wrong}")
    loaded, problems = read_inventory(inventory, data, group_data)
    # hosts with two entries: their data is one entry's or the other's
    twice = {problem.host for problem in problems if problem.host}
    # groups that could not be read: hosts and domains are missing that may well be written there
    lost = any(not problem.host for problem in problems)
    parsed: list[Host] = []
    skipped = _matching(loaded, exclude)
    chosen = _matching(loaded, limit) if limit else {host.name for host in loaded}
    for pattern in limit:
        if not lost and not _matching(loaded, [pattern]):
            raise InventoryError(f"--limit {pattern}: no host or group of {inventory} has that name")
    same = same_machine.problems(loaded)
    wanted = {host.name: host.data.dict() for host in loaded if host.name in chosen and host.name not in skipped}
    for name, own in wanted.items():
        host = loaded.hosts[name]
        one, found = parse_host(name, own, files, certificates=certificates)
        found += [*host_keys.errors(host), *host_keys.warnings(name, own)]
        if name in same:
            found.append(same[name])
        found += misplaced.problems(host)
        if name not in twice:
            found += groups.two_platforms(host)
        problems += found
        if one and not errors(found):
            parsed.append(one)
    problems += shared_domains.problems(wanted.items())
    if certificates:
        problems += exposed.warnings((own.get("ssh_key") for own in wanted.values()), files)
    if Path(inventory).is_file():
        problems += written_twice.problems(_written(inventory, group_data))
        if not lost:
            problems += stray_files.warnings(_domains(loaded), Path(inventory), files)
    problems += [*shared_domains.warnings(parsed), *wecom_rules.warnings(parsed), *upstream_rules.warnings(parsed)]
    if not parsed and not problems:
        raise InventoryError(f"{inventory}: no hosts in it; add an entry as README.md shows")
    problems += rendering.problems()
    return Fleet(tuple(parsed), tuple(shared_data.told_once(problems, loaded)), loaded)


def _written(inventory: str, group_data: Iterable[str]) -> list[Path]:
    """The files that an inventory is read from."""
    return [
        Path(inventory),
        *(path for folder in ("group_data", *group_data) for path in sorted(Path(folder).glob("*.py"))),
    ]


def _domains(loaded: Inventory) -> set[str]:
    """The domains of all sites as they are written, and what wrong ones were meant to be."""
    found: set[str] = set()
    for host in loaded:
        sites = host.data.dict().get("sites")
        for site in sites if isinstance(sites, list | tuple) else [sites]:
            if isinstance(site, Mapping) and isinstance(site.get("domain"), str):
                found |= {site["domain"], domain_names.corrected(site["domain"]) or site["domain"]}
    return found


def read_inventory(
    inventory: str, data: Iterable[str] = (), group_data: Iterable[str] = ()
) -> tuple[Inventory, list[Problem]]:
    """pyinfra's inventory, and what is wrong with its groups. Empty where pyinfra would misread what a group holds.

    Raises InventoryError where it cannot be loaded.
    """
    had_state = ctx_state.get()
    state = had_state or State()  # pyinfra's loader notes in it which file it runs
    running = state.current_exec_filename
    vagrant.use_connector()
    # pyinfra keeps what it compiled, and `add` has changed the file since
    PYTHON_CODES.pop(inventory, None)
    try:
        ctx_state.set(state)
        names = groups.read(inventory) if Path(inventory).is_file() else {}
        if problems := groups.misread(names):
            return Inventory.empty(), [*problems, *groups.left_out(names)]
        loaded = make_inventory(
            inventory,
            cwd=str(Path.cwd()),
            override_data={key: parse_cli_arg(value) for key, _, value in (text.partition("=") for text in data)},
            group_data_directories=list(group_data),
        )
    except SystemExit as error:
        raise InventoryError(inventory_file.ended(error, inventory)) from None
    except UnexpectedExternalError as error:
        raise InventoryError(inventory_file.raised(error.exception, error.filename)) from None
    except (PyinfraError, SyntaxError, OSError, UnicodeError, TypeError, ValueError, LookupError) as error:
        file = state.current_exec_filename
        place = file if file and file != running else inventory
        raise InventoryError(inventory_file.unreadable(error, place)) from None
    finally:
        ctx_state.set(had_state)
    meant = {name for name, given in loaded.group_data.items() if given}
    hosts = {host.name for host in loaded}
    return loaded, [*groups.left_out(names, meant, hosts), *groups.given_twice(names)]


def _matching(inventory: Inventory, patterns: Iterable[str]) -> set[str]:
    """Names of the hosts that pyinfra's `--limit` would choose: a group's members, or names that fit the pattern."""
    names: set[str] = set()
    for pattern in patterns:
        group = inventory.groups.get(pattern)
        if group is not None:
            names |= {host.name for host in group}
        else:
            names |= {host.name for host in inventory if fnmatch.fnmatch(host.name, pattern)}
    return names
