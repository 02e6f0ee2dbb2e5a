"""From an inventory to checked hosts, without a connection to any of them.

The inventory is loaded by pyinfra's own loader, so groups, group_data and precedence are exactly those of
the deploy that follows.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import re
import traceback
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from pyinfra.api import Host as Remote
from pyinfra.api import Inventory, State
from pyinfra.api.exceptions import PyinfraError
from pyinfra.connectors.ssh import SSHConnector
from pyinfra.context import ctx_state
from pyinfra_cli.exceptions import UnexpectedExternalError
from pyinfra_cli.inventory import make_inventory
from pyinfra_cli.util import exec_file, parse_cli_arg

from gateway import acme, rendering
from gateway.certificates import exposed
from gateway.checkout import stray_files
from gateway.fleet import groups, host_keys, misplaced, shared_domains, wecom_rules, written_twice
from gateway.fleet.host import Host, parse_host
from gateway.inventory import domain_names
from gateway.problems import Problem, errors, shown

# What Windows editors put before the first line, and Python takes for a letter where it is given text.
_BOM = "\ufeff"
_UNCOMMAED = re.compile(
    r"'(?:tuple|list|dict|str)' object is not callable|list indices must be integers or slices, not "
)


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
    if wrong := _no_inventory(inventory):
        raise InventoryError(f"{inventory}: {wrong}")
    loaded, problems = _read(inventory, data, group_data)
    twice = {problem.host for problem in problems if problem.host}
    lost = any(not problem.host for problem in problems)
    parsed: list[Host] = []
    skipped = _matching(loaded, exclude)
    chosen = _matching(loaded, limit) if limit else {host.name for host in loaded}
    for pattern in limit:
        if not lost and not _matching(loaded, [pattern]):
            raise InventoryError(f"--limit {pattern}: no host or group of {inventory} has that name")
    shared = _shared_addresses(loaded)
    wanted = {host.name: host.data.dict() for host in loaded if host.name in chosen and host.name not in skipped}
    for name, own in wanted.items():
        host = loaded.hosts[name]
        one, found = parse_host(name, own, files, certificates=certificates)
        found += [*host_keys.errors(host), *host_keys.warnings(name, own), *shared.get(name, ())]
        found += misplaced.problems(host)
        if name not in twice:
            found += _two_platforms(host)
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
    problems += [*acme.warnings(parsed), *wecom_rules.warnings(parsed)]
    if not parsed and not problems:
        raise InventoryError(f"{inventory}: no hosts in it; add an entry as README.md shows")
    problems += rendering.problems()
    # what is wrong in a group's data is found at each of its hosts
    return Fleet(tuple(parsed), tuple(dict.fromkeys(problems)), loaded)


def _written(inventory: str, group_data: Iterable[str]) -> list[Path]:
    """The files that an inventory is read from."""
    return [
        Path(inventory),
        *(path for folder in ("group_data", *group_data) for path in sorted(Path(folder).glob("*.py"))),
    ]


def _domains(loaded: Inventory) -> set[str]:
    """Every host's, also as a wrong one was meant."""
    found: set[str] = set()
    for host in loaded:
        sites = host.data.dict().get("sites")
        for site in sites if isinstance(sites, list | tuple) else [sites]:
            if isinstance(site, Mapping) and isinstance(site.get("domain"), str):
                found |= {site["domain"], domain_names.corrected(site["domain"]) or site["domain"]}
    return found


def _read(inventory: str, data: Iterable[str], group_data: Iterable[str]) -> tuple[Inventory, list[Problem]]:
    """pyinfra's inventory and what is wrong with its groups. It is empty where pyinfra would take others for hosts."""
    had_state = ctx_state.get()
    state = had_state or State()  # pyinfra's loader notes in it which file it runs
    running = state.current_exec_filename
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
        raise InventoryError(_ending(error, inventory)) from None
    except UnexpectedExternalError as error:
        raise InventoryError(_where(error.exception, error.filename)) from None
    except (PyinfraError, SyntaxError, OSError, UnicodeError, TypeError, ValueError, LookupError) as error:
        file = state.current_exec_filename
        raise InventoryError(_unreadable(error, file if file and file != running else inventory)) from None
    finally:
        ctx_state.set(had_state)
    meant = {name for name, given in loaded.group_data.items() if given}
    hosts = {host.name for host in loaded}
    return loaded, [*groups.left_out(names, meant, hosts), *groups.given_twice(names)]


