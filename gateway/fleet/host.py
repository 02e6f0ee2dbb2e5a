"""One host's inventory data, checked and joined with its certificates and verification files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from gateway import acme
from gateway.certificates import keys, stored
from gateway.checkout import verify_files
from gateway.inventory import values
from gateway.inventory.entry_errors import brief, explain
from gateway.inventory.model import RELEASE_PORT, Egress, Platform, SiteEntry
from gateway.inventory.site import Edge, Site, resolve
from gateway.inventory.values import SSH_PORT
from gateway.nginx import egress as pass_through
from gateway.problems import Problem, did_you_mean, nearest


@dataclass(frozen=True)
class Host:
    """One server and everything that its release is made of. Keys never show in a repr."""

    name: str
    sites: tuple[Site, ...]
    verify: Mapping[str, tuple[verify_files.VerifyFile, ...]] = field(repr=False)
    certs: Mapping[str, keys.KeyPair] = field(repr=False)
    # of each ACME account: what its server's own TLS is verified with, PEM; by acme.account()
    acme_cas: Mapping[str, bytes] = field(default_factory=dict)
    egress: Egress | None = None

    def listeners(self) -> dict[int, bool]:
        """The ports that its sites are asked on, and whether TLS is spoken there."""
        return {port: encrypted for site in self.sites for port, encrypted in site.listeners().items()}


def parse_host(
    name: str, data: Mapping[str, Any], files: Path, *, certificates: bool = True
) -> tuple[Host | None, list[Problem]]:
    """Checks one host's data. The host is None where any problem is an error.

    Host data `allow_expired` makes an expired certificate a warning; it is given with `--data`, for one deploy.
    Without `certificates` they are not looked at, and the host has none: it can be described, not deployed.
    """
    platforms, problems = _platforms(name, data.get("platforms"))
    entries, found = _entries(name, data)
    problems += found
    sites: list[Site] = []
    seen: set[str] = set()
    verify: dict[str, tuple[verify_files.VerifyFile, ...]] = {}
    pairs: dict[str, keys.KeyPair] = {}
    cas: dict[str, bytes] = {}
    for number, raw in enumerate(entries):
        entry, wrong, site, found = _site(name, number, raw, data.get("platform"), platforms)
        problems += found
        if entry is None or "domain" in wrong:
            continue
        if entry.domain in seen:
            text = "stands twice on this host; keep one entry"
            problems.append(Problem(name, entry.domain, "domain", text))
            continue
        seen.add(entry.domain)
        if site is not None:
            sites.append(site)
        # its files are looked at whatever else is wrong, so that one check tells everything
        verify[entry.domain], found = _read_verify_files(name, entry.domain, files)
        problems += found
        if wrong & {"edge", "cert"}:
            continue
        folder = files / "certs" / entry.domain
        order = entry.cert.acme if entry.cert else None
        if entry.edge == "slb":
            problems += stored.unused(name, entry.domain, folder, "slb")
        elif order and certificates:
            problems += [Problem(name, entry.domain, *found) for found in acme.take_ca(order, files.parent, cas)]
            problems += stored.unused(name, entry.domain, folder, "acme")
        elif certificates:
            pair, found = stored.read(name, entry.domain, folder, allow_expired=data.get("allow_expired") == 1)
            problems += found
            if pair:
                pairs[entry.domain] = pair
    problems += _listener_conflicts(name, sites, data.get("ssh_port"))
    egress, found = _egress(name, data.get("egress"), sites, data.get("ssh_port"))
    problems += found
    if any(problem.severity == "error" for problem in problems):
        return None, problems
    return Host(
        name=name,
        sites=tuple(sites),
        verify=MappingProxyType(verify),
        certs=MappingProxyType(pairs),
        acme_cas=MappingProxyType(cas),
        egress=egress,
    ), problems


def _entries(name: str, data: Mapping[str, Any]) -> tuple[Sequence[Any], list[Problem]]:
    """A host's sites as they are written: as many as can be told where that is no list."""
    entries = data.get("sites")
    if isinstance(entries, list | tuple):
        return entries, []
    wrong = "missing" if entries is None else f"is a {type(entries).__name__}, not a list"
    if entries is None and (close := nearest("sites", data, cutoff=0.75)):
        wrong += f', but "{close}" is there'
    text = f'{wrong}; right would be [{{"domain": "wx.school.edu.cn", "edge": "slb"}}]'
    is_one = isinstance(entries, Mapping) and "domain" in entries
    return [entries] if is_one else [], [Problem(name, "", "sites", text)]


