"""status tells the truth about a host: each sentence after what an operator, a neighbour or a disk does to cause it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import lab
from lab import hosts

from . import checkout as own
from .checkout import HOME, SLB, Checkout

HOST = "t02"
UNITS = f"{HOME}/current/units"


def on_host(script: str) -> str:
    return own.on_host(HOST, script)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    hosts.remove([HOST])
    lab.up([HOST], basis="packaged")
    checkout = Checkout.make(tmp_path_factory.mktemp("status"), HOST)
    checkout.write_sites(SLB)
    checkout.deploy_well()
    yield checkout
    hosts.remove([HOST])


def findings(checkout: Checkout) -> list[str]:
    """What the one host's status tells to act on; exit code and `problem` must agree with it."""
    code, report = checkout.status()
    (host,) = report["hosts"]
    assert code == (2 if host["findings"] else 0)
    assert host["problem"] == (host["findings"] or [""])[0]
    assert host["in_sync"] == (not host["findings"])
    return host["findings"]


@contextmanager
def done(checkout: Checkout, cause: str, undo: str) -> Iterator[list[str]]:
    """What status finds after `cause`; after `undo` it must find nothing, without a deploy."""
    on_host(cause)
    try:
        yield findings(checkout)
    finally:
        on_host(undo)
    assert findings(checkout) == []


def test_a_host_in_order_is_in_sync_and_status_changes_nothing(deployed):
    everything = (
        "find /etc /var/log/nginx /var/lib/nginx /var/lib/wecom-gateway /run/nginx.pid -printf '%p %m %u %s %T@\\n'"
        " 2>/dev/null | grep -v '/upstreams' | sort"
    )
    before = on_host(everything)
    assert findings(deployed) == []
    assert on_host(everything) == before


def test_a_broken_file_of_somebody_s(deployed):
    with done(
        deployed, "echo 'broken by them;' >/etc/nginx/conf.d/theirs.conf", "rm /etc/nginx/conf.d/theirs.conf"
    ) as found:
        (text,) = found
    assert text.startswith("nginx's configuration does not load; would not come up after a reboot: ")
    assert "/etc/nginx/conf.d/theirs.conf:1" in text


def test_a_name_that_no_server_answers_for_does_not_hang_status(deployed):
    """A resolver that is silent keeps `nginx -t` waiting for a name in somebody else's file."""
    with done(
        deployed,
        """cp /etc/resolv.conf /run/resolv.kept; systemctl stop wecom-gateway-resolve.timer
        systemd-run -q --unit silent python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.77", 53)); time.sleep(600)'
        printf 'nameserver 127.0.0.77\\noptions timeout:25 attempts:3\\n' >/etc/resolv.conf
        echo 'server { location / { proxy_pass http://nowhere.example; } }' >/etc/nginx/conf.d/theirs.conf""",
        """cat /run/resolv.kept >/etc/resolv.conf; rm /etc/nginx/conf.d/theirs.conf; systemctl stop silent
        systemctl start wecom-gateway-resolve.timer; sleep 6""",
    ) as found:
        assert any("needs more than 30 seconds to load its configuration" in one for one in found)


