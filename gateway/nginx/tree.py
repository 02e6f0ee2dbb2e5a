"""All files of a host's release, rendered from its sites and its nginx, without a clock, a network or the host.

Templates read as nginx; decisions are made in Python and given to them as values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from gateway import product, rendering
from gateway.fleet.host import Host
from gateway.inventory.model import InnerListener
from gateway.nginx import built_for, egress, error_pages, metrics, orders, tls_profile, upstreams
from gateway.nginx.build import Build
from gateway.nginx.plan import Plan
from gateway.nginx.release import BUILD, ID_PLACEHOLDER, File
from gateway.nginx.request_headers import STRIPPED
from gateway.nginx.servers import own_directives_path, server_blocks
from gateway.nginx.templates import render
from gateway.onhost import scripts
from gateway.onhost.constants import HOME, METRICS_AGENT, METRICS_TEXT, MTAIL_SOCKET, RELEASE_PORT, STATUS_PATH

_ROOT = f"{HOME}/releases/{ID_PLACEHOLDER.decode()}"

# Scripts that the host runs by itself, from the release in force.
_SCRIPTS = ("resolve", "renew", "expiry", "logsize", "dpkg")

_Values = Mapping[str, object]

# The nginx configuration files that every host has. The template of each is <path>.j2; the function gives the values
# that it gets besides those that every template gets (_shared).
_EVERYWHERE: Mapping[str, Callable[[Plan], _Values]] = {
    "gateway.conf": lambda plan: {
        "upstreams": plan.upstreams,
        "rates": sorted({site.rate_limit.requests_per_second for site in plan.host.sites if site.rate_limit}),
        "certificates": bool(plan.certificates_by_name),
        "balancers": bool(plan.balancers),
        "origins": {number: rules for rules, number in plan.origins.items()},
        "strangers": plan.judges_addresses,
        "own_directives": bool(plan.host.directives),
        "guarded": plan.guarded,
        **plan.hash_sizes(),
    },
    "balancers.conf": lambda plan: {"balancers": {number: networks for networks, number in plan.balancers.items()}},
    "certificates.conf": lambda plan: {"domains": plan.certificates_by_name},
    "main.conf": lambda plan: {"egress": plan.host.egress},
    "closed.conf": lambda plan: {
        "listeners": sorted(plan.host.listeners().items()),
        "unread_codes": error_pages.UNREAD_CODES,
    },
    "errors.conf": lambda plan: {
        "texts": {**error_pages.TEXTS, **(error_pages.FOR_STRANGERS if plan.visitors else {})},
        "page": rendering.text("nginx", "error.html"),
    },
    "release.conf": lambda _: {"release_port": RELEASE_PORT, "release": ID_PLACEHOLDER.decode(), "status": STATUS_PATH},
    "snippets/server.conf": lambda _: {},
    "snippets/errors.conf": lambda _: {"codes": error_pages.CODES, "unread_codes": error_pages.UNREAD_CODES},
    "snippets/too-long.conf": lambda _: {},
    "snippets/unconditional.conf": lambda _: {"release_port": RELEASE_PORT},
    "snippets/headers.conf": lambda plan: {
        "stripped": [one for one in STRIPPED if one.lower() not in plan.own_headers]
    },
    "snippets/proxy.conf": lambda _: {},
    "snippets/trust.conf": lambda _: {},
    "snippets/tls.conf": lambda plan: {
        "protocols": tls_profile.PROTOCOLS if plan.build.has("tls_1_3") else tls_profile.OLD_PROTOCOLS,
        "ciphers": tls_profile.CIPHERS,
        "curves": _curves(plan.build),
    },
}


def tree(host: Host, build: Build) -> dict[str, File]:
    """Every file of the host's release, by relative path. ID_PLACEHOLDER stands for the id in them."""
    plan = Plan(host, build)
    files: dict[str, File] = {}
    for part in (_nginx_everywhere, _for_scripts, _egress, _metrics, _who_may_come, _sites):
        files.update(part(plan))
    return files


def _curves(build: Build) -> tuple[str, ...]:
    if build.has("hybrid_groups"):
        return tls_profile.HYBRID_CURVES
    return tls_profile.CURVES if build.has("x25519") else tls_profile.OLD_CURVES


def _shared(plan: Plan) -> _Values:
    """The values that every template gets."""
    return {
        "root": _ROOT,
        "home": HOME,
        "build": plan.build,
        "healthz_ports": plan.healthz_ports,
        "proxy_protocol": plan.host.proxy_protocol,
        "own_says": frozenset(),
        "metrics": plan.host.metrics,
    }


def _nginx_everywhere(plan: Plan) -> Iterator[tuple[str, File]]:
    """The nginx configuration files that every host has."""
    shared = _shared(plan)
    for path, values in _EVERYWHERE.items():
        yield path, _text(render(f"{path}.j2", **shared, **values(plan)))
    yield "no-authority.pem", _text(rendering.text("nginx", "no-authority.pem"))