def _two_platforms(host: Remote) -> list[Problem]:
    """An error where the order of lists, which nobody sees as a choice, decides which platform some site has."""
    own = host.data.dict()
    sites = own["sites"] if isinstance(own.get("sites"), list | tuple) else [None]
    if all(isinstance(site, Mapping) and site.get("platform") is not None for site in sites):
        return []
    if "platform" in host.host_data or "platform" in host.inventory.get_override_data():
        return []
    given = {name: host.inventory.get_group_data(name) for name in host.groups}
    return [Problem(host.name, "", "platform", text) for text in groups.platforms(given)]


def _shared_addresses(inventory: Inventory) -> dict[str, list[Problem]]:
    """By host, an error where another entry is the same machine: each deploy would take away the other's sites."""
    machines: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for host in inventory:
        # what other connectors reach is told apart by name
        if issubclass(host.connector_cls, SSHConnector):
            machines[_machine(host)].append(host.name)
    found = {}
    for (address, port, *_), names in machines.items():
        place = f'"{shown(address)}"' if port == "22" else f'"{shown(address)}", port {shown(port)},'
        for name in names if len(names) > 1 else ():
            other = next(one for one in names if one != name)
            text = (
                f"{place} is the address of {other} too, and a deploy of one would take away the other's sites; "
                "put all its sites into one entry, or correct the address"
            )
            found[name] = [Problem(name, "", "ssh_hostname", text)]
    return found


def _machine(host: Remote) -> tuple[str, ...]:
    """Address and port by which SSH reaches a host, and on which way: behind jump hosts addresses come again."""
    own = host.data.dict()
    address = own.get("ssh_hostname")
    if not isinstance(address, str) or not address:
        address = host.name
    try:
        address = str(ipaddress.ip_address(address))
    except ValueError:
        address = address.lower().removesuffix(".")
    way = (own.get("ssh_config_file"), own.get("ssh_paramiko_connect_kwargs"))
    return address, str(own.get("ssh_port") or 22), repr(way)


def _no_inventory(name: str) -> str | None:
    """What is wrong where a file was meant and the name is none."""
    path = Path(name)
    if path.is_dir():
        return "is a folder; name a file, for example inventory/prod.py"
    if path.suffix == ".py" and not path.is_file():
        return "no such file; name an inventory, for example inventory/prod.py"
    # without a slash it may be the name of a host
    if "/" in name and not path.exists() and Path(f"{name}.py").is_file():
        return f"no such file; did you mean {name}.py?"
    return None


def _unreadable(error: Exception, filename: str) -> str:
    """Where and why a file, or what was named instead of one, is no inventory."""
    if isinstance(error, SyntaxError):
        if (error.text or "").startswith(_BOM) and error.lineno == 1:
            return f"{error.filename}: starts with a byte order mark; save it as UTF-8 without BOM"
        # one about the file as a whole has no place
        return f"{error.filename}:{error.lineno}: {error.msg}" if error.filename else f"{filename}: {error.msg}"
    if isinstance(error, UnicodeDecodeError):
        return f"{filename}: is not UTF-8 text; save it as UTF-8"
    if isinstance(error, LookupError | UnicodeError) and not isinstance(error, PyinfraError):
        right = "right would be a file like inventory/prod.py, or hosts like 203.0.113.10,203.0.113.11"
        return f"{filename}: no hosts can be read from it; {right}"
    return f"{filename}: {error}"


def _where(error: Exception, filename: str) -> str:
    """File, line and message of an exception raised by an operator's own inventory code."""
    if isinstance(error, SyntaxError) and error.filename:
        return _unreadable(error, filename)
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == filename]
    # what Python makes of two entries without a comma between them
    hint = "; a comma is missing between two entries" if _UNCOMMAED.match(str(error)) else ""
    return f"{filename}:{lines[-1] if lines else 0}: {type(error).__name__}: {error}{hint}"


def _ending(error: SystemExit, inventory: str) -> str:
    """Where an operator's own code ends the run, which would else pass for a clean check without a word."""
    frames = traceback.extract_tb(error.__traceback__)
    # what pyinfra runs is the inventory or a file of group data; neither stands in the error
    run = [after for before, after in pairwise(frames) if before.name == exec_file.__name__]
    place = f"{run[-1].filename}:{run[-1].lineno}" if run else inventory
    said = f" ({shown(error.code)})" if isinstance(error.code, str) else ""
    return f"{place}: ends the run{said}; take sys.exit or exit out, or raise an exception that says what is wrong"


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
