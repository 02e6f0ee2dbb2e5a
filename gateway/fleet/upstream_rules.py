"""What is likely to go wrong between a gateway and the upstreams of its sites."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.fleet.host import Host
from gateway.inventory.site import Site, Upstream
from gateway.problems import Problem
from gateway.wecom.api_hosts import WECOM_API

# Below this name are the upstreams of examples, those of group_data among them. No server has it, .example is reserved.
_EXAMPLE = ".inner.example"


def warnings(hosts: Iterable[Host]) -> list[Problem]:
    """A warning for each upstream that proves nothing, or cannot be proven, or of which more is open than is meant."""
    return [
        Problem(host.name, site.domain, field, text, "warning")
        for host in hosts
        for site in host.sites
        for field, text in [*_of_upstreams(site), *_half_guarded(site), *_open_walls(site)]
    ]


def _of_upstreams(site: Site) -> Iterator[tuple[str, str]]:
    for upstream in dict.fromkeys(route.upstream for route in site.routes):
        texts = ((_field(site), text) for text in _texts(upstream))
        for field, text in [*_nobodys(site, upstream), *texts, *_for_few(site, upstream)]:
            yield field, f'"{upstream.origin}" {text}'


def _half_guarded(site: Site) -> Iterator[tuple[str, str]]:
    """A guarded prefix beside an open one of the same upstream: the way around the wall is short."""
    walls = {route.upstream.host: route for route in site.routes if route.guarded}
    for route in site.routes:
        wall = walls.get(route.upstream.host)
        if wall and not route.guarded and route.upstream_path != "/":
            yield (
                _field(site),
                f'"{route.path}" is not guarded, and "{wall.path}", which leads to the same {wall.upstream.host}, is: '
                f'{route.path}..;/ may reach all of it; right would be "guarded": True for both',
            )


def _open_walls(site: Site) -> Iterator[tuple[str, str]]:
    """A guarded prefix around which nothing is left to close."""
    for route in site.routes:
        if route.guarded and route.upstream_path == "/":
            yield (
                _field(site),
                f'"{route.path}" is guarded and leads to all of {route.upstream.host}: no page of it is closed; name '
                'in "upstream" the prefix that is meant for visitors',
            )


def _for_few(site: Site, upstream: Upstream) -> Iterator[tuple[str, str]]:
    if upstream.host in WECOM_API and not site.allow:
        yield (
            "allow",
            "is WeCom's API, which calls by its app servers alone are meant for; name their networks: "
            '"allow": ["203.0.113.0/24"]',
        )


def _nobodys(site: Site, upstream: Upstream) -> Iterator[tuple[str, str]]:
    # a site that is an example itself, as the demo's are, is no school's
    if f".{upstream.host}".endswith(_EXAMPLE) and not site.domain.endswith(".example"):
        where = "" if site.follows_from_bk else " in a copy of the platform, under a name of your own"
        yield _field(site), f"is the example's server, which nobody has; write yours{where}"


def _texts(upstream: Upstream) -> Iterator[str]:
    if upstream.scheme == "http" and not upstream.servers:
        yield (
            "is plain http to a name: whoever DNS names gets every login unencrypted; right would be https, or the "
            'private addresses of its servers as "nodes"'
        )
    if upstream.scheme == "https" and upstream.is_address:
        nodes = "beside the nodes that it has" if upstream.nodes else f'with "nodes": ["{upstream.host}"]'
        yield (
            "is an IP address, and nginx compares it with the names in a certificate, not with the addresses; right "
            f"would be the name in its certificate, {nodes}"
        )


def _field(site: Site) -> str:
    return "bk.upstream" if site.follows_from_bk else "platform"
