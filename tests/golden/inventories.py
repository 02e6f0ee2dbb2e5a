"""The inventories and nginxes whose rendered trees are kept: each platform and edge, and whatever decides a tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from gateway.certificates.keys import KeyPair
from gateway.checkout import own_directives
from gateway.checkout.verify_files import VerifyFile
from gateway.fleet.host import Host
from gateway.fleet.parsing import parse_host
from gateway.nginx.build import Build
from gateway.nginx.tls_profile import Version
from tests.conftest import REPO
from tests.platforms import PLATFORMS

# nginx and the OpenSSL that it comes with: Debian 11, 12, 13 and 14.
NGINX = {"1.18.0": "1.1.1", "1.22.1": "3.0.17", "1.26.3": "3.5.1", "1.30.0": "3.6.0"}

_PRIVATE = ["10.0.0.0/24", "fd00::/64"]
_BK = {"upstream": "https://paas.inner.example", "apps": ["bk_itsm", "itsm"], "envs": ["o", "t"]}
_ACME = {"acme": {"email": "ops@school.example", "directory": "https://acme.example/directory"}}


@dataclass(frozen=True)
class Inventory:
    """One host's data, and what its nginx has besides a version."""

    sites: tuple[dict[str, Any], ...]
    egress: dict[str, Any] | None = None
    metrics: dict[str, Any] | None = None
    proxy_protocol: list[str] | None = None
    ipv6: bool = True
    foreign_defaults: frozenset[str] = frozenset()
    foreign_limits: bool = False
    group: str | None = "www-data"
    # nginx directives of the operator's own, by the first part of the domain
    own: tuple[tuple[str, str], ...] = ()


def _site(name: str, edge: str, platform: str, **more: Any) -> dict[str, Any]:
    return {"domain": f"{name.replace('_', '-')}.school.example", "edge": edge, "platform": platform, **more}


def _many() -> tuple[dict[str, Any], ...]:
    return tuple(_site(f"s{number:03}", "tls", "wanxiao_prod") for number in range(120))