def _for_scripts(plan: Plan) -> Iterator[tuple[str, File]]:
    """The scripts and systemd units that run on the host, and the lists that they read."""
    host = plan.host
    ports = [str(port) for port in [*sorted(host.listeners()), RELEASE_PORT]]
    asked = [one.upstream for one in plan.upstreams]
    if host.egress:
        ports.append(_ports_line(host.egress))
        asked += egress.UPSTREAMS
    if host.metrics:
        ports.append(_ports_line(host.metrics))
    yield "ports", _lines(ports)
    yield "upstreams", _lines(f"{name} {port}" for name, port in upstreams.resolved(asked))
    yield "domains", _lines(sorted(site.domain for site in host.sites))
    if names := sorted({name for own in host.directives.values() for name in own.server_names}):
        yield "names", _lines(names)
    if host.replaces:
        yield "replaces", _lines(host.replaces)
    yield "orders", _text(orders.orders(host.sites))
    yield BUILD, _text(built_for.text(plan.build))
    for path, pem in host.upstream_cas.items():
        yield path.removeprefix("files/"), File(pem)
    for name, pem in host.acme_cas.items():
        yield f"acme-ca/{name}.pem", File(pem)
    places = plan.build.layout.for_scripts()
    for name in _SCRIPTS if plan.build.layout.rotated else (*_SCRIPTS, "reopen"):
        yield f"{name}.sh", _text(scripts.text(name, places))
    yield "errors.pl", _text(scripts.perl("errors"))
    for name in product.templates("systemd"):
        yield f"units/{name}", _text(rendering.text("systemd", name))
    yield "dpkg.cfg", _text(rendering.text("dpkg", "wecom-gateway"))
    if not plan.build.layout.rotated:
        yield "logrotate", _text(rendering.text("logrotate", "wecom-gateway"))


def _egress(plan: Plan) -> Iterator[tuple[str, File]]:
    """The file of the pass-through to the WeCom API, where the host has one."""
    if plan.host.egress:
        values = {"egress": plan.host.egress, "upstreams": egress.UPSTREAMS}
        yield "egress.conf", _text(render("egress.conf.j2", **_shared(plan), **values))


def _metrics(plan: Plan) -> Iterator[tuple[str, File]]:
    """The files of what Prometheus reads, where the host has that."""
    if plan.host.metrics:
        values = {"socket": MTAIL_SOCKET, "text_file": METRICS_TEXT, "agent": METRICS_AGENT}
        yield "metrics.conf", _text(render("metrics.conf.j2", **_shared(plan), **values))
        yield from metrics.files(plan)


def _who_may_come(plan: Plan) -> Iterator[tuple[str, File]]:
    """The files that tell whom a site or the host itself answers, where that is not everybody."""
    shared = _shared(plan)
    if plan.judges_addresses:
        visitors = {number: networks for networks, number in plan.visitors.items()}
        text = render("strangers.conf.j2", **shared, visitors=visitors)
        yield "strangers.conf", _text(text)
    if plan.host.proxy_protocol:
        yield "snippets/proxy-protocol.conf", _text(render("snippets/proxy-protocol.conf.j2", **shared))


def _sites(plan: Plan) -> Iterator[tuple[str, File]]:
    """The sites' server blocks, their own directives, verification files and certificates."""
    texts: dict[str, str] = {}
    for path, text in server_blocks(plan, _shared(plan)):
        texts[path] = texts.get(path, "") + text
    yield from ((path, _text(text)) for path, text in texts.items())
    shared_keys = frozenset(plan.certificates_by_name)
    for site in plan.host.sites:
        for file in plan.host.verify[site.domain]:
            yield f"verify/{site.domain}/{file.name}", File(file.body)
        if own := plan.host.directives.get(site.domain):
            yield own_directives_path(site.domain), File(own.body)
        if pair := plan.host.certs.get(site.domain):
            readers = plan.build.group if site.domain in shared_keys else None
            yield f"certs/{site.domain}/fullchain.pem", File(pair.chain, secret=True, group=readers)
            yield f"certs/{site.domain}/privkey.pem", File(pair.key, secret=True, group=readers)


def _ports_line(listener: InnerListener) -> str:
    """A listener's line in a release's `ports` file: port, address, and the address as /proc/net/tcp writes it."""
    packed = listener.address.packed
    words = (packed[start : start + 4][::-1] for start in range(0, len(packed), 4))
    return f"{listener.port} {listener.address} {b''.join(words).hex().upper()}"


def _text(text: str) -> File:
    return File(text.encode())


def _lines(values: Iterable[str]) -> File:
    return _text("".join(f"{value}\n" for value in values))
