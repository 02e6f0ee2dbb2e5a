"""From one host's data in an inventory, its certificates and its verification files to a Host."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import ValidationError

from gateway.certificates import ca_file, stored
from gateway.certificates.keys import KeyPair
from gateway.checkout import own_directives, verify_files
from gateway.fleet import replaced_files, undone_promises, upstream_authorities
from gateway.fleet.conflicts import egress_conflicts, layer_4_conflicts, metrics_conflicts, site_conflicts, unreachable
from gateway.fleet.host import Host, ssh_address
from gateway.inventory import network_values, values
from gateway.inventory.entry_errors import brief, explain
from gateway.inventory.model import Acme, Egress, Metrics, Platform, SiteEntry
from gateway.inventory.site import Site, resolve
from gateway.problems import Problem, did_you_mean, nearest


def parse_host(
    name: str, data: Mapping[str, Any], files: Path, *, certificates: bool = True
) -> tuple[Host | None, list[Problem]]:
    """The host that `data` describes, and every problem. The host is None where one of them is an error.

    `files` is the folder files/ in the top folder of a checkout. An expired certificate is an error, or a warning
    where `data` has `allow_expired` 1, which is given with `--data` for one deploy. Without `certificates` none is
    read, an authority's neither, and the host has none: it can be described, not deployed.
    """
    platforms, problems = _platforms(name, data.get("platforms"))
    entries, found = _entries(name, data)
    problems += found
    sites: list[Site] = []
    seen: set[str] = set()
    verify: dict[str, tuple[verify_files.VerifyFile, ...]] = {}
    pairs: dict[str, KeyPair] = {}
    cas: dict[str, bytes] = {}
    directives: dict[str, own_directives.OwnDirectives] = {}
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
        own, found = _read_own_directives(name, entry.domain, files)
        problems += found
        if own:
            directives[entry.domain] = own
        if own and site:
            balanced = data.get("proxy_protocol") is not None
            problems += undone_promises.judge(name, site, verify[entry.domain], own, proxy_protocol=balanced)
        if wrong & {"edge", "cert"}:
            continue
        folder = files / "certs" / entry.domain
        order = entry.cert.acme if entry.cert else None
        if entry.edge == "slb":
            problems += stored.unused(name, entry.domain, folder, "slb")
        elif order and certificates:
            if wrong_ca := _add_ca(order, files.parent, cas):
                problems.append(Problem(name, entry.domain, "cert.acme.ca", wrong_ca))
            problems += stored.unused(name, entry.domain, folder, "acme")
        elif certificates:
            pair, found = stored.read(name, entry.domain, folder, allow_expired=data.get("allow_expired") == 1)
            problems += found
            if pair:
                pairs[entry.domain] = pair
    upstream_cas, found = upstream_authorities.read(name, sites if certificates else (), files.parent)
    problems += found
    problems += site_conflicts(name, sites, data.get("ssh_port"))
    ssh_port = data.get("ssh_port")
    egress, found = _listener(
        name, "egress", data.get("egress"), Egress, lambda one: egress_conflicts(one, sites, ssh_port)
    )
    problems += found
    metrics, found = _listener(
        name, "metrics", data.get("metrics"), Metrics, lambda one: metrics_conflicts(one, egress, sites, ssh_port)
    )
    problems += found
    problems += unreachable(name, {"egress": egress, "metrics": metrics})
    balancer, found = _proxy_protocol(name, data.get("proxy_protocol"), sites)
    problems += found
    firewall = data.get("firewall", False)
    if not isinstance(firewall, bool):
        text = (
            f"is a {type(firewall).__name__}; right would be True, so that a deploy opens the sites' ports in firewalld"
        )
        problems.append(Problem(name, "", "firewall", text))
    replaces, found = replaced_files.parse(name, data.get("replaces"))
    problems += found
    if any(problem.severity == "error" for problem in problems):
        return None, problems
    return Host(
        name=name,
        address=ssh_address(name, data),
        sites=tuple(sites),
        verify=MappingProxyType(verify),
        certs=MappingProxyType(pairs),
        acme_cas=MappingProxyType(cas),
        upstream_cas=MappingProxyType(upstream_cas),
        egress=egress,
        metrics=metrics,
        directives=MappingProxyType(directives),
        proxy_protocol=balancer,
        firewall=firewall,
        replaces=replaces,
    ), problems


def _entries(name: str, data: Mapping[str, Any]) -> tuple[Sequence[Any], list[Problem]]:
    """A host's sites as they are written. Where that is no list, they are the one site that it is, or none."""
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
    """Every platform by name, and what is wrong with them. A platform with an error is None."""
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


