"""One host's inventory data, checked and joined with its certificates and verification files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ValidationError

from gateway import acme, cert_files, certs, values, verify_files
from gateway import egress as pass_through
from gateway.model import RELEASE_PORT, UNION_TAG, Egress, Platform, SiteEntry, models_in
from gateway.problems import Problem, did_you_mean, nearest
from gateway.site import Edge, Site, resolve


@dataclass(frozen=True)
class Host:
    """One server and everything that its release is made of. Keys never show in a repr."""

    name: str
    sites: tuple[Site, ...]
    verify: Mapping[str, tuple[verify_files.VerifyFile, ...]] = field(repr=False)
    certs: Mapping[str, certs.KeyPair] = field(repr=False)
    # of each ACME account: what its server's own TLS is verified with, PEM; by acme.account()
    acme_cas: Mapping[str, bytes] = field(default_factory=dict)
    egress: Egress | None = None


def parse_host(
    name: str, data: Mapping[str, Any], files: Path, *, certificates: bool = True
) -> tuple[Host | None, list[Problem]]:
    """Checks one host's data. The host is None where any problem is an error.

    Host data `allow_expired` makes an expired certificate a warning; it is given with `--data`, for one deploy.
    Without `certificates` they are not looked at, and the host has none: it can be described, not deployed.
    """
    platforms, problems = _platforms(name, data.get("platforms"))
    entries = data.get("sites")
    if not isinstance(entries, (list, tuple)):
        wrong = "missing" if entries is None else f"is a {type(entries).__name__}, not a list"
        if entries is None and (close := nearest("sites", data, cutoff=0.75)):
            wrong += f', but "{close}" is there'
        text = f'{wrong}; right would be [{{"domain": "wx.school.edu.cn", "edge": "slb"}}]'
        return None, [*problems, Problem(name, "", "sites", text)]

    sites: list[Site] = []
    seen: set[str] = set()
    verify: dict[str, tuple[verify_files.VerifyFile, ...]] = {}
    pairs: dict[str, certs.KeyPair] = {}
    cas: dict[str, bytes] = {}
    for number, raw in enumerate(entries):
        site, found = _site(name, number, raw, data.get("platform"), platforms)
        problems += found
        if site is None:
            continue
        if site.domain in seen:
            text = "stands twice on this host; keep one entry"
            problems.append(Problem(name, site.domain, "domain", text))
            continue
        seen.add(site.domain)
        sites.append(site)
        verify[site.domain], found = _read_verify_files(name, site.domain, files)
        problems += found
        folder = files / "certs" / site.domain
        if site.acme and certificates:
            problems += [Problem(name, site.domain, *found) for found in acme.take_ca(site.acme, files.parent, cas)]
            problems += cert_files.unused(name, site.domain, folder, "acme")
        elif site.edge == "tls" and certificates:
            pair, found = cert_files.read(name, site.domain, folder, allow_expired=data.get("allow_expired") == 1)
            problems += found
            if pair:
                pairs[site.domain] = pair
        elif site.edge == "slb":
            problems += cert_files.unused(name, site.domain, folder, "slb")
    problems += _listener_conflicts(name, sites)
    egress, found = _egress(name, data.get("egress"), sites)
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
                for where, text in _explain(error, Platform)
            ]
    return platforms, problems


def _site(
    host_name: str, number: int, raw: Any, default_platform: Any, platforms: Mapping[str, Platform | None]
) -> tuple[Site | None, list[Problem]]:
    if not isinstance(raw, Mapping):
        text = 'is not a dict; right would be {"domain": "wx.school.edu.cn", "edge": "slb"}'
        return None, [Problem(host_name, "", f"sites[{number}]", text)]
    label = raw.get("domain")
    domain = label if isinstance(label, str) and label.isprintable() else f"sites[{number}]"
    problems: list[Problem] = []

    own = raw.get("platform")
    platform_name = default_platform if own is None else own
    platform = platforms.get(platform_name) if isinstance(platform_name, str) else None
    if platform_name is None:
        text = f"missing; put the host in a platform's group, or {did_you_mean('', platforms)}"
        problems.append(Problem(host_name, domain, "platform", text))
    elif not isinstance(platform_name, str) or platform_name not in platforms:
        text = f"{_brief(platform_name)} is unknown; {did_you_mean(str(platform_name), platforms)}"
        problems.append(Problem(host_name, domain, "platform", text))
    try:
        entry = SiteEntry.model_validate(raw)
    except ValidationError as error:
        problems += [
            Problem(host_name, domain, where, text)
            for where, text in _explain(error, SiteEntry)
            if where != "platform"  # said above
        ]
        return None, problems
    problems += [Problem(host_name, domain, where, text) for where, text in _edge_rules(entry)]
    if platform is None:
        return None, problems
    try:
        site = resolve(entry, str(platform_name), platform)
    except ValueError as error:
        where, _, text = str(error).partition(": ")
        return None, [*problems, Problem(host_name, domain, where, text)]
    return (None, problems) if problems else (site, [])


def _egress(name: str, raw: Any, sites: Iterable[Site]) -> tuple[Egress | None, list[Problem]]:
    if raw is None:
        return None, []
    if not isinstance(raw, Mapping):
        text = 'is not a dict; right would be {"listen": "10.0.0.5:443", "allow": ["10.0.0.0/24"]}'
        return None, [Problem(name, "", "egress", text)]
    try:
        egress = Egress.model_validate(raw)
        found = list(pass_through.conflicts(egress, sites))
    except ValidationError as error:
        egress, found = None, list(_explain(error, Egress))
    return egress, [Problem(name, "", f"egress.{where}", text) for where, text in found]


def _edge_rules(entry: SiteEntry) -> Iterator[tuple[str, str]]:
    """What one edge has no use for is a misunderstanding, not a decoration."""
    if entry.edge == "slb" and entry.cert is not None:
        yield "cert", 'behind an SLB the load balancer holds the certificate; remove "cert" or set edge "tls"'


def _explain(error: ValidationError, model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Each finding of pydantic as a field and a text in the product's words."""
    for detail in error.errors(include_url=False):
        kind, context = detail["type"], detail.get("ctx", {})
        # the last part of an unknown key's place is what the operator wrote, whatever it looks like
        tagged = detail["loc"][:-1] if kind == "extra_forbidden" else detail["loc"]
        location = [part for part in tagged if not str(part).startswith(UNION_TAG)] + list(detail["loc"][len(tagged) :])
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
        if kind == "extra_forbidden":
            key = str(location[-1])
            known = _fields(model, location[:-1])
            yield where, f"unknown key; {_NO_KEYS.get(key) or did_you_mean(key, known)}"
        elif kind == "missing":
            yield where, f"missing; {_EXAMPLES.get(str(detail['loc'][-1]), 'it is required')}"
        elif kind == "value_error":
            yield where, str(context["error"])
        elif kind == "literal_error":
            text = f"{_brief(detail['input'])} is not possible; right would be {context['expected']}"
            close = nearest(str(detail["input"]), re.findall(r"'([^']+)'", context["expected"]))
            yield where, f'{text}; did you mean "{close}"?' if close else text
        elif kind == "model_type":
            known = ", ".join(f'"{key}"' for key in _fields(model, location))
            yield where, f"is not a dict; right would be one with keys from {known}"
        else:
            yield where, f"{_brief(detail['input'])}: {detail['msg'][0].lower()}{detail['msg'][1:]}"


