"""What tests of the rules that protect people look at: sites of every kind rendered, and read as nginx reads them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from gateway.certificates.keys import KeyPair
from gateway.checkout.verify_files import VerifyFile
from gateway.fleet.parsing import parse_host
from gateway.nginx.build import Build
from gateway.nginx.release import File
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree
from tests.platforms import PLATFORMS

from .nginx_reading import Block, read

VERSIONS = ["1.18.0", "1.22.1", "1.26.3", "1.30.0"]
# Sites of one edge on one nginx: the parameters of http_level.
EVERY_NGINX = [(edge, version) for edge in ("tls", "slb") for version in VERSIONS]
BALANCER = ["10.0.0.0/24", "fd00::/64"]
_BK = {"upstream": "https://paas.inner.example:8443", "apps": ["bk_itsm"], "extra_paths": ["/o/bk_itsm/jsi18n/"]}
_ACME = {"acme": {"email": "ops@school.example"}}
# A platform with a header of its own for the domain, which no visitor of another platform's site may set either.
_OWN = {**PLATFORMS["wanxiao_test"], "domain_headers": ["X-School-Host"]}
SITES: tuple[dict[str, Any], ...] = (
    {"domain": "prod.b.edu.cn", "edge": "tls", "platform": "wanxiao_prod", "hsts": 300},
    {"domain": "test.b.edu.cn", "edge": "tls", "platform": "wanxiao_test"},
    {"domain": "itsm.b.edu.cn", "edge": "tls", "platform": "bkitsm", "bk": _BK},
    {"domain": "acme.b.edu.cn", "edge": "tls", "platform": "wanxiao_prod", "cert": _ACME},
)
BEHIND: tuple[dict[str, Any], ...] = (
    {"domain": "prod.b.edu.cn", "edge": "slb", "platform": "wanxiao_prod", "slb_cidrs": BALANCER},
    {"domain": "alike.b.edu.cn", "edge": "slb", "platform": "wanxiao_prod", "slb_cidrs": BALANCER},
    {"domain": "test.b.edu.cn", "edge": "slb", "platform": "wanxiao_test"},
    {"domain": "own.b.edu.cn", "edge": "slb", "platform": "own"},
    {"domain": "itsm.b.edu.cn", "edge": "slb", "platform": "bkitsm", "bk": _BK, "slb_cidrs": BALANCER},
)
VERIFY = "WW_verify_AbCdEfGhIjKlMnOp.txt"
UNCONDITIONAL = ("@wecom_gateway_unconditional",)
EGRESS = {"listen": "10.0.0.5:8443", "allow": ["10.0.0.0/24", "10.7.0.0/16"]}
# What inner systems believe of a request that comes from their own proxy.
BELIEVED = (
    *("Forwarded", "Proxy", "Proxy-Path", "Staffname", "X-Client-Ip", "X-Forwarded-Port", "X-Forwarded-Protocol"),
    *("X-Forwarded-Scheme", "X-Forwarded-Ssl", "X-Forwarded-User", "X-Forwarded-Weixin-Host", "X-Original-URI"),
    *("X-Original-URL", "X-Rewrite-URL", "X-Bkapi-App", "X-Bkapi-Authorization", "X-Bkapi-Jwt", "X-Bkapi-User"),
    *("X-Bkapi-Username", "X-Bkapi-User-Name", "X-Bkapi-Public-Key", "X-Bkapi-App-Code", "X-Bkapi-Permission-Action"),
    *("Bk-Username", "Bk-App-Code", "X-Bk-Tenant-Id", "X-Bk-App-Secret", "X-Script-Name", "X-Scheme"),
)


def rendered(sites: Iterable[dict[str, Any]] = SITES, version: str = "1.22.1", **build: Any) -> dict[str, File]:
    """The rendered files by path, placeholder and all. Each site has a verification file, and a stand-in of a key."""
    data = {"sites": list(sites), "platforms": {**PLATFORMS, "own": _OWN}, "egress": EGRESS}
    host, problems = parse_host("h1", data, Path("no-files"), certificates=False)
    assert host, problems
    own = [site["domain"] for site in sites if site["edge"] == "tls" and "cert" not in site]
    host = replace(
        host,
        verify={site["domain"]: (VerifyFile(VERIFY, b"AbCdEfGhIjKlMnOp"),) for site in sites},
        certs={domain: KeyPair(b"a certificate", b"a key") for domain in own},
    )
    return tree(host, replace(Build(Version.parse(version)), **build))


@cache
def http_level(edge: str, version: str) -> Block:
    """Everything at http level: sites of one edge, on one nginx."""
    return read(rendered(SITES if edge == "tls" else BEHIND, version))


def proxied(http: Block) -> list[Block]:
    """Locations that pass requests on to platforms; beside them nginx asks itself for verification files alone."""
    found = [one for one in http.inside("location") if one.all("proxy_pass") and one.arguments != UNCONDITIONAL]
    assert len(found) > 5
    return found


def servers(http: Block) -> list[Block]:
    return list(http.inside("server"))


def server_names(server: Block) -> list[str]:
    return [name for names in server.all("server_name") for name in names]


def own_servers(http: Block) -> list[Block]:
    """Servers of sites."""
    return [one for one in servers(http) if any(name.endswith(".edu.cn") for name in server_names(one))]