INVENTORIES = {
    "wanxiao-prod-slb": Inventory((_site("card", "slb", "wanxiao_prod", slb_cidrs=_PRIVATE),)),
    "wanxiao-prod-tls": Inventory((_site("card", "tls", "wanxiao_prod", hsts=300, max_body="20m"),)),
    "wanxiao-test-slb": Inventory((_site("card", "slb", "wanxiao_test"),)),
    "wanxiao-test-tls": Inventory(
        (_site("card", "tls", "wanxiao_test", rate_limit={"requests_per_second": 200, "burst": 400}),)
    ),
    "bkitsm-slb": Inventory((_site("itsm", "slb", "bkitsm", bk=_BK, slb_cidrs=["10.0.0.0/24"]),)),
    "bkitsm-tls": Inventory((_site("itsm", "tls", "bkitsm", bk={**_BK, "extra_paths": ["/o/itsm/api/"]}),)),
    # Apps of BlueKing's as routes: on PaaS v3, under another path, and with a header that says which.
    "blueking-routes-slb": Inventory(
        tuple(_site(name, "slb", name, slb_cidrs=_PRIVATE) for name in ("bkitsm_v3", "bkmonitor", "bksops"))
    ),
    "blueking-routes-tls": Inventory((_site("itsm", "tls", "bkitsm_v3_name"), _site("monitor", "tls", "bkmonitor"))),
    "own-and-wxapi-slb": Inventory((_site("app", "slb", "own_app"), _site("api", "slb", "wxapi"))),
    "own-and-wxapi-tls": Inventory((_site("app", "tls", "own_app"), _site("api", "tls", "wxapi"))),
    "every-kind": Inventory(
        (
            _site("a", "slb", "wanxiao_prod", slb_cidrs=["10.0.0.0/24"]),
            _site("b", "slb", "wanxiao_prod", slb_cidrs=["10.0.0.0/24"]),
            _site("c", "slb", "bkitsm", bk=_BK, rate_limit={"requests_per_second": 9}),
            _site("d", "slb", "wanxiao_test", slb_cidrs=["10.1.0.0/16"]),
        ),
        ipv6=False,
        foreign_defaults=frozenset({"80"}),
        foreign_limits=True,
        group=None,
    ),
    "120-sites": Inventory(_many()),
    "120-sites-of-their-own": Inventory(_many(), group=None),
    "120-sites-slb": Inventory(tuple(_site(f"s{number:03}", "slb", "wanxiao_prod") for number in range(120))),
    "egress": Inventory(
        (_site("card", "slb", "wanxiao_prod"),), egress={"listen": "10.0.0.5:443", "allow": ["10.0.0.0/24"]}
    ),
    "metrics": Inventory(
        (_site("card", "slb", "wanxiao_prod"), _site("itsm", "tls", "bkitsm", bk=_BK)),
        metrics={"listen": "10.0.0.5:9145", "allow": _PRIVATE},
    ),
    "acme": Inventory(
        (_site("card", "tls", "wanxiao_prod", cert=_ACME), _site("itsm", "tls", "bkitsm", bk=_BK, cert=_ACME))
    ),
    "own-directives-slb": Inventory(
        tuple(_site(name, "slb", "wanxiao_prod") for name in "abc"), own=(("b", "add_header X-Own yes;\n"),)
    ),
    "own-directives-tls": Inventory(
        (_site("card", "tls", "wanxiao_prod"), _site("itsm", "tls", "bkitsm", bk=_BK, cert=_ACME)),
        own=(("card", "gzip on;\nproxy_buffering on;\n"), ("itsm", "location = /own { return 204; }\n")),
    ),
    "who-may-come": Inventory(
        (
            _site("a", "slb", "bkitsm", bk=_BK, slb_cidrs=_PRIVATE, allow=["198.51.100.0/24", "2001:db8:5::/48"]),
            _site("b", "tls", "wanxiao_test", allow=["198.51.100.0/24"]),
            _site("c", "tls", "wanxiao_prod", cert=_ACME),
        ),
        proxy_protocol=_PRIVATE,
    ),
}


def cases() -> Iterator[tuple[str, str]]:
    """Every inventory with every nginx, by their names."""
    return ((name, version) for name in INVENTORIES for version in NGINX)


def host(inventory: Inventory) -> Host:
    """The checked host. Certificates are stand-ins: a tree holds them as they are and asks nothing of them."""
    data = {
        "platforms": PLATFORMS,
        "sites": list(inventory.sites),
        "egress": inventory.egress,
        "metrics": inventory.metrics,
        "proxy_protocol": inventory.proxy_protocol,
    }
    parsed, problems = parse_host("h1", data, REPO / "no-files-here", certificates=False)
    assert parsed is not None, problems
    own = [site for site in parsed.sites if site.edge == "tls" and not site.acme]
    return replace(
        parsed,
        verify=MappingProxyType({site.domain: _verification(site.domain) for site in parsed.sites}),
        certs=MappingProxyType({site.domain: _stand_in(site.domain) for site in own}),
        directives=MappingProxyType(
            {f"{name}.school.example": _directives(name, text) for name, text in inventory.own}
        ),
    )


def build(inventory: Inventory, version: str) -> Build:
    """The nginx of that version, on the inventory's host."""
    return Build(
        Version.parse(version),
        inventory.ipv6,
        inventory.foreign_defaults,
        Version.parse(NGINX[version] + ".0"),
        inventory.foreign_limits,
        inventory.group,
    )


def _verification(domain: str) -> tuple[VerifyFile, ...]:
    token = domain.partition(".")[0].ljust(16, "x")
    return (VerifyFile(f"WW_verify_{token}.txt", token.encode()), VerifyFile("mini.txt", domain.encode()))


def _directives(name: str, text: str) -> own_directives.OwnDirectives:
    return own_directives.parse(f"files/nginx/{name}.school.example.conf", text.encode())


def _stand_in(domain: str) -> KeyPair:
    return KeyPair(f"certificate of {domain}\n".encode(), f"key of {domain}\n".encode())
