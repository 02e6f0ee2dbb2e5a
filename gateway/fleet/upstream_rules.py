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
    """A warning for each upstream that proves nothing, or cannot be proven, or is not meant for everybody."""
    return [
        Problem(host.name, site.domain, field, f'"{upstream.origin}" {text}', "warning")
        for host in hosts
        for site in host.sites
        for upstream in dict.fromkeys(route.upstream for route in site.routes)
        for field, text in [
            *_nobodys(site, upstream),
            *((_field(site), text) for text in _texts(upstream)),
            *_for_few(site, upstream),
        ]
    ]


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
        yield (
            "is an IP address, and nginx compares it with the names in a certificate, not with the addresses; right "
            f'would be the name in its certificate, with "nodes": ["{upstream.host}"]'
        )


def _field(site: Site) -> str:
    return "bk.upstream" if site.follows_from_bk else "platform"