@pytest.mark.parametrize(
    ("cause", "undo", "expected"),
    [
        ("systemctl stop nginx", "systemctl start nginx", ["nginx is not running, it was stopped; deploy"]),
        (
            "systemctl disable -q nginx",
            "systemctl enable -q nginx",
            ["nginx is not enabled and would not come up after a reboot; systemctl enable nginx there"],
        ),
        (
            "systemctl mask -q nginx",
            "systemctl unmask -q nginx",
            ["nginx is masked and would not come up after a reboot; systemctl unmask nginx there"],
        ),
        (
            "systemctl mask -q --now nginx",
            "systemctl unmask -q nginx; systemctl start nginx",
            ["nginx is not running and is masked; systemctl unmask nginx there, then deploy"],
        ),
        (
            "systemctl stop nginx; systemctl disable -q nginx",
            "systemctl enable -q --now nginx",
            [
                "nginx is not running, it was stopped; deploy",
                "nginx is not enabled and would not come up after a reboot; systemctl enable nginx there",
            ],
        ),
        (
            "systemctl stop nginx; echo 'broken by them;' >/etc/nginx/conf.d/a.conf;"
            " ! systemctl start nginx 2>/dev/null",
            "rm /etc/nginx/conf.d/a.conf; systemctl start nginx",
            [
                "nginx is not running; mend its configuration, then deploy",
                "nginx's configuration does not load; would not come up after a reboot: "
                'unknown directive "broken" in /etc/nginx/conf.d/a.conf:1',
            ],
        ),
        (
            "cp -p /usr/sbin/nginx /run/nginx.new && mv /run/nginx.new /usr/sbin/nginx",
            "systemctl restart nginx",
            ["nginx was replaced on the disk and the old one still runs; systemctl restart nginx there"],
        ),
        (
            "systemctl disable -q --now wecom-gateway-resolve.timer",
            f"systemctl enable -q --now {UNITS}/wecom-gateway-resolve.timer",
            [
                "wecom-gateway-resolve.timer is not enabled; "
                f"systemctl enable --now {UNITS}/wecom-gateway-resolve.timer there"
            ],
        ),
        (
            "systemctl stop wecom-gateway-expiry.timer",
            "systemctl restart wecom-gateway-expiry.timer",
            ["wecom-gateway-expiry.timer is not running; systemctl restart wecom-gateway-expiry.timer there"],
        ),
        (
            "ln -sfn /dev/null /etc/systemd/system/wecom-gateway-expiry.timer; systemctl daemon-reload",
            "systemctl unmask -q wecom-gateway-expiry.timer"
            f" && systemctl enable -q --now {UNITS}/wecom-gateway-expiry.timer",
            [
                "wecom-gateway-expiry.timer is masked; systemctl unmask wecom-gateway-expiry.timer"
                f" && systemctl enable --now {UNITS}/wecom-gateway-expiry.timer there"
            ],
        ),
        (
            "systemctl disable -q wecom-gateway-renew.service",
            f"systemctl enable -q {UNITS}/wecom-gateway-renew.service",
            [f"wecom-gateway-renew.service is not enabled; systemctl enable {UNITS}/wecom-gateway-renew.service there"],
        ),
    ],
)
def test_nginx_and_the_timers(deployed, cause, undo, expected):
    with done(deployed, cause, undo) as found:
        assert found == expected


def test_nginx_failed_and_nothing_but_its_own_words_tells_why(deployed):
    squatter = 'import socket, time; s = socket.create_server(("", 80)); time.sleep(600)'
    with done(
        deployed,
        f"systemctl stop nginx; systemd-run -q --unit squatter python3 -c '{squatter}'; sleep 1;"
        " ! systemctl start nginx 2>/dev/null",
        "systemctl stop squatter; systemctl start nginx",
    ) as found:
        (text,) = found
    assert text.startswith("nginx is not running, it failed: bind() to 0.0.0.0:80 failed (98: Address already in use)")


def test_a_service_of_the_release_fails(deployed):
    with done(
        deployed,
        "printf '#!/bin/sh\\nexit 1\\n' >/usr/local/bin/cut; chmod 755 /usr/local/bin/cut;"
        " ! systemctl start wecom-gateway-resolve.service 2>/dev/null; systemctl stop wecom-gateway-resolve.timer;"
        " systemctl start wecom-gateway-resolve.timer",
        "rm /usr/local/bin/cut; systemctl start wecom-gateway-resolve.service",
    ) as found:
        assert found == [
            "wecom-gateway-resolve.service failed when it ran last; "
            "journalctl -u wecom-gateway-resolve.service there says why"
        ]


def test_certbot_s_timer_counts_where_certificates_are_ordered(deployed):
    """The host's own file of orders stands for a site with an automatic certificate."""
    on_host("apt-get install -y -qq certbot >/dev/null && systemctl mask -q --now certbot.timer")
    try:
        assert findings(deployed) == []
        on_host(f"echo 'a.edu.example x y z' >{HOME}/current/orders")
        assert (
            "certbot.timer is masked; systemctl unmask certbot.timer && systemctl enable --now certbot.timer there"
            in findings(deployed)
        )
        on_host("systemctl unmask -q certbot.timer; systemctl disable -q --now certbot.timer")
        assert "certbot.timer is not enabled; systemctl enable --now certbot.timer there" in findings(deployed)
    finally:
        on_host(f": >{HOME}/current/orders; systemctl enable -q --now certbot.timer")
    assert findings(deployed) == []


STOP, START = (f"systemctl {verb} wecom-gateway-resolve.timer" for verb in ("stop", "restart"))


