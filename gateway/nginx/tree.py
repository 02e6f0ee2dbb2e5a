"""From a host's sites and its nginx to a tree of files. Pure: no clock, no network, no host.

Templates read as nginx; what has to be decided is decided here and handed to them as values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway import product
from gateway.fleet.host import Host
from gateway.inventory.model import RELEASE_PORT
from gateway.inventory.site import ENTRY_PORTS, Route, Site
from gateway.nginx import answers, built_for, egress, error_pages, orders, tls_profile
from gateway.nginx.release import BUILD, HOME, ID_PLACEHOLDER, File
from gateway.nginx.tls_profile import Version
from gateway.onhost import scripts

# Where a host has what belongs to its ACME certificates (gateway/onhost/scripts/acme.sh).
_ACME_ISSUED = f"{HOME}/acme/issued"
_ACME_WEBROOT = "/var/lib/wecom-gateway/acme"

_ROOT = f"{HOME}/releases/{ID_PLACEHOLDER.decode()}"

# Request headers that inner systems trust when they come from their own proxy; a client's are dropped.
# X-Bkapi-*: nginx knows no wildcard, these are the ones that BlueKing's gateway and apps read.
STRIPPED = (
    "Forwarded",
    "Proxy",
    "Proxy-Connection",
    "Proxy-Path",
    "Staffname",
    "X-Bkapi-App",
    "X-Bkapi-App-Code",
    "X-Bkapi-Authorization",
    "X-Bkapi-From",
    "X-Bkapi-Jwt",
    "X-Bkapi-Request-Id",
    "X-Bkapi-Token",
    "X-Bkapi-User",
    "X-Bkapi-Username",
    "X-Client-Ip",
    "X-Forwarded",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Protocol",
    "X-Forwarded-Scheme",
    "X-Forwarded-Server",
    "X-Forwarded-Ssl",
    "X-Forwarded-User",
    "X-Forwarded-Weixin-Host",
    "X-Original-Host",
    "X-Original-Uri",
    "X-Original-Url",
    "X-Rewrite-Url",
    "X-Url-Scheme",
)


@dataclass(frozen=True)
class Build:
    """What of a host's nginx decides how it is configured."""

    version: Version
    ipv6: bool = True
    # sockets as `listen` names them, "80" or "[::]:80", whose default is a site that is not ours; it stays that
    foreign_defaults: frozenset[str] = frozenset()
    # the OpenSSL that nginx runs with, None where it is not known
    openssl: Version | None = None
    # whether the files that a worker may open are limited elsewhere; the directive may stand only once
    foreign_limits: bool = False
    # the group that nginx's workers run in, None where it is not known
    group: str | None = None

    def has(self, feature: str) -> bool:
        """Whether the host understands `feature`, a key of FEATURES or OPENSSL_FEATURES in tls_profile."""
        if feature in tls_profile.OPENSSL_FEATURES:
            return self.openssl is not None and self.openssl.number >= tls_profile.OPENSSL_FEATURES[feature]
        return self.version.number >= tls_profile.FEATURES[feature]


# From so many sites on, those at edge tls that differ in their name alone share a server. Its certificate is read
# from a file for each full handshake, which takes nginx three times the work, but loading a thousand servers of their
# own takes seconds and 300 MB at each reload (bench/README.md has the figures).
TOGETHER = 100


@dataclass(frozen=True)
class _Bare:
    """A route's prefix without its slash: the path, and where it goes if another route has it among its own."""

    path: str = ""
    covering: Route | None = None
    rules: answers.AnswerRules | None = None
    upstream_path: str = ""


@dataclass(frozen=True)
class _Listener:
    """One server block of a site. `taken` are paths that it answers by itself."""

    port: int
    entry: bool
    routes: tuple[tuple[Route, answers.AnswerRules], ...]
    taken: frozenset[str]
    # the variable that says that a load balancer got the request by plain http, "" where none is believed
    plain: str = ""

    @property
    def whole_host(self) -> bool:
        return any(route.path == "/" for route, _ in self.routes)

    @property
    def guarded(self) -> bool:
        return any(route.guarded for route, _ in self.routes)

    @property
    def shared_rules(self) -> answers.AnswerRules | None:
        """The rules for answers where all routes have the same: said once, inherited by every location."""
        distinct = {rules for _, rules in self.routes}
        return distinct.pop() if len(distinct) == 1 else None

    def without_slash(self, route: Route) -> _Bare:
        """For nginx it is no part of the prefix, and where nobody says otherwise it redirects to the prefix."""
        path = route.path[:-1]
        if not path or path in self.taken:
            return _Bare()
        around = [pair for pair in self.routes if path.startswith(pair[0].path)]
        if not around:
            return _Bare(path)
        covering, rules = max(around, key=lambda pair: len(pair[0].path))
        return _Bare(path, covering, rules, covering.upstream_path + path.removeprefix(covering.path))


