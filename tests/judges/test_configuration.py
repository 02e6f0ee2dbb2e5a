"""The rendered configuration, read by gixy: nginx mistakes that have a name."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from gateway.fleet import loading
from gateway.fleet.parsing import parse_host
from gateway.nginx import release
from gateway.nginx.build import Build
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree
from gateway.onhost.constants import HOME
from lab import demo, pki

from ..conftest import REPO

VERSIONS = ("1.18.0", "1.22.1", "1.26.3", "1.30.6")

SKIPPED = (
    # Goes by the version number alone; Debian mends such bugs without changing it, and updating nginx is the
    # host owner's, not the configuration's.
    "nginx_cves",
    # HSTS is each site's own decision (`hsts`), off until the school is sure that its domain stays on https.
    "hsts_header",
    # Wants 421 where a request for no site's name comes in on another site's connection; such a request gets
    # nothing, as the contract says.
    "http2_misdirected_request",
    # Wants the path passed on as it was sent. A prefix is mapped by the path that nginx matched, or what matched
    # and what arrives could be two things; what stays ambiguous after decoding is refused on allow-lists.
    "proxy_pass_normalized",
    # Of verification files, which are asked for a few times in their life.
    "try_files_is_evil_too",
)

# By finding and file.
SKIPPED_IN = {
    # Sees a variable that would have to be resolved; its values, the default too, are names of upstreams.
    ("missing_resolver", "egress.conf"),
    # Only locations of one file each lead there (location = /WW_verify_....txt): the path is that file's name.
    ("http_splitting", "unconditional.conf"),
}

# What is not the gateway's on a host, without anything of its own to find fault with.
NGINX_CONF = """\
include %(home)s/current/main.conf;
events { worker_connections 1024; }
http {
    include %(home)s/current/gateway.conf;
}
"""


INNER = {
    "upstream": "https://inner.demo.example:8443/",
    "nodes": ["10.0.0.8:8443", "10.0.0.9"],
    "ca": "files/ca/inner.pem",
}
MIXED = (
    {"path": "/", "upstream": "http://10.0.0.8:8080/", "host": "domain"},
    {"path": "/named/", "upstream": "http://app.inner.example/ctx/", "headers": {"X-Site": "https://{domain}{path}"}},
    {
        "path": "/bkmonitor/",
        "upstream": "http://10.0.0.9/o/bk_monitorv3/weixin/",
        "guarded": True,
        "headers": {"X-Original-URI": "{path}"},
    },
    {
        "path": "/bkmonitor/static/",
        "upstream": "http://10.0.0.9/o/bk_monitorv3/static/weixin/",
        "guarded": True,
        "headers": {"X-Original-URI": "{path}"},
    },
    {"path": "/inner/", **INNER},
    {"path": "/hub/", "upstream": "https://hub.17wanxiao.com/"},
)


@pytest.fixture(params=VERSIONS)
def version(request):
    return request.param


def _with_all(data):
    """A host's data with what the demo has no use for: automatic certificates, egress, a rate limit, own routes, and
    upstreams of every kind."""
    first, *others = data["sites"]
    limited = {**first, "rate_limit": {"requests_per_second": 100, "burst": 200}}
    acme = {
        "domain": "acme.demo.example",
        "edge": "tls",
        "platform": "wanxiao_test",
        "cert": {"acme": {"email": "ops@demo.example", "directory": "https://acme.example/dir"}},
    }
    nested = {**acme, "domain": "nested.demo.example", "platform": "nested"}
    routes = [
        {"port": "entry", "path": "/", "upstream": "https://hub.17wanxiao.com/"},
        {"port": "entry", "path": "/api/", "upstream": "https://open.17wanxiao.com/v2/"},
    ]
    platforms = {
        **data["platforms"],
        "nested": {"routes": routes},
        "mixed": {"routes": [{"port": "entry", **route} for route in MIXED]},
        "inner": {"routes": [{"port": "entry", "path": "/", **INNER}]},
    }
    mixed, inner = ({**nested, "domain": f"{name}.demo.example", "platform": name} for name in ("mixed", "inner"))
    egress = {"listen": "10.0.0.5:8443", "allow": ["10.0.0.0/24"]}
    return {**data, "platforms": platforms, "sites": [limited, *others, acme, nested, mixed, inner], "egress": egress}


def _files(folder):
    """The demo's files, with an authority beside them."""
    shutil.copytree(REPO / "files", folder)
    (folder / "ca").mkdir(exist_ok=True)
    shutil.copy(pki.ensure_ca(), folder / "ca" / "inner.pem")
    return folder


@pytest.fixture(params=["gw-slb", "gw-tls", "all"])
def rendered(request, version, tmp_path, monkeypatch):
    """A host's whole nginx configuration on this machine's disk; the path of its nginx.conf."""
    monkeypatch.chdir(REPO)
    demo.issue_certificates()
    if request.param == "all":
        # servers that share their certificates' directive, too
        monkeypatch.setattr("gateway.nginx.plan.TOGETHER", 2)
        remote = loading.load(demo.INVENTORY, limit=["gw-tls"]).inventory.get_host("gw-tls")
        host, problems = parse_host("all", _with_all(remote.data.dict()), _files(tmp_path / "files"))
        assert host, problems
    else:
        (host,) = loading.load(demo.INVENTORY, limit=[request.param]).hosts
    wanted = release.build(tree(host, Build(Version.parse(version), group="www-data")))
    home = tmp_path / "wecom-gateway"
    folder = home / "releases" / wanted.id
    for path, file in wanted.files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        body = file.body
        if target.suffix == ".conf":
            # gixy's reader of expressions knows no repeat that never goes back
            body = body.replace(HOME.encode(), str(home).encode()).replace(b")*+", b")*")
        target.write_bytes(body)
    (home / "current").symlink_to(folder)
    (home / "upstreams").mkdir()
    for line in wanted.files["upstreams"].body.decode().splitlines():
        name, port = line.split()
        (home / "upstreams" / f"{name}_{port}.conf").write_text(f"server 192.0.2.1:{port};\n")
    for site in host.sites:
        if site.acme:
            # as if its certificate had been issued
            (home / "acme" / "issued" / site.domain).mkdir(parents=True)
            (home / "acme" / "issued" / site.domain / "releases").symlink_to(home / "releases")
    main = tmp_path / "nginx.conf"
    main.write_text(NGINX_CONF % {"home": home})
    return main


def _findings(tool, version, main):
    done = tool("gixy", "--nginx-version", version, "--skips", ",".join(SKIPPED), "--format", "json", str(main))
    assert "Traceback" not in done.stderr, done.stderr
    return json.loads(done.stdout)


def test_gixy_finds_nothing(tool, version, rendered):
    """A known mistake (a spoofed host, a split response, a path that escapes) that slipped into a template."""
    found = _findings(tool, version, rendered)
    assert [one for one in found if (one["plugin"], Path(one["file"]).name) not in SKIPPED_IN] == []


def test_gixy_reads_the_sites(tool, version, rendered):
    """Guards the test above against a judge that never gets to see the included files."""
    changed = set()
    for folder in ("sites", "acme"):
        for path in (rendered.parent / "wecom-gateway" / "current" / folder).glob("*.conf"):
            text, count = re.subn(r"proxy_pass (https?)://[^;]+;", r"proxy_pass \1://$http_host;", path.read_text())
            path.write_text(text)
            if count:
                changed.add(path.name)
    found = {Path(one["file"]).name for one in _findings(tool, version, rendered) if one["plugin"] == "ssrf"}
    # It names the first of many alike.
    assert found
    assert found <= changed
