"""One more site in an inventory: where it goes, whether it could be deployed there, and the file with it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyinfra.api import Inventory

from gateway.editing import entry_text
from gateway.editing.inventory_code import Code, TooCleverError
from gateway.fleet import groups, host_keys
from gateway.fleet.parsing import parse_host
from gateway.inventory import domain_names
from gateway.problems import Problem, count, did_you_mean, errors, shown

_NO_NAME = re.compile(r"\W")
# Beside IP addresses and DNS names: what pyinfra takes for a connector's host, and a name out of ~/.ssh/config.
_HOST = re.compile(r"@[a-z]+/[\w.-]+|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,200}[A-Za-z0-9])?")


@dataclass(frozen=True)
class NewSite:
    """What is to be added. `address` is the host's name in the inventory, its address or a new host's. `entry` are the
    site's keys without `platform`; `platform` is empty where it is the one of the host's group."""

    address: str
    entry: Mapping[str, Any]
    platform: str = ""

    @property
    def domain(self) -> str:
        return str(self.entry["domain"])


@dataclass(frozen=True)
class Addition:
    """The inventory's new text. `host` is the entry's name in it; `where` says what became of the site in words."""

    text: bytes
    host: str
    where: str


class NotAddedError(Exception):
    """The site cannot be added; `reasons` are a sentence each, with place, fault and remedy."""

    def __init__(self, *reasons: object) -> None:
        self.reasons = tuple(map(str, reasons))
        super().__init__("; ".join(self.reasons))


def plan(new: NewSite, path: Path, inventory: Inventory, files: Path) -> Addition:
    """The inventory at `path`, loaded as `inventory`, with one site more. Changes nothing. Raises NotAddedError."""
    try:
        source = path.read_bytes()
        code, names = Code(str(path), source), _run(source, path)
        _refuse_known(new, code, inventory)
        name = _known_host(new.address, inventory)
        if name is None:
            return _new_host(new, code, names, inventory, files)
        host = inventory.hosts[name]
        before = host.data.dict()
        entry = _keys(new, before.get("platform"))
        text = code.with_site(name, entry_text.site(entry, code.quote, code.newline))
        _judge(name, new.domain, before, {**before, "sites": [*before.get("sites", ()), entry]}, files)
        _prove(path, names, text, name, entry)
        return Addition(text, name, f"added to {name}, which has {count(len(before['sites']) + 1, 'site')} now")
    except TooCleverError as error:
        raise NotAddedError(error) from None


def _new_host(new: NewSite, code: Code, names: Mapping[str, Any], inventory: Inventory, files: Path) -> Addition:
    name = new.address
    known = name.startswith("@") or not any(host_keys.no_address(name))
    if not (known and (domain_names.is_ip(name) or _HOST.fullmatch(name))) or name.startswith("["):
        right = "an address like 203.0.113.10, without user, port or scheme"
        raise NotAddedError(Problem("", new.domain, "--host", f'"{shown(name)}" is no host; right would be {right}'))
    written = {group for group, value in names.items() if groups.written_hosts(value) is not None}
    group = _group(new, code.path, written, inventory)
    data = _data(group, code.path, inventory)
    entry = _keys(new, data.get("platform"))
    _judge(name, new.domain, {}, {**data, "sites": [entry]}, files)
    write = entry_text.host(name, entry, code.quote, code.newline)
    text = code.with_host(group, write) if group in written else code.with_list(group, write)
    _prove(Path(code.path), names, text, name, entry)
    return Addition(text, name, f"added with the new host {name} to {group}")


def _refuse_known(new: NewSite, code: Code, inventory: Inventory) -> None:
    """Raises NotAddedError where the inventory has the domain already."""
    for host in inventory:
        sites = host.data.dict().get("sites")
        for site in sites if isinstance(sites, list | tuple) else ():
            if isinstance(site, Mapping) and site.get("domain") == new.domain:
                line = code.line(new.domain)
                place = f"{code.path}:{line}" if line else code.path
                text = (
                    f"is there already, on {host.name} ({place}); change that entry, or, for a second node behind the "
                    "same load balancer, copy it into the other host's"
                )
                raise NotAddedError(Problem("", new.domain, "domain", text))


def _known_host(address: str, inventory: Inventory) -> str | None:
    """The name of the host that has this name or address. None where there is none."""
    if address in inventory.hosts:
        return address
    named = (host.name for host in inventory if host.data.dict().get("ssh_hostname") == address)
    return next(named, None)


def _group(new: NewSite, path: str, written: Collection[str], inventory: Inventory) -> str:
    """The name of the list that a new host goes into: one of those that are `written`, or a new one.

    Raises NotAddedError where several would be right, or none.
    """
    platforms = {name: _data(name, path, inventory).get("platform") for name in sorted(written)}
    if not new.platform:
        if len(platforms) == 1:
            return next(iter(platforms))
        choices = [str(one) for one in platforms.values() if one] or list(_known_platforms(inventory))
        hint = did_you_mean("", sorted(set(choices)))
        text = f"missing: {new.address} is a new host, and {path} has {len(platforms)} lists of hosts; {hint}"
        raise NotAddedError(Problem("", new.domain, "--platform", text))
    if new.platform not in _known_platforms(inventory):
        hint = did_you_mean(new.platform, _known_platforms(inventory))
        raise NotAddedError(Problem("", new.domain, "--platform", f'"{shown(new.platform)}" is unknown; {hint}'))
    # the list of that platform, else one of no platform, whose sites name their own
    for wanted in (new.platform, None):
        fitting = [name for name, platform in platforms.items() if platform == wanted]
        if fitting:
            return new.platform if new.platform in fitting else fitting[0]
    named = [name for name, data in inventory.group_data.items() if data.get("platform") == new.platform]
    free = [name for name in named if name.isidentifier() and name != Path(path).stem]
    return new.platform if new.platform in free else next(iter(free), _NO_NAME.sub("_", new.platform))


def _known_platforms(inventory: Inventory) -> Mapping[str, Any]:
    found = inventory.data.get("platforms")
    return found if isinstance(found, Mapping) else {}


def _data(group: str, path: str, inventory: Inventory) -> dict[str, Any]:
    """What a host of the group has before it says anything itself."""
    of_file = inventory.group_data.get(Path(path).stem, {})
    return {**inventory.data, **of_file, **inventory.group_data.get(group, {})}


def _keys(new: NewSite, default_platform: Any) -> dict[str, Any]:
    """The keys to write: the platform is one of them only where it is not the group's."""
    needs = new.platform and new.platform != default_platform
    return {**new.entry, **({"platform": new.platform} if needs else {})}


