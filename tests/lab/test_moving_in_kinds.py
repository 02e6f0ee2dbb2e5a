"""Hand-written gateways of the kinds that schools have: adopted, compared with what takes their place on another host,
and replaced on their own one under requests. The texts are those of tests/adopt, their inner names the lab's."""

from __future__ import annotations

import base64
import json
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import lab
from lab import hosts, pki, topology

from ..conftest import REPO
from .checkout import Checkout, on_host, run_product
from .load import Load
from .test_moving_in import fill_in

_INNER = {
    "10.30.211.116:8080": "PLATFORM:80",
    "10.30.211.117:8080": "NODE:80",
    "10.1.2.3:7001": "PLATFORM:80",
    "10.1.2.4:7001": "NODE:80",
    "paas.inner.example.com": "paas.inner.example",
    "paas.inner.com": "paas.inner.example",
    "114.114.114.114": "127.0.0.11",
    # one nginx has all of them here
    "shared:SSL:1m": "shared:SSL:10m",
    "80 default_server": "80",
    "/usr/local/nginx/conf/ssl/": "/etc/nginx/",
    "/data/logs/nginx/wx.school.log main": "/var/log/nginx/wx.school.log",
}


@dataclass(frozen=True)
class Old:
    """An old server: its files, in the order in which nginx reads them, and pages of its sites that answer 200."""

    files: tuple[str, ...]
    pages: tuple[str, ...]
    certificates: tuple[tuple[str, str, str], ...] = ()
    options: tuple[str, ...] = ()
    # a name that no site can have
    lost: str = ""

    def domains(self) -> set[str]:
        return {urlsplit(page).hostname or "" for page in self.pages}


PLAIN = Old(
    (
        "campus-slb.conf",
        "balancer.conf",
        "blueking-nodes.conf",
        "monitoring.conf",
        "own-app.conf",
        "verification/site.conf",
    ),
    (
        "http://api.59wanmei.com/bserver/x",
        "http://wx.school-a.edu.cn/x",
        "http://wx.school-b.edu.cn:9001/x",
        "http://itsm.example.com/o/bk_itsm/static/weixin/app.css",
        "http://ops.example.com/xxxxx/bkmonitor/static/app.css",
        "http://oa.school.edu.cn/x",
        "http://app.school.edu.cn/x",
        "http://wx.verify.edu.cn/bserver/x",
        "http://wx.verify.edu.cn/WW_verify_AAAAAAAAAAAAAAAA.txt",
    ),
    options=("--domain", "api.59wanmei.com"),
    lost="*.oa.school.edu.cn",
)
TLS = Old(
    ("campus-tls.conf", "bk-itsm.conf", "from-source/conf/vhost/wx.school.edu.cn.conf"),
    (
        "https://api.59wanmei.com/bserver/x",
        "https://itsm.exter.com/o/itsm/static/weixin/x.js",
        "https://wx.school.edu.cn:9001/x",
    ),
    (
        ("api.59wanmei.com", "/etc/nginx/ssl/server.crt", "/etc/nginx/ssl/server.key"),
        ("itsm.exter.com", "/etc/nginx/itsm.crt", "/etc/nginx/itsm.key"),
        ("wx.school.edu.cn", "/etc/nginx/wx.school.edu.cn.pem", "/etc/nginx/wx.school.edu.cn.key"),
    ),
)
# Old and new host of each.
PAIRS = {"plain": (PLAIN, "t30", "t31"), "tls": (TLS, "t32", "t33")}


def _put(host: str, path: str, body: bytes) -> None:
    text = base64.b64encode(body).decode()
    on_host(host, f"mkdir -p {Path(path).parent} && echo {text} | base64 -d >{path}")


def _prepare(old: Old, host: str, folder: Path) -> None:
    on_host(host, "rm /etc/nginx/sites-enabled/*")
    inner = {
        "PLATFORM": topology.address("platform"),
        "NODE": topology.address("node-b"),
    }
    for number, name in enumerate(old.files):
        text = (REPO / "tests/adopt" / name).read_text()
        for theirs, ours in _INNER.items():
            text = text.replace(theirs, ours)
        for theirs, ours in inner.items():
            text = text.replace(theirs, ours)
        _put(host, f"/etc/nginx/conf.d/{number}-{Path(name).name}", text.encode())
    for path in (REPO / "tests/adopt/verification/web").iterdir():
        for web in ("/srv/verification/web", "/usr/share/nginx/web"):
            _put(host, f"{web}/{path.name}", path.read_bytes())
    _put(host, "/data/wwwroot/verify/WW_verify_AbCdEfGh12345678.txt", b"AbCdEfGh12345678")
    for domain, chain, key in old.certificates:
        pki.issue(domain, [domain], folder / domain)
        _put(host, chain, (folder / domain / "fullchain.pem").read_bytes())
        _put(host, key, (folder / domain / "privkey.pem").read_bytes())
    on_host(host, "nginx -t -q && systemctl reload nginx")


@pytest.fixture(scope="module", params=sorted(PAIRS))
def pair(request, tmp_path_factory):
    old, *there = PAIRS[request.param]
    lab.up()
    hosts.remove(there)
    lab.up(there, basis="packaged")
    _prepare(old, there[0], tmp_path_factory.mktemp("certificates"))
    yield old, *there
    hosts.remove(there)


def test_each_is_adopted_compared_and_replaced(pair, tmp_path):
    old, before, after = pair
    (tmp_path / "mine").mkdir()
    mine = Checkout.make(tmp_path / "mine", before)
    mine.write_hosts({before: []})
    source = ("--from", before, str(mine.path / "inventory/own.py"), *old.options)
    schools = {}
    for host, more in ((after, ()), (before, ("--in-place",))):
        schools[host] = tmp_path / host
        done = run_product(REPO, "adopt", *source, "--out", str(schools[host]), "--host", topology.address(host), *more)
        assert done.returncode == 0, done.stdout + done.stderr
        fill_in(schools[host])
        checked = run_product(schools[host], "check", "inventory/prod.py")
        assert checked.returncode == 0, done.stdout + checked.stdout + checked.stderr

    done = run_product(schools[after], "pyinfra", "-y", "inventory/prod.py", "deploy.py")
    assert done.returncode == 0, done.stderr
    addresses = [topology.address(one) for one in (after, before)]
    asked = ("--resolve", addresses[0], "--compare", addresses[1], "--ca", str(topology.CA), "--json")
    seen = run_product(schools[after], "verify", "inventory/prod.py", *asked)
    told = json.loads(seen.stdout)["comparisons"]
    assert {site["name"] for site in told} == old.domains()
    # Of a path without its slash both may send to an inner login, so that neither is right.
    assert [one for site in told for one in site["differences"] if one["right"] in ("old", "unasked")] == []

    with ExitStack() as running:
        for page in old.pages:
            running.enter_context(Load(page, topology.address(before), threads=1))
        deploy = ("pyinfra", "-y", "inventory/prod.py", "deploy.py")
        if old.lost:
            refused = run_product(schools[before], *deploy)
            assert refused.returncode == 1
            assert f"nobody would any more: {old.lost} (" in refused.stderr
        done = run_product(schools[before], *deploy, "--data", "allow_site_removal=1")
        assert done.returncode == 0, done.stderr
        assert on_host(before, "ls /etc/nginx/conf.d").split() == ["wecom-gateway.conf"]
        back = run_product(schools[before], "pyinfra", "-y", "inventory/prod.py", "rollback.py")
        assert back.returncode == 0, back.stderr
    assert len(on_host(before, "ls /etc/nginx/conf.d").split()) == len(old.files)
