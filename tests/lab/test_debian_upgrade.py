"""Debian 12 becomes Debian 13 under a gateway, with nobody there to answer: dpkg asks nothing about nginx.conf.

What of the upgrade concerns nginx: its packages and what they need. nginx.conf differs between the two releases.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import lab
from lab import hosts
from lab.errors import LabError

from . import checkout as own
from .checkout import HOME, SLB, Checkout

HOST = "t03"
HOOK = "/etc/dpkg/dpkg.cfg.d/wecom-gateway"
NGINX_CONF = "/etc/nginx/nginx.conf"
PROMPT = "end of file on stdin at conffile prompt"
UPGRADE = (
    "sed -i s/bookworm/trixie/ /etc/apt/sources.list && apt-get update -qq"
    " && DEBIAN_FRONTEND=noninteractive apt-get install -y nginx nginx-common </dev/null 2>&1"
)
# Seconds between nginx.conf's last change and the start of nginx's youngest worker.
LOADED_AFTER = r"""python3 - <<'E'
import os
master = open("/run/nginx.pid").read().strip()
workers = open(f"/proc/{master}/task/{master}/children").read().split()
boot = next(int(line.split()[1]) for line in open("/proc/stat") if line.startswith("btime"))
ticks = max(int(open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[19]) for pid in workers)
print(boot + 1 + ticks / os.sysconf("SC_CLK_TCK") - os.stat("/etc/nginx/nginx.conf").st_ctime)
E"""


def on_host(script: str) -> str:
    return own.on_host(HOST, script)


@pytest.fixture
def deployed(checkout: Checkout) -> Iterator[Checkout]:
    hosts.remove([HOST])
    lab.up([HOST], basis="packaged")
    checkout.default_host = HOST
    checkout.write_sites(SLB)
    checkout.deploy_well()
    yield checkout
    hosts.remove([HOST])


def _serves() -> bool:
    return own.ask(HOST, "http://a.edu.example/x").status == 200


def _is_raised_and_else_as_shipped() -> bool:
    shipped = on_host("dpkg-query -W -f '${Conffiles}' nginx-common | awk '$1 == \"" + NGINX_CONF + "\" { print $2 }'")
    lowered = on_host(f"sed 's/16384; # 768 before wecom-gateway/768;/' {NGINX_CONF} | md5sum").split()[0]
    return shipped.strip() == lowered and "worker_connections 16384; # 768" in on_host(f"cat {NGINX_CONF}")


def _is_upgraded_and_wants_a_deploy(checkout: Checkout) -> None:
    assert "1.26" in on_host("nginx -v 2>&1")
    assert "server_tokens off; # Recommended" in on_host(f"cat {NGINX_CONF}")
    assert _is_raised_and_else_as_shipped()
    assert float(on_host(LOADED_AFTER)) > 0
    assert _serves()
    code, report = checkout.status()
    (told,) = report["hosts"][0]["findings"]
    assert code == 2
    assert "the inventory has not changed since release " in told
    assert "nginx was upgraded from 1.22.1 to 1.26.3" in told
    checkout.deploy_well()
    code, report = checkout.status()
    assert (code, report["hosts"][0]["findings"], report["hosts"][0]["warnings"]) == (0, [], [])
    hosts.restart(HOST)
    hosts.wait_until(lambda: on_host("systemctl is-active nginx || true").strip() == "active", "nginx does not start")
    assert _serves()


def test_an_upgrade_asks_nothing_and_every_site_is_there_afterwards(deployed):
    on_host(UPGRADE)
    _is_upgraded_and_wants_a_deploy(deployed)


@pytest.mark.parametrize(
    ("cause", "undo"),
    [
        (f"rm {HOOK}", f"ln -s {HOME}/current/dpkg.cfg {HOOK}"),
        (f"sed -i '1i # ours' {NGINX_CONF}", f"sed -i 1d {NGINX_CONF}"),
    ],
    ids=["without the hook", "edited by somebody"],
)
def test_dpkg_stops_at_an_edited_file_and_goes_on_when_it_is_as_it_was(deployed, cause, undo):
    """Without it all this would be for nothing; and `dpkg --configure -a`, by which people go on, is dpkg alone."""
    on_host(cause)
    (warning,) = deployed.status()[1]["hosts"][0]["warnings"]
    assert "an upgrade of the package will ask" in warning
    with pytest.raises(LabError, match=PROMPT):
        on_host(f"{{ {UPGRADE}; }} >&2")  # what a LabError shows of a command
    assert _serves()
    on_host(undo)
    on_host("DEBIAN_FRONTEND=noninteractive dpkg --configure -a </dev/null && apt-get install -y -f </dev/null")
    _is_upgraded_and_wants_a_deploy(deployed)


def test_dpkg_s_other_work_leaves_everything_as_it_is(deployed):
    before = on_host(f"cat {NGINX_CONF}; stat -c '%a %U %G' {NGINX_CONF}; cat /run/nginx.pid; ls /run /etc/nginx")
    workers = "cat /proc/$(cat /run/nginx.pid)/task/*/children"
    at_work = on_host(workers)
    on_host("apt-get install -y -qq tree >/dev/null")
    assert on_host(workers) == at_work
    assert (
        on_host(f"cat {NGINX_CONF}; stat -c '%a %U %G' {NGINX_CONF}; cat /run/nginx.pid; ls /run /etc/nginx") == before
    )


def test_a_restart_of_nginx_while_dpkg_works_costs_no_room(deployed):
    """nginx was started with the shipped number then; it has to load the raised one afterwards."""
    on_host(f"bash {HOME}/current/dpkg.sh lower")
    assert "worker_connections 768;" in on_host(f"cat {NGINX_CONF}")
    on_host("systemctl restart nginx; sleep 1.1")
    on_host(f"bash {HOME}/current/dpkg.sh raise")
    hosts.wait_until(lambda: float(on_host(LOADED_AFTER)) > 0, "nginx did not load nginx.conf again")
    assert _is_raised_and_else_as_shipped()


def test_a_machine_that_dies_while_dpkg_works_is_told_and_healed_by_a_deploy(deployed):
    on_host(f"bash {HOME}/current/dpkg.sh lower")
    hosts.restart(HOST)
    hosts.wait_until(lambda: on_host("systemctl is-active nginx || true").strip() == "active", "nginx does not start")
    assert _serves()
    code, report = deployed.status()
    assert code == 2
    assert report["hosts"][0]["findings"] == [
        "nginx.conf has no room for the visitors that a release expects (worker_connections); deploy"
    ]
    deployed.deploy_well()
    assert deployed.status()[0] == 0
    assert _is_raised_and_else_as_shipped()


def test_a_gateway_that_is_gone_is_in_nobody_s_way(deployed):
    """Purged with everything below /etc/nginx, nginx comes back as Debian has it, and so does the gateway."""
    on_host("apt-get purge -y -qq nginx nginx-common </dev/null 2>&1; [ ! -e /etc/nginx/wecom-gateway ]")
    assert on_host("dpkg --audit 2>&1; apt-get install -y -qq nginx </dev/null 2>&1 | grep -i wecom || true") == ""
    assert "worker_connections 768;" in on_host(f"cat {NGINX_CONF}")
    deployed.deploy_well()
    assert _serves()
    assert _is_raised_and_else_as_shipped()