_EXAMPLES = {
    "domain": 'right would be "domain": "wx.school.edu.cn"',
    "edge": '"slb" behind a load balancer that terminates TLS, "tls" without one',
    "upstream": 'right would be "upstream": "https://paas.inner.example"',
    "email": 'right would be "email": "ops@school.edu.cn"',
    "kid": "right would be the key identifier that the certificate authority hands out",
    "hmac_key_env": 'name the environment variable that holds the secret, for example "ACME_EAB_KEY"',
    "apps": 'right would be "apps": ["bk_itsm"]',
    "listen": 'right would be "listen": "10.0.0.5:443", an inner address of this host',
    "allow": 'right would be "allow": ["10.0.0.0/24"], the application servers\' networks',
    "routes": 'right would be "routes": [{"port": "entry", "path": "/", "upstream": "https://..."}]',
}

_DOMAIN_FOLLOWS = (
    "WeCom's trusted domain and OAuth callback domain are the site's domain, without a port; remove the key"
)
_NO_SECRETS = "a secret never stands in an inventory; remove it and set it where the app's server keeps its secrets"
# Keys that people expect in an entry, and why there are none.
_NO_KEYS = {
    **dict.fromkeys(("secret", "corp_secret", "corpsecret", "app_secret", "agent_secret"), _NO_SECRETS),
    **dict.fromkeys(("oauth_domain", "callback_domain", "trusted_domain", "js_domain", "js_domains"), _DOMAIN_FOLLOWS),
    "port": "ports follow from the platform's routes and the edge; remove the key",
}


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _fields(model: type[BaseModel], location: Iterable[int | str]) -> Iterable[str]:
    """The known keys at a place inside `model`."""
    for part in location:
        info = model.model_fields.get(str(part))
        nested = models_in(info.annotation) if info else []
        if nested:
            model = nested[0]
    return model.model_fields


# The number that no route may have at an edge, though the other edge's entry port is that one.
_TAKEN_PORTS: dict[Edge, tuple[int, str]] = {
    "slb": (443, 'is the entry port already at edge "slb", where the load balancer\'s 443 comes in on 80'),
    "tls": (80, 'is plain http at edge "tls", for verification files and the redirect to https'),
}


def _listener_conflicts(name: str, sites: Iterable[Site]) -> list[Problem]:
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