def _judge(host: str, domain: str, before: Mapping[str, Any], after: Mapping[str, Any], files: Path) -> None:
    """Raises NotAddedError with everything that would be wrong with the domain on the host and was not before, but for
    certificates, which may come later."""
    known = {str(one) for one in errors(_problems(host, before, files))} if before else set()
    found = [one for one in errors(_problems(host, after, files)) if one.domain == domain and str(one) not in known]
    if found:
        raise NotAddedError(*found)


def _problems(host: str, data: Mapping[str, Any], files: Path) -> list[Problem]:
    return parse_host(host, data, files, certificates=False)[1]


def _run(source: bytes, path: Path) -> dict[str, Any]:
    """Every variable of an inventory file that could be a group, by name. Raises what its code raises."""
    names: dict[str, Any] = {"__file__": str(path)}
    exec(compile(source, path, "exec"), names)  # noqa: S102, the operator's own file, which every command runs
    return {name: value for name, value in names.items() if not name.startswith("_")}


def _prove(path: Path, names: Mapping[str, Any], text: bytes, host: str, entry: Mapping[str, Any]) -> None:
    """Raises NotAddedError where the new text, run by Python, would not give `names` and that site."""
    wanted = dict(_entries(names))
    before = wanted.get(host, {"sites": ()})
    wanted[host] = {**before, "sites": [*before["sites"], dict(entry)]}
    try:
        same = dict(_entries(_run(text, path))) == wanted
    except Exception:  # whatever the operator's code may raise
        same = False
    if not same:
        raise NotAddedError(
            f"{path}: with the site where {host} is written, the file would not give what it gives now and that site "
            "alone; write the entry yourself"
        )


def _entries(names: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each host that has data, with it."""
    for value in names.values():
        for entry in groups.written_hosts(value) or ():
            if isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[1], dict):
                yield entry