def _small_disk(folder: str, options: str) -> tuple[str, str]:
    """What puts a small disk under a folder, and what takes it away again."""
    mount = f"mount -t tmpfs -o mode=755,{options} none {folder}; cp -a /run/kept/. {folder}/"
    return f"{STOP}; rm -rf /run/kept; cp -a {folder} /run/kept; {mount}", f"umount {folder}; rm -rf /run/kept; {START}"


def test_a_read_only_folder(deployed):
    cause = f"{STOP}; mount --bind /etc/nginx /etc/nginx && mount -o remount,bind,ro /etc/nginx"
    with done(deployed, cause, f"umount /etc/nginx; {START}") as found:
        assert "/etc/nginx: read-only; dmesg there may say why" in found


def test_a_disk_without_room(deployed):
    with done(deployed, *_small_disk("/var/log/nginx", "size=2M")) as found:
        text = found[0]
    assert text.startswith("/var/log/nginx: the disk is full, ")
    assert "MB are left; free some, see df -h there" in text


def test_a_disk_without_room_for_more_files(deployed):
    cause, undo = _small_disk("/etc/nginx", "nr_inodes=900")
    filled = "for i in {1..900}; do : >/etc/nginx/.f$i || break; done 2>/dev/null"
    with done(deployed, f"{cause}; {filled}", undo) as found:
        text = found[0]
    assert text.startswith("/etc/nginx: the disk has no room for more files, 0 are left")


def test_several_findings_are_all_told_in_the_table_too(deployed):
    broken = "echo 'broken by them;' >/etc/nginx/conf.d/a.conf"
    on_host(f"{broken}; systemctl disable -q nginx; systemctl stop wecom-gateway-expiry.timer")
    try:
        assert len(findings(deployed)) == 3
        told = deployed.run("python", "-m", "gateway", "status", "inventory/own.py", "--no-outside")
        assert told.returncode == 2
        for text in (
            "does not load; would not come up after a reboot",
            "nginx is not enabled",
            "wecom-gateway-expiry.timer is not running",
        ):
            assert text in told.stdout
    finally:
        on_host("rm /etc/nginx/conf.d/a.conf; systemctl enable -q nginx; systemctl restart wecom-gateway-expiry.timer")


def test_why_another_release_is_wanted(deployed):
    """The inventory, a neighbour, and an older release that does not say what it was rendered for."""
    release = on_host(f"basename $(readlink {HOME}/current)").strip()
    deployed.write_sites({**SLB, "hsts": 300})
    assert findings(deployed) == [
        f"the inventory, its files or this checkout's templates have changed since release {release}; deploy"
    ]
    deployed.write_sites(SLB)
    assert findings(deployed) == []
    theirs = "/etc/nginx/conf.d/theirs.conf"
    claim = f"echo 'server {{ listen 80 default_server; return 204; }}' >{theirs}"
    with done(deployed, claim, f"rm {theirs}") as found:
        assert found[0] == (
            f"the inventory has not changed since release {release}, but another site of this host now says it is "
            "the default of port 80; deploy"
        )
    build = f"{HOME}/builds/$(basename $(readlink {HOME}/current))"
    with done(deployed, f"mv {build} /run/; {claim}", f"mv /run/build {build}; rm {theirs}") as found:
        assert found[0] == f"the inventory has changed since release {release}, or it was rolled back; deploy"


def test_an_edited_nginx_conf_is_told_and_is_no_drift(deployed):
    on_host("cp -p /etc/nginx/nginx.conf /run/; sed -i '1i # ours' /etc/nginx/nginx.conf")
    try:
        code, report = deployed.status()
        assert code == 0
        assert report["hosts"][0]["warnings"] == [
            "nginx.conf was edited; an upgrade of the package will ask whether to keep it"
        ]
    finally:
        on_host("cp -p /run/nginx.conf /etc/nginx/nginx.conf")
    assert deployed.status()[1]["hosts"][0]["warnings"] == []


def test_a_minimal_host_gets_what_turns_the_logs_over(deployed):
    assert on_host("systemctl is-enabled logrotate.timer").strip() == "enabled"
    on_host("apt-get purge -y -qq logrotate >/dev/null")
    assert findings(deployed) == ["not installed: logrotate; deploy"]
    deployed.deploy_well()
    assert findings(deployed) == []