# Take the place of required keys that are wrong in an entry, so that the rest of it can be checked.
_STAND_INS = {"domain": "wx.school.edu.cn", "edge": "slb"}


def _entry(raw: Mapping[Any, Any]) -> tuple[SiteEntry, set[str], list[tuple[str, str]]]:
    """The entry without its wrong keys, these keys, and what is wrong with them: a place and a text each.

    Required keys that are wrong or missing have the values of _STAND_INS.
    """
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
    """The entry and its wrong keys as _entry() gives them, the site, and every problem.

    The entry is None where it is no dict. The site is None where too much is wrong to tell its routes and listeners.
    """
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
            told.append(("bk", str(error)))
    problems = [Problem(host_name, domain, where, text) for where, text in told]
    return entry, wrong, None if wrong & _STAND_INS.keys() else site, problems


_Listener = TypeVar("_Listener", Egress, Metrics)


def _listener(
    name: str,
    key: str,
    raw: Any,
    model: type[_Listener],
    conflicts: Callable[[_Listener], Iterable[tuple[str, str]]],
) -> tuple[_Listener | None, list[Problem]]:
    """A listener of the host's own under `key`, and every problem with it."""
    if raw is None:
        return None, []
    if not isinstance(raw, Mapping):
        text = f'is not a dict; right would be {{"listen": "10.0.0.5:{model.usual_port}", "allow": ["10.0.0.0/24"]}}'
        return None, [Problem(name, "", key, text)]
    listener = None
    try:
        listener = model.model_validate(raw)
        found = list(conflicts(listener))
    except ValidationError as error:
        found = list(explain(error, model))
    return listener, [Problem(name, "", f"{key}.{where}", text) for where, text in found]


def _proxy_protocol(name: str, raw: Any, sites: Sequence[Site]) -> tuple[tuple[str, ...], list[Problem]]:
    """The networks of a load balancer of layer 4 in front of the host's TLS sites, and every problem with them."""
    if raw is None:
        return (), []
    try:
        networks = network_values.layer_4(values.listed(raw))
    except ValueError as error:
        place, text = re.fullmatch(r"(\[\d+\])?(?:: )?(.*)", str(error), re.DOTALL).groups("")  # type: ignore[union-attr]
        return (), [Problem(name, "", f"proxy_protocol{place}", text)]
    return networks, layer_4_conflicts(name, sites)


def _edge_rules(entry: SiteEntry) -> Iterator[tuple[str, str]]:
    """Keys that have no meaning at the entry's edge: whoever wrote one expects something else than will happen."""
    if entry.edge == "slb" and entry.cert is not None:
        yield "cert", 'behind an SLB the load balancer holds the certificate; remove "cert" or set edge "tls"'


def _add_ca(order: Acme, checkout: Path, cas: MutableMapping[str, bytes]) -> str | None:
    """Reads the CA that `order` names, if any, and adds it to `cas` by account. What is wrong with it, else None."""
    if order.ca is None:
        return None
    try:
        text = ca_file.read(checkout / order.ca, order.ca)
    except ValueError as error:
        return str(error)
    if cas.setdefault(order.account, text) != text:
        return f"another site of this host names another CA for {order.directory}; use one file for both"
    return None


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


def _read_own_directives(
    name: str, domain: str, files: Path
) -> tuple[own_directives.OwnDirectives | None, list[Problem]]:
    path = own_directives.path_of(domain, files)
    try:
        own = own_directives.read(path)
    except own_directives.CannotStandError as error:
        return None, [Problem(name, domain, f"{path}:{error.line}" if error.line else str(path), str(error))]
    except OSError as error:
        return None, [Problem(name, domain, str(path), f"cannot be read: {error.strerror}")]
    notices = [Problem(name, domain, str(path), own.notice, "warning")] if own and own.notice else []
    return own, notices