def _platforms(name: str, raw: Any) -> tuple[dict[str, Platform | None], list[Problem]]:
    """Every platform by name, None where it has a problem of its own."""
    if not isinstance(raw, Mapping):
        text = "missing; group_data/all.py defines it (run from the checkout's top folder)"
        return {}, [Problem(name, "", "platforms", text)]
    platforms: dict[str, Platform | None] = {}
    problems: list[Problem] = []
    for key, value in raw.items():
        try:
            key = values.platform_name(key)
        except ValueError as error:
            problems.append(Problem(name, "", "platforms", str(error)))
            platforms[str(key)] = None
            continue
        try:
            platforms[key] = Platform.model_validate(value)
        except ValidationError as error:
            platforms[key] = None
            problems += [
                Problem(name, "", f'platforms["{key}"].{where}'.rstrip("."), text)
                for where, text in explain(error, Platform)
            ]
    return platforms, problems


# In place of what is wrong in an entry, so that the rest of it can be judged.
_STAND_INS = {"domain": "wx.school.edu.cn", "edge": "slb"}


def _entry(raw: Mapping[Any, Any]) -> tuple[SiteEntry, set[str], list[tuple[str, str]]]:
    """An entry without its wrong keys, those, and what is wrong with them. Stand-ins are in place of required ones."""
    try:
        return SiteEntry.model_validate(raw), set(), []
    except ValidationError as error:
        wrong = {str(detail["loc"][0]) for detail in error.errors(include_url=False) if detail["loc"]}
        found = list(explain(error, SiteEntry))
    rest = {key: raw[key] for key in SiteEntry.model_fields if key in raw and key not in wrong}
    return SiteEntry.model_validate({**_STAND_INS, **rest}), wrong, found


def _site(
    host_name: str, number: int, raw: Any, default_platform: Any, platforms: Mapping[str, Platform | None]
) -> tuple[SiteEntry | None, set[str], Site | None, list[Problem]]:
    """An entry as `_entry` gives it, with its wrong keys, and the site where enough is right for it."""
    if not isinstance(raw, Mapping):
        text = 'is not a dict; right would be {"domain": "wx.school.edu.cn", "edge": "slb"}'
        if isinstance(raw, list | tuple) and raw and all(isinstance(one, Mapping) for one in raw):
            text = "is a list of sites inside the list of sites; take one pair of brackets away"
        return None, set(), None, [Problem(host_name, "", f"sites[{number}]", text)]
    label = raw.get("domain")
    domain = label if isinstance(label, str) and label.isprintable() else f"sites[{number}]"
    told: list[tuple[str, str]] = []

    own = raw.get("platform")
    platform_name = default_platform if own is None else own
    platform = platforms.get(platform_name) if isinstance(platform_name, str) else None
    if platform_name is None:
        told.append(("platform", f"missing; put the host in a platform's group, or {did_you_mean('', platforms)}"))
    elif not isinstance(platform_name, str) or platform_name not in platforms:
        told.append(("platform", f"{brief(platform_name)} is unknown; {did_you_mean(str(platform_name), platforms)}"))
    entry, wrong, found = _entry(raw)
    told += [(where, text) for where, text in found if where != "platform"]  # said above
    if "edge" not in wrong:
        told += _edge_rules(entry)
    site = None
    if platform is not None and "bk" not in wrong:
        try:
            site = resolve(entry, str(platform_name), platform)
        except ValueError as error:
            where, _, text = str(error).partition(": ")
            told.append((where, text))
    problems = [Problem(host_name, domain, where, text) for where, text in told]
    return entry, wrong, None if wrong & _STAND_INS.keys() else site, problems