def tree(host: Host, build: Build) -> dict[str, File]:
    """Every file of the host's release by relative path; paths in them carry the id's placeholder."""
    ports = host.listeners()
    healthz_ports = frozenset({ENTRY_PORTS["slb"]} if any(site.edge == "slb" for site in host.sites) else ())
    upstreams = sorted({route.upstream for site in host.sites for route in site.routes})
    balancers = _balancers(host)
    shared = {"root": _ROOT, "home": HOME, "build": build, "healthz_ports": healthz_ports}
    groups = _groups(host, build)
    # domains whose certificate is found by name
    together = [one.domain for alike in groups if len(alike) > 1 for one in alike if one.edge == "tls"]
    # Headers that some platform sets to the domain are stripped site by site, the others for all.
    own_headers = {header for site in host.sites for header in site.domain_headers}

    texts = {
        "gateway.conf": _render(
            "gateway.conf.j2",
            **shared,
            upstreams=upstreams,
            rates=sorted({site.rate_limit.requests_per_second for site in host.sites if site.rate_limit}),
            certificates=bool(together),
            balancers=bool(balancers),
            guarded=any(route.guarded for site in host.sites for route in site.routes),
            **_hash_sizes([site.domain for site in host.sites]),
        ),
        "balancers.conf": _render(
            "balancers.conf.j2", balancers={number: networks for networks, number in balancers.items()}
        ),
        "certificates.conf": _render("certificates.conf.j2", domains=together),
        "main.conf": _render("main.conf.j2", **shared, egress=host.egress),
        "closed.conf": _render(
            "closed.conf.j2", **shared, listeners=sorted(ports.items()), unread_codes=error_pages.UNREAD_CODES
        ),
        "errors.conf": _render(
            "errors.conf.j2",
            texts=error_pages.TEXTS,
            page=product.template("nginx", "error.html").read_text("utf-8"),
        ),
        "release.conf": _render("release.conf.j2", release_port=RELEASE_PORT, release=ID_PLACEHOLDER.decode()),
        "snippets/server.conf": _render("snippets/server.conf.j2", **shared),
        "snippets/errors.conf": _render(
            "snippets/errors.conf.j2", **shared, codes=error_pages.CODES, unread_codes=error_pages.UNREAD_CODES
        ),
        "snippets/too-long.conf": _render("snippets/too-long.conf.j2"),
        "snippets/headers.conf": _render(
            "snippets/headers.conf.j2", stripped=[name for name in STRIPPED if name not in own_headers]
        ),
        "snippets/proxy.conf": _render("snippets/proxy.conf.j2", **shared),
        "snippets/tls.conf": _render(
            "snippets/tls.conf.j2",
            **shared,
            protocols=tls_profile.PROTOCOLS,
            ciphers=tls_profile.CIPHERS,
            curves=tls_profile.HYBRID_CURVES if build.has("hybrid_groups") else tls_profile.CURVES,
        ),
    }
    files = {path: File(text.encode()) for path, text in texts.items()}
    files["no-authority.pem"] = File(product.template("nginx", "no-authority.pem").read_bytes())
    # What the scripts on the host go by: ports that must be free, names that must be resolved.
    free = [str(port) for port in [*sorted(ports), RELEASE_PORT]]
    resolved = set(upstreams)
    if host.egress:
        text = _render("egress.conf.j2", **shared, egress=host.egress, upstreams=egress.UPSTREAMS)
        files["egress.conf"] = File(text.encode())
        free.append(egress.ports_line(host.egress))
        resolved.update(egress.UPSTREAMS)
    files["ports"] = File(_lines(free))
    files["upstreams"] = File(_lines(f"{upstream.host} {upstream.port}" for upstream in sorted(resolved)))
    files["orders"] = File(orders.orders(host.sites).encode())
    for name, pem in host.acme_cas.items():
        files[f"acme-ca/{name}.pem"] = File(pem)
    for name in ("resolve", "renew", "expiry", "dpkg"):
        files[f"{name}.sh"] = File(scripts.text(name).encode())
    for unit in product.templates("systemd"):
        files[f"units/{unit.name}"] = File(unit.read_bytes())
    files["dpkg.cfg"] = File(product.template("dpkg", "wecom-gateway").read_bytes())
    files[BUILD] = File(built_for.text(build).encode())
    files["domains"] = File(_lines(sorted(site.domain for site in host.sites)))
    for alike in groups:
        stripped = sorted(own_headers - set(alike[0].domain_headers))
        for path, text in _servers(alike, host, stripped, healthz_ports, balancers, shared).items():
            before = files[path].body if path in files else b""
            files[path] = File(before + text.encode())
    for site in host.sites:
        for file in host.verify[site.domain]:
            files[f"verify/{site.domain}/{file.name}"] = File(file.body)
        if site.domain in host.certs:
            pair = host.certs[site.domain]
            readers = build.group if site.domain in together else None
            files[f"certs/{site.domain}/fullchain.pem"] = File(pair.chain, secret=True, group=readers)
            files[f"certs/{site.domain}/privkey.pem"] = File(pair.key, secret=True, group=readers)
    return files


