"""`status` as an operator types it: each way in which a host is not as it should be is told, and is exit 2."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.cli.main import main
from gateway.deploys import origin
from gateway.deploys.facts import GatewayState
from gateway.fleet.parsing import parse_host
from gateway.nginx import release as releases
from gateway.nginx.tree import tree

from .conftest import PLATFORMS, REPO
from .test_fake_deploy import MARKS

SITE = {"domain": "a.edu.cn", "edge": "slb", "platform": "wanxiao_prod"}
TLS = {"domain": "t.edu.cn", "edge": "tls", "platform": "wanxiao_prod"}
_ACME = {"email": "ops@edu.cn"}
ORDERED = {**TLS, "cert": {"acme": _ACME}}
OTHER = "0123456789abcdef"
HEALTH = {
    "loads": "yes",
    "unit:nginx.service": "loaded active enabled success 900",
    "unit:wecom-gateway-resolve.timer": "loaded active enabled success -",
    "disk:/etc/nginx": "/ rw 900000 5000",
}
# Only one of the scripts says it.
HEALTH_MARK = "first_emergency"


class Checkout:
    """A checkout with one host, and what that host says of itself; each test changes a thing of it."""

    def __init__(self, folder: Path, *sites: dict[str, Any]) -> None:
        self.folder, self.sites = folder, list(sites)
        self.health: dict[str, str | None] = dict(HEALTH)
        self.state: dict[str, str | None] = {
            "version": "nginx version: nginx/1.22.1",
            "ipv6": "yes",
            "entry:/etc/nginx/conf.d/wecom-gateway.conf": "yes",
            "room": "yes",
        }
        data = {"platforms": PLATFORMS, "sites": self.sites, "allow_expired": 1}
        host, problems = parse_host("h1", data, Path("files"))
        assert host, problems
        self.wanted = releases.build(tree(host, GatewayState().process(_lines(self.state)).build))
        name = self.wanted.id
        self.state |= {"current": f"releases/{name}", "digest": self.wanted.digest(), "activated": name}
        self.state |= {"running": name, "history": f"{OTHER} {name}"}
        self.held = [f"source {line}" for line in self.wanted.files["sources"].body.decode().splitlines()]
        self.held += [f"domain {site['domain']}" for site in sites]

    def status(self) -> tuple[int, dict[str, Any]]:
        """The exit code, and what --json says of the host."""
        answers = {
            HEALTH_MARK: "\n".join(_lines(self.health)) + "\n",
            MARKS["state"]: "\n".join(_lines(self.state)) + "\n" if self.state else {"success": False},
            " held": "\n".join(self.held) + "\n",
        }
        data = {"fake_delay": 0, "fake_delay_jitter": 0, "fake_responses": answers, "sites": self.sites}
        path = self.folder / "own.py"
        path.write_text(f"hosts = [('@fake/one', {data!r})]\n")
        done = CliRunner().invoke(main, ["status", str(path), "--json", "--no-outside"], catch_exceptions=False)
        (host,) = json.loads(done.stdout)["hosts"]
        return done.exit_code, host


def _lines(values: dict[str, str | None]) -> list[str]:
    return [f"{key} {text}" for key, text in values.items() if text is not None]


@pytest.fixture
def checkout(files, monkeypatch) -> Callable[..., Checkout]:
    monkeypatch.chdir(files.parent)
    (files.parent / "group_data").symlink_to(REPO / "group_data")
    return lambda *sites: Checkout(files.parent, *(sites or (SITE,)))


def test_a_host_that_is_as_a_deploy_leaves_it_is_in_sync(checkout):
    code, host = checkout().status()
    assert (code, host["in_sync"], host["findings"]) == (0, True, [])
    assert host["wanted"] == host["published"] == host["running"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"running": OTHER}, f"the running nginx still serves {OTHER}; deploy"),
        ({"running": ""}, "nginx does not answer"),
        ({"digest": "0" * 64}, "files of the release were changed on the host"),
        ({"current": "", "digest": ""}, "nothing is published; deploy"),
        ({"current": f"releases/{OTHER}"}, f"it was rolled back to release {OTHER}"),
        ({"current": f"releases/{OTHER}", "history": OTHER}, f"has changed since release {OTHER}"),
        ({"activated": ""}, "not proven to be in force"),
        ({"activated": OTHER}, "not proven to be in force"),
        ({"entry:/etc/nginx/conf.d/wecom-gateway.conf": None}, "not proven to be in force"),
        ({"room": "no"}, "no room for the visitors"),
        ({"missing": "logrotate"}, "not installed: logrotate"),
    ],
)
def test_one_thing_amiss_is_drift(checkout, changes, said):
    own = checkout()
    own.state |= changes
    code, host = own.status()
    assert (code, host["in_sync"]) == (2, False)
    assert said in host["problem"]


def test_a_host_without_nginx_is_drift(checkout):
    own = checkout()
    own.state = {"candidate": "1.22.1-9", "missing": "nginx ca-certificates"}
    code, host = own.status()
    assert code == 2
    assert host["problem"] == "nginx is not installed; deploy"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"loads": "no unknown directive"}, "does not load; would not come up after a reboot: unknown directive"),
        ({"unit:nginx.service": "loaded active disabled success 900"}, "nginx is not enabled"),
        ({"unit:wecom-gateway-resolve.timer": "loaded inactive enabled success -"}, "resolve.timer is not running"),
        ({"disk:/etc/nginx": "/ rw 900 5000"}, "the disk is full"),
        ({"disk:/etc/nginx": "/ ro 900000 5000"}, "read-only"),
        (dict.fromkeys(HEALTH), "cannot be told"),
    ],
)
def test_how_nginx_the_timers_and_the_disks_are_is_told(checkout, changes, said):
    own = checkout()
    own.health |= changes
    code, host = own.status()
    assert (code, host["in_sync"]) == (2, False)
    assert said in host["findings"][0]


def test_a_deploy_that_would_be_refused_is_not_advised(checkout):
    own = checkout()
    own.state |= {"current": f"releases/{OTHER}", "history": OTHER, "running": OTHER, "activated": OTHER}
    own.held.append("domain gone.edu.cn")
    own.state["listen:00000000:0050"] = "17 apache2.service apache2"
    code, host = own.status()
    assert code == 2
    assert host["problem"].startswith("a deploy would be refused: ")
    assert "port 80 is held by apache2" in host["problem"]
    assert "gone.edu.cn" in host["problem"]


def test_a_certificate_that_has_expired_is_drift(checkout, store_pair):
    """It is told, though nobody could deploy it."""
    store_pair("t.edu.cn", start=timedelta(days=-60), end=timedelta(days=-2, hours=1))
    code, host = checkout(TLS).status()
    assert code == 2
    assert host["certificate_days"] == {"t.edu.cn": -2}
    assert host["findings"] == ["certificate expired: t.edu.cn; renew it"]


@pytest.mark.parametrize(
    ("days", "failed", "said"),
    [
        (None, "", "certificate not issued yet: t.edu.cn; deploy"),
        (None, "2026-11-20T01:13Z port 80 is closed", "not issued yet: t.edu.cn (2026-11-20T01:13Z port 80 is closed)"),
        (-3, "", "certificate expired: t.edu.cn; renew it"),
        (9, "2026-11-20T01:13Z no answer", "certificate not renewed: t.edu.cn (9 days left)"),
        (60, "2026-11-20T01:13Z no answer", ""),
        (60, "", ""),
    ],
)
def test_certificates_that_a_host_gets_itself(checkout, days, failed, said):
    own = checkout(ORDERED)
    (order,) = own.wanted.files["orders"].body.decode().splitlines()
    if days is not None:
        own.state["order:t.edu.cn"] = order.partition(" ")[2]
        end = datetime.now(UTC) + timedelta(days=days, hours=1)
        own.state["ends:t.edu.cn"] = f"{end:%b %d %H:%M:%S %Y} GMT"
    if failed:
        own.state["failed:t.edu.cn"] = failed
    code, host = own.status()
    assert code == (2 if said else 0)
    assert any(said in text for text in host["findings"]) if said else host["findings"] == []
    if failed and days is not None:
        assert host["renewal_failed"] == {"t.edu.cn": failed}


def test_a_host_that_does_not_let_itself_be_read_is_no_host_in_sync(checkout):
    own = checkout()
    own.state = {}
    code, host = own.status()
    assert (code, host["in_sync"]) == (2, False)
    assert "cannot be read" in host["problem"]


def test_a_host_that_cannot_be_reached_is_no_host_in_sync(checkout, tmp_path):
    checkout()
    path = tmp_path / "gone.py"
    path.write_text(f"hosts = [('127.0.0.1', {{'ssh_port': 1, 'ssh_user': 'nobody', 'sites': [{SITE!r}]}})]\n")
    done = CliRunner().invoke(main, ["status", str(path), "--json", "--no-outside"], catch_exceptions=False)
    (host,) = json.loads(done.stdout)["hosts"]
    assert (done.exit_code, host["reachable"], host["in_sync"]) == (2, False, False)


def _deployed_by(checkout, line):
    """What status says where another release is in force, with that record of where it came from."""
    one = checkout(SITE)
    one.health["build"] = one.wanted.files["build"].body.decode().strip()
    one.state |= {"current": f"releases/{OTHER}", "activated": OTHER, "running": OTHER, "history": OTHER}
    one.held.append(f"origin {line} 2026-11-20T01:13:00Z")
    origin.of_checkout.cache_clear()
    code, host = one.status()
    origin.of_checkout.cache_clear()
    assert code == 2
    assert host["problem"].startswith("the inventory, its files or this checkout's templates have changed since")
    return host["problem"].partition(OTHER)[2]


COMMIT = f"{'c' * 40} 2026-11-20T09:12:33+08:00 main"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("- - - clean wang@desk", ", which wang@desk deployed on 2026-11-20; deploy"),
        (
            "- - - changed wang@desk",
            ", which wang@desk deployed on 2026-11-20 with changes not committed; ask for them",
        ),
        # outside of git nobody can tell whether it is here
        (f"{COMMIT} clean wang@desk", ", which wang@desk deployed on 2026-11-20; deploy"),
    ],
)
def test_where_somebody_else_was_here_it_says_who(checkout, line, said):
    assert _deployed_by(checkout, line) == said


def test_one_s_own_deploy_is_nobody_else_s(checkout):
    assert _deployed_by(checkout, origin.of_checkout().line()) == "; deploy"


def test_a_commit_that_is_not_here_is_to_be_pulled_whoever_deployed_it(checkout, files):
    who = ["-c", "user.name=Wang", "-c", "user.email=wang@edu.cn", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "one"]):
        subprocess.run(["git", *who, *words], cwd=files.parent, check=True)
    said = "from commit cccccccccccc, which this checkout does not contain; git pull first"
    for by in ("wang@desk", origin.of_checkout().by):
        told = _deployed_by(checkout, f"{COMMIT} clean {by}")
        assert told == f", which {by} deployed on 2026-11-20 {said}"


def test_over_a_newer_product_s_release_a_deploy_would_be_refused(checkout):
    one = checkout(SITE)
    one.state |= {"current": f"releases/{OTHER}", "activated": OTHER, "running": OTHER, "history": OTHER}
    one.state["product"] = "99.0"
    code, host = one.status()
    assert code == 2
    assert host["problem"].startswith("a deploy would be refused: the release in force was made by wecom-gateway 99.0")