def _egress(name: str, raw: Any, sites: Iterable[Site], ssh_port: Any) -> tuple[Egress | None, list[Problem]]:
    if raw is None:
        return None, []
    if not isinstance(raw, Mapping):
        text = 'is not a dict; right would be {"listen": "10.0.0.5:443", "allow": ["10.0.0.0/24"]}'
        return None, [Problem(name, "", "egress", text)]
    try:
        egress = Egress.model_validate(raw)
        found = list(pass_through.conflicts(egress, sites))
        if egress.port in (SSH_PORT, ssh_port):
            found.append(("listen", f"port {egress.port} {_SSH}; right would be another, like 443"))
    except ValidationError as error:
        egress, found = None, list(explain(error, Egress))
    return egress, [Problem(name, "", f"egress.{where}", text) for where, text in found]


def _edge_rules(entry: SiteEntry) -> Iterator[tuple[str, str]]:
    """What one edge has no use for is a misunderstanding, not a decoration."""
    if entry.edge == "slb" and entry.cert is not None:
        yield "cert", 'behind an SLB the load balancer holds the certificate; remove "cert" or set edge "tls"'


# The number that no route may have at an edge, though the other edge's entry port is that one.
_TAKEN_PORTS: dict[Edge, tuple[int, str]] = {
    "slb": (443, 'is the entry port already at edge "slb", where the load balancer\'s 443 comes in on 80'),
    "tls": (80, 'is plain http at edge "tls", for verification files and the redirect to https'),
}


_SSH = "is SSH's on this host, so nginx could not listen on it"


def _listener_conflicts(name: str, sites: Iterable[Site], ssh_port: Any) -> list[Problem]:
    """A port can only be plain or TLS for all sites of a host, and one port is the gateway's own."""
    problems = []
    first: dict[int, tuple[bool, Site]] = {}
    for site in sites:
        taken, why = _TAKEN_PORTS[site.edge]
        misused = any(route.port == taken for route in site.routes)
        if misused:
            text = f'port {taken} {why}; right would be "entry", or another number'
            problems.append(Problem(name, site.domain, "platform", text))
        for port, encrypted in site.listeners().items():
            if misused and port == taken:
                continue  # told above; no other site is to blame
            if port == ssh_port:
                text = f'port {port} {_SSH} ("ssh_port"); choose another for the route, or for sshd'
                problems.append(Problem(name, site.domain, "platform", text))
            if port == RELEASE_PORT:
                text = f"port {RELEASE_PORT} is the gateway's own on this host; choose another for the route"
                problems.append(Problem(name, site.domain, "port", text))
            seen, other = first.setdefault(port, (encrypted, site))
            if seen != encrypted:
                kinds = {True: "TLS", False: "plain http"}
                text = (
                    f"port {port} would be {kinds[encrypted]} here and {kinds[seen]} for {other.domain}; "
                    "one port of a host is one or the other, so put one of the sites on another host"
                )
                problems.append(Problem(name, site.domain, "edge", text))
        seen_paths: set[tuple[int, str]] = set()
        for route in site.routes:
            if (route.port, route.path) in seen_paths:
                text = f"two routes for {route.path} on port {route.port}; keep one"
                problems.append(Problem(name, site.domain, "platform", text))
            seen_paths.add((route.port, route.path))
    return problems


def _read_verify_files(
    name: str, domain: str, files: Path
) -> tuple[tuple[verify_files.VerifyFile, ...], list[Problem]]:
    folder = files / "verify" / domain
    good: list[verify_files.VerifyFile] = []
    problems = []
    try:
        paths = verify_files.paths(folder)
    except OSError as error:
        return (), [Problem(name, domain, str(folder), f"cannot be read: {error.strerror}")]
    for path in paths:
        try:
            good.append(verify_files.read(path.name, verify_files.content(path, files / "verify")))
        except ValueError as error:
            problems.append(Problem(name, domain, str(path), str(error)))
        except OSError as error:
            problems.append(Problem(name, domain, str(path), f"cannot be read: {error.strerror}"))
    problems += [Problem(name, domain, str(folder / file.name), file.notice, "warning") for file in good if file.notice]
    if not good and not problems:
        text = f"no verification file yet; put WeCom's WW_verify_*.txt in {folder}/ and deploy again"
        problems.append(Problem(name, domain, "verify", text, "warning"))
    return tuple(good), problems
