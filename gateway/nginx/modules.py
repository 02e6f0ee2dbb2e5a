"""What an nginx was built without, of what a release can use; and what of an inventory it cannot serve then. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from gateway.fleet.host import Host
from gateway.inventory.site import Site
from gateway.nginx.build import SSL_CONF_COMMAND, Build

# Modules that nginx has only where it was built --with them, and those that it has unless it was built --without them
# (https://nginx.org/en/docs/configure.html). The stream module is none of them: it may be a package's of its own, of
# which nginx -V knows nothing, as on Debian 11.
_ASKED_FOR = ("http_ssl_module", "http_v2_module", "http_realip_module", "http_auth_request_module")
_USUAL = (
    *("http_rewrite_module", "http_proxy_module", "http_map_module", "http_geo_module", "http_limit_req_module"),
    *("http_upstream_keepalive_module", "http_upstream_zone_module", "http_gzip_module"),
    *("http_auth_basic_module", "http-cache"),
)
# TLS libraries for which nginx has no ssl_conf_command.
OTHER_LIBRARIES = frozenset({"LibreSSL", "BoringSSL"})


def lacking(built: frozenset[str]) -> frozenset[str]:
    """What an nginx lacks whose `nginx -V` has these words (HostState.built)."""
    asked = {name for name in _ASKED_FOR if not built & {f"--with-{name}", f"--with-{name}=dynamic"}}
    left_out = {name for name in _USUAL if f"--without-{name}" in built}
    return frozenset(asked | left_out | ({SSL_CONF_COMMAND} if built & OTHER_LIBRARIES else set()))


@dataclass(frozen=True)
class _Use:
    """What of an inventory needs which modules: `what` is its name there, `instead` helps besides another nginx."""

    what: str
    modules: tuple[str, ...]
    by: Callable[[Site], object]
    instead: str = ""


_OF_SITES = (
    _Use("every site", ("http_proxy_module", "http_map_module", "http_rewrite_module"), lambda site: True),
    _Use('edge "tls"', ("http_ssl_module",), lambda site: site.edge == "tls", 'edge "slb" behind a load balancer'),
    _Use(
        "an https upstream",
        ("http_ssl_module",),
        lambda site: any(route.upstream.scheme == "https" for route in site.routes),
    ),
    _Use(
        "slb_cidrs",
        ("http_realip_module", "http_geo_module"),
        lambda site: site.edge == "slb" and site.trusted_proxies,
        "leave slb_cidrs out: upstreams are told the load balancer's address then, and what comes to it by plain http "
        "is not redirected",
    ),
    _Use("allow", ("http_geo_module",), lambda site: site.allow),
    _Use("rate_limit", ("http_limit_req_module",), lambda site: site.rate_limit, "leave rate_limit out"),
)


def refusals(host: Host, build: Build) -> list[str]:
    """A sentence for each thing that the host's entry asks for and that this nginx was built without."""
    return [*_of_sites(host.sites, build), *_of_host(host, build)]


def _of_sites(sites: Iterable[Site], build: Build) -> Iterator[str]:
    sites = list(sites)
    for use in _OF_SITES:
        using = [site.domain for site in sites if use.by(site)]
        if using:
            yield from _refused(f"{_named(using)}: {use.what}", use.modules, build, use.instead)


def _of_host(host: Host, build: Build) -> Iterator[str]:
    if host.proxy_protocol:
        yield from _refused("proxy_protocol", ("http_realip_module", "http_geo_module", "http_map_module"), build)


def _refused(what: str, modules: Iterable[str], build: Build, instead: str = "") -> Iterator[str]:
    missing = [_flag(name) for name in modules if name in build.without]
    if missing:
        way_out = f", or {instead}" if instead else ""
        yield (
            f"{what} needs {' and '.join(missing)}, which this nginx was built without; have the host's nginx built "
            f"with it{way_out}"
        )


def _flag(module: str) -> str:
    return f"--with-{module}" if module in _ASKED_FOR else module


def _named(domains: list[str]) -> str:
    shown = ", ".join(domains[:3])
    return shown if len(domains) <= 3 else f"{shown} and {len(domains) - 3} more"
