"""From a host's sites and its nginx to a tree of files. Pure: no clock, no network, no host.

Templates read as nginx; what has to be decided is decided in Python and handed to them as values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from gateway import acme, product
from gateway.fleet.host import Host
from gateway.inventory.model import RELEASE_PORT
from gateway.nginx import built_for, egress, error_pages, tls_profile
from gateway.nginx.build import Build
from gateway.nginx.plan import Plan
from gateway.nginx.release import BUILD, HOME, ID_PLACEHOLDER, File
from gateway.nginx.request_headers import STRIPPED
from gateway.nginx.servers import server_blocks
from gateway.nginx.templates import render
from gateway.onhost import scripts

_ROOT = f"{HOME}/releases/{ID_PLACEHOLDER.decode()}"

# Scripts that the host runs by itself, from the release in force.
_SCRIPTS = ("resolve", "renew", "expiry", "dpkg")

_Values = Mapping[str, object]

# Every host's files of nginx configuration. The template of each is <path>.j2; the values are those that it has
# besides the ones that all have (_shared).
_EVERYWHERE: Mapping[str, Callable[[Plan], _Values]] = {
    "gateway.conf": lambda plan: {
        "upstreams": plan.upstreams,
        "rates": sorted({site.rate_limit.requests_per_second for site in plan.host.sites if site.rate_limit}),
        "certificates": bool(plan.certificates_by_name),
        "balancers": bool(plan.balancers),
        "guarded": any(route.guarded for site in plan.host.sites for route in site.routes),
        **plan.hash_sizes(),
    },
    "balancers.conf": lambda plan: {"balancers": {number: networks for networks, number in plan.balancers.items()}},
    "certificates.conf": lambda plan: {"domains": plan.certificates_by_name},
    "main.conf": lambda plan: {"egress": plan.host.egress},
    "closed.conf": lambda plan: {
        "listeners": sorted(plan.host.listeners().items()),
        "unread_codes": error_pages.UNREAD_CODES,
    },
    "errors.conf": lambda _: {
        "texts": error_pages.TEXTS,
        "page": product.template("nginx", "error.html").read_text(encoding="utf-8"),
    },
    "release.conf": lambda _: {"release_port": RELEASE_PORT, "release": ID_PLACEHOLDER.decode()},
    "snippets/server.conf": lambda _: {},
    "snippets/errors.conf": lambda _: {"codes": error_pages.CODES, "unread_codes": error_pages.UNREAD_CODES},
    "snippets/too-long.conf": lambda _: {},
    "snippets/headers.conf": lambda plan: {"stripped": [one for one in STRIPPED if one not in plan.domain_headers]},
    "snippets/proxy.conf": lambda _: {},
    "snippets/tls.conf": lambda plan: {
        "protocols": tls_profile.PROTOCOLS,
        "ciphers": tls_profile.CIPHERS,
        "curves": tls_profile.HYBRID_CURVES if plan.build.has("hybrid_groups") else tls_profile.CURVES,
    },
}


def tree(host: Host, build: Build) -> dict[str, File]:
    """Every file of the host's release by relative path; paths in them carry the id's placeholder."""
    plan = Plan(host, build)
    files: dict[str, File] = {}
    for contribution in (_nginx_everywhere(plan), _for_scripts(plan), _egress(plan), _sites(plan)):
        files.update(contribution)
    return files


def _shared(plan: Plan) -> _Values:
    """The values that every template has."""
    return {"root": _ROOT, "home": HOME, "build": plan.build, "healthz_ports": plan.healthz_ports}


def _nginx_everywhere(plan: Plan) -> Iterator[tuple[str, File]]:
    """What nginx reads on every host."""
    shared = _shared(plan)
    for path, values in _EVERYWHERE.items():
        yield path, _text(render(f"{path}.j2", **shared, **values(plan)))
    yield "no-authority.pem", File(product.template("nginx", "no-authority.pem").read_bytes())


def _for_scripts(plan: Plan) -> Iterator[tuple[str, File]]:
    """Scripts and units that run on the host, and what they go by."""
    host = plan.host
    ports, upstreams = [str(port) for port in [*sorted(host.listeners()), RELEASE_PORT]], set(plan.upstreams)
    if host.egress:
        ports.append(egress.ports_line(host.egress))
        upstreams.update(egress.UPSTREAMS)
    yield "ports", _lines(ports)
    yield "upstreams", _lines(f"{upstream.host} {upstream.port}" for upstream in sorted(upstreams))
    yield "domains", _lines(sorted(site.domain for site in host.sites))
    yield "orders", _text(acme.orders(host.sites))
    yield BUILD, _text(built_for.text(plan.build))
    for name, pem in host.acme_cas.items():
        yield f"acme-ca/{name}.pem", File(pem)
    for name in _SCRIPTS:
        yield f"{name}.sh", _text(scripts.text(name))
    for unit in product.templates("systemd"):
        yield f"units/{unit.name}", File(unit.read_bytes())
    yield "dpkg.cfg", File(product.template("dpkg", "wecom-gateway").read_bytes())


def _egress(plan: Plan) -> Iterator[tuple[str, File]]:
    """The pass-through to the WeCom API, where the host has one."""
    if plan.host.egress:
        values = {"egress": plan.host.egress, "upstreams": egress.UPSTREAMS}
        yield "egress.conf", _text(render("egress.conf.j2", **_shared(plan), **values))


def _sites(plan: Plan) -> Iterator[tuple[str, File]]:
    """Server blocks, verification files and certificates."""
    texts: dict[str, str] = {}
    for path, text in server_blocks(plan, _shared(plan)):
        texts[path] = texts.get(path, "") + text
    yield from ((path, _text(text)) for path, text in texts.items())
    shared_keys = frozenset(plan.certificates_by_name)
    for site in plan.host.sites:
        for file in plan.host.verify[site.domain]:
            yield f"verify/{site.domain}/{file.name}", File(file.body)
        if pair := plan.host.certs.get(site.domain):
            readers = plan.build.group if site.domain in shared_keys else None
            yield f"certs/{site.domain}/fullchain.pem", File(pair.chain, secret=True, group=readers)
            yield f"certs/{site.domain}/privkey.pem", File(pair.key, secret=True, group=readers)


def _text(text: str) -> File:
    return File(text.encode())


def _lines(values: Iterable[str]) -> File:
    return _text("".join(f"{value}\n" for value in values))
