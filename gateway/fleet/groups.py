"""Groups of an inventory file as they are written: hosts that pyinfra would leave out, or misread, without a word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from pyinfra.api import Host
from pyinfra_cli.util import exec_file

from gateway.problems import Problem

_HOST = '("203.0.113.10", {"sites": [...]})'
_LOST = (
    f"is no list of hosts that pyinfra can read; right would be [{_HOST}], "
    'or, where no hosts are meant, a name that starts with "_"'
)
# How deep a host may lie in what was meant as a group: a dict in a pair in a list.
_DEPTH = 3


def read(path: str) -> dict[str, Any]:
    """Runs an inventory file. Every variable of it that could be a group, by name.

    Raises what pyinfra's loader raises where the file cannot be run.
    """
    names: dict[str, Any] = exec_file(path, return_locals=True)
    return {name: value for name, value in names.items() if not name.startswith("_")}


def misread(names: Mapping[str, Any]) -> list[Problem]:
    """An error for each group that pyinfra would take for other hosts than were meant, and each entry that is no host.

    `names` as read() gives them.
    """
    found = []
    for name, value in names.items():
        if _is_misread(value):
            found.append(Problem("", "", name, _LOST))
        for number, entry in enumerate(written_hosts(value) or ()):
            if not _is_host(entry):
                text = f"is no host: neither a name nor a name and its data; right would be {_HOST}"
                found.append(Problem("", "", f"{name}[{number}]", text))
    return found


def left_out(names: Mapping[str, Any], meant: Collection[str] = (), hosts: Collection[str] = ()) -> list[Problem]:
    """An error for each variable that was meant as a group and that pyinfra takes for none.

    It was meant as one where its name is in `meant`, or where it names a host that is not in `hosts`: one that names
    only hosts that pyinfra has found is what some group was made of.
    """
    return [
        Problem("", "", name, _LOST)
        for name, value in names.items()
        if written_hosts(value) is None
        and not _is_misread(value)
        and (name in meant or not set(_names(value)).issubset(hosts))
    ]


def given_twice(names: Mapping[str, Any]) -> list[Problem]:
    """An error for each host that has two entries with data: pyinfra would keep one and drop the other's sites."""
    entries = [entry for value in names.values() for entry in written_hosts(value) or ()]
    hosts = Counter(entry[0] for entry in entries if isinstance(entry, tuple))
    text = "has two entries with data, of which one would be lost; put all its sites into one"
    return [Problem(host, "", "sites", text) for host, number in hosts.items() if number > 1]


def two_platforms(host: Host) -> list[Problem]:
    """An error where groups of the host differ about the platform of its sites.

    The order of groups would decide, which nobody sees as a choice.
    """
    own = host.data.dict()
    sites = own["sites"] if isinstance(own.get("sites"), list | tuple) else [None]
    if all(isinstance(site, Mapping) and site.get("platform") is not None for site in sites):
        return []
    if "platform" in host.host_data or "platform" in host.inventory.get_override_data():
        return []
    given = {name: host.inventory.get_group_data(name).get("platform") for name in host.groups}
    named = {name: platform for name, platform in given.items() if platform is not None}
    if len(set(map(repr, named.values()))) < 2:
        return []
    (first, platform), *others = named.items()
    more = "".join(f' and "{other}" in {name}' for name, other in others)
    text = (
        f'is "{platform}" in the group {first}{more}; name the host in one of them only '
        '(the file\'s own name is a group too), or give each of its sites its own "platform"'
    )
    return [Problem(host.name, "", "platform", text)]


def written_hosts(value: Any) -> Iterable[Any] | None:
    """The entries of a group that is written as pyinfra reads groups. None where `value` is none."""
    if isinstance(value, tuple):
        if len(value) != 2 or not isinstance(value[0], list | tuple) or not isinstance(value[1], Mapping):
            return None
        value = value[0]
    if not isinstance(value, list | tuple) or not all(isinstance(entry, str | tuple) for entry in value):
        return None
    return value


def _is_misread(value: Any) -> bool:
    """Whether `value` is a tuple that pyinfra takes for hosts and their data, though it is something else."""
    if not isinstance(value, tuple) or written_hosts(value) is not None:
        return False
    hosts = value[0] if value else ()
    # what cannot be gone through stops pyinfra
    return not isinstance(hosts, Iterable) or all(isinstance(entry, str | tuple) for entry in hosts)


def _is_host(entry: Any) -> bool:
    """Whether it is the name of a host, or a name and data."""
    name, data = entry if isinstance(entry, tuple) and len(entry) == 2 else (entry, {})
    return isinstance(name, str) and name != "" and isinstance(data, Mapping)


def _names(value: Any, depth: int = _DEPTH) -> Iterator[str]:
    """Every text in `value` that stands beside a dict as a host's name stands beside its data."""
    if depth < 0:
        return
    if isinstance(value, Mapping):
        data = value.values()
        if all(isinstance(one, Mapping) for one in data) and any("sites" in one for one in data):
            yield from map(str, value)
    elif isinstance(value, list | tuple):
        if any(isinstance(part, Mapping) for part in value):
            yield from (part for part in value if isinstance(part, str))
        for part in value:
            yield from _names(part, depth - 1)