def _groups(host: Host, build: Build) -> list[list[Site]]:
    """Sites that one server block can serve, each group and its sites in the order of domains.

    Those that differ in nothing but their domain: an nginx of Debian 12 takes 0.7 ms and 70 kB for every
    certificate, and the same for the TLS client of every location, so a server for each of a thousand schools
    costs seconds where one for all costs nothing. At edge tls that has a price (TOGETHER), and it needs a group
    that can be given the keys, which certificates of an ACME server have not.
    """
    own_certificates = len(host.certs)
    shared_edges = {"slb", "tls"} if build.group and own_certificates >= TOGETHER else {"slb"}
    groups: dict[object, list[Site]] = {}
    for site in sorted(host.sites, key=lambda site: site.domain):
        # A file of an unusual name could be some other school's page.
        unusual = tuple(file.name for file in host.verify[site.domain] if not file.has_family_name)
        key = (replace(site, domain=""), unusual) if site.edge in shared_edges and not site.acme else site
        groups.setdefault(key, []).append(site)
    return list(groups.values())


def _lines(values: Iterable[str]) -> bytes:
    return "".join(f"{value}\n" for value in values).encode()


def _servers(
    alike: list[Site],
    host: Host,
    stripped: list[str],
    healthz_ports: frozenset[int],
    balancers: Mapping[tuple[str, ...], int],
    shared: Mapping[str, object],
) -> dict[str, str]:
    """Text by path of the server blocks for sites that are alike.

    Where they are several, `$host` stands for the domain: in a server that is chosen by exact name it is that
    name, in lower case and without a port, whatever the client wrote.
    """
    site = alike[0] if len(alike) == 1 else replace(alike[0], domain="$host")
    verify = sorted({file.name for one in alike for file in host.verify[one.domain]})
    values = {
        **shared,
        "site": site,
        "domains": [one.domain for one in alike],
        "verify": verify,
        "listeners": _listeners(site, frozenset(f"/{name}" for name in verify), healthz_ports, balancers),
        "stripped": stripped,
        "acme_issued": f"{_ACME_ISSUED}/{site.domain}",
        "acme_webroot": _ACME_WEBROOT,
    }
    own_file = site.edge == "tls" and len(alike) == 1
    path = f"sites/{site.domain if own_file else f'{site.platform}-{site.edge}'}.conf"
    texts = {path: _render(f"site-{site.edge}.conf.j2", **values)}
    if site.acme:
        texts[f"acme/{site.domain}.conf"] = _render("site-acme.conf.j2", **values)
    return texts


def _balancers(host: Host) -> dict[tuple[str, ...], int]:
    """The networks of each load balancer that says by which scheme a request came, numbered."""
    distinct = {site.trusted_proxies for site in host.sites if site.edge == "slb" and site.trusted_proxies}
    return {networks: number for number, networks in enumerate(sorted(distinct), 1)}


def _listeners(
    site: Site,
    verify: frozenset[str],
    healthz_ports: frozenset[int],
    balancers: Mapping[tuple[str, ...], int],
) -> list[_Listener]:
    entry = site.entry_port
    number = balancers.get(site.trusted_proxies) if site.edge == "slb" else None
    return [
        _Listener(
            port,
            port == entry,
            tuple((route, answers.rules(site, route)) for route in site.routes if route.port == port),
            (verify if port == entry else frozenset()) | ({"/healthz"} if port in healthz_ports else frozenset()),
            f"$wecom_gateway_plain_{number}" if number else "",
        )
        for port in site.ports()
    ]


def _hash_sizes(domains: list[str]) -> dict[str, int]:
    """Sizes for nginx's table of server names, 0 for nginx's own.

    Its buckets of 64 bytes hold names of 46 characters at most, its table some 500 names. The directives
    may stand only once in the whole of nginx's configuration, so they are left out where not needed.
    """
    longest = max(map(len, domains), default=0)
    if longest <= 44 and len(domains) <= 250:
        return {"hash_bucket_size": 0, "hash_max_size": 0}
    bucket = 128 if longest <= 100 else 512
    return {"hash_bucket_size": bucket, "hash_max_size": max(2048, 1 << (8 * len(domains)).bit_length())}


@cache
def _environment(folders: tuple[Path, ...]) -> Environment:
    # nginx configuration, not HTML: values are safe by their types in gateway.inventory.model.
    return Environment(  # noqa: S701
        loader=FileSystemLoader(folders),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _render(template: str, **values: object) -> str:
    """The text, with the blank lines that empty blocks of a template leave behind taken out."""
    text = _environment(product.template_folders("nginx")).get_template(template).render(**values)
    text = re.sub(r"\n{3,}", "\n\n", text)
    return re.sub(r"\n\n( *\})", r"\n\1", text)
