"""The deploy itself, on a host of its own: from bare to no change, and what a failure leaves behind."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from datetime import timedelta

import pytest

from gateway.onhost import scripts
from lab import client, hosts, topology

from ..unit.conftest import make_pair
from . import checkout as own
from .checkout import HOME, SLB, TLS, no_changes, result_of

HOST = "t01"


def on_host(script: str) -> str:
    return own.on_host(HOST, script)


def _ask(url: str, **options):
    return own.ask(HOST, url, **options)


def test_a_bare_host_becomes_a_gateway_and_a_second_deploy_changes_nothing(bare_host, checkout):
    assert on_host("command -v nginx || echo none").strip() == "none"
    checkout.write_sites(SLB, TLS)
    checkout.certificate("b.edu.example")
    checkout.deploy_well()
    assert _ask("http://a.edu.example/x").header("X-Lab-Arrived") == "https://hub.17wanxiao.com/x"
    assert _ask("https://b.edu.example/o/itsm/weixin/").status == 200
    before = on_host("find /etc/nginx -printf '%p %m %T@ %s\\n' | sort; systemctl show -p MainPID nginx")
    assert no_changes(checkout.deploy_well())
    assert on_host("find /etc/nginx -printf '%p %m %T@ %s\\n' | sort; systemctl show -p MainPID nginx") == before


def test_a_host_that_cannot_be_read_is_no_traceback(bare_host, checkout):
    checkout.write_hosts({"t01": [SLB]}, _sudo_user="nosuchuser")
    done = checkout.deploy()
    assert done.returncode != 0
    assert 'there is no user "nosuchuser" for sudo' in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    code, report = checkout.status()
    assert code == 2
    assert report["hosts"][0]["reachable"]
    assert 'there is no user "nosuchuser" for sudo' in report["hosts"][0]["problem"]


def test_a_dry_run_shows_what_would_change_and_touches_nothing(bare_host, checkout):
    checkout.write_sites(SLB)
    before = on_host(f"ls -laR {HOME}")
    done = checkout.run("pyinfra", "--dry", "--diff", "inventory/own.py", "deploy.py")
    assert done.returncode == 0
    assert "sites/b.edu.example.conf" in done.stderr
    assert on_host(f"ls -laR {HOME}") == before


def test_a_site_comes_and_goes_with_its_entry(bare_host, checkout):
    pid = on_host("systemctl show -p MainPID nginx")
    checkout.write_sites(SLB, {**SLB, "domain": "c.edu.example"})
    checkout.verification("c.edu.example", "CcccCcccCccc0001")
    checkout.deploy_well()
    assert _ask("http://c.edu.example/WW_verify_CcccCcccCccc0001.txt").body == b"CcccCcccCccc0001"
    checkout.write_sites(SLB)
    checkout.deploy_well()
    with pytest.raises(client.ConnectionClosed):
        _ask("http://c.edu.example/")
    assert "c.edu.example" not in on_host(f"grep -rl c.edu.example {HOME}/current/ || true")
    # Reloaded, never restarted: connections in flight survive.
    assert on_host("systemctl show -p MainPID nginx") == pid


def test_sites_that_differ_in_name_alone_share_a_server_and_nothing_else(bare_host, checkout):
    """What a school is told, shown and sent must be its own, whatever the client writes as Host."""
    names = ["one.edu.example", "two.edu.example"]
    checkout.write_sites(
        *({**SLB, "domain": name} for name in names), {**SLB, "domain": "three.edu.example", "hsts": 9}
    )
    for number, name in enumerate(names):
        checkout.verification(name, f"SharedServer000{number}")
    checkout.deploy_well()
    assert on_host(f"grep -c '^server {{' {HOME}/current/sites/wanxiao_prod-slb.conf").strip() == "4"
    for number, name in enumerate(names):
        assert _ask(f"http://{name}/WW_verify_SharedServer000{number}.txt").body == b"SharedServer000%d" % number
        other = _ask(f"http://{name}/WW_verify_SharedServer000{1 - number}.txt")
        assert (other.status, other.header("X-Lab-Arrived")) == (404, None)
        for written in (name, name.upper(), f"{name}:9001", f"{name}."):
            seen = _ask(
                f"http://{name}/x",
                headers={"Host": written, "X-Lab-Status": "302", "X-Lab-Location": "http://open.17wanxiao.com/y"},
            )
            assert dict(seen.json()["headers"])["X-Forwarded-Host"] == name
            assert seen.header("Location") == f"https://{name}:9001/y"
        cookie = _ask(f"http://{name}/x", headers={"X-Lab-Set-Cookie": "s=1; Domain=.17wanxiao.com"})
        assert cookie.header("Set-Cookie") == f"s=1; Domain={name}"
    assert _ask("http://one.edu.example/x").header("Strict-Transport-Security") is None
    assert _ask("http://three.edu.example/x").header("Strict-Transport-Security") == "max-age=9"


def test_files_changed_by_hand_are_put_back_and_loaded_again(bare_host, checkout):
    checkout.write_sites(SLB)
    checkout.deploy_well()
    on_host(
        f"cd {HOME}/current && sed -i s/hub.17wanxiao.com/open.17wanxiao.com/g sites/wanxiao_prod-slb.conf"
        " && echo '# x' >sites/extra.conf && chmod 666 closed.conf && rm snippets/tls.conf"
    )
    on_host("nginx -t && systemctl reload nginx")
    by_hand = "https://open.17wanxiao.com/x"
    hosts.wait_until(
        lambda: _ask("http://a.edu.example/x").header("X-Lab-Arrived") == by_hand, "the reload was not seen", seconds=10
    )
    checkout.deploy_well()
    assert _ask("http://a.edu.example/x").header("X-Lab-Arrived") == "https://hub.17wanxiao.com/x"
    assert on_host(f"ls {HOME}/current/sites").split() == ["wanxiao_prod-slb.conf"]
    assert on_host(f"stat -c %a {HOME}/current/closed.conf").strip() == "644"
    assert no_changes(checkout.deploy_well())


def test_a_reload_that_was_lost_is_made_up_for(bare_host, checkout):
    """The release is on disk and current, but the running nginx never heard of it."""
    checkout.write_sites(SLB)
    checkout.deploy_well()
    on_host("systemctl stop nginx")
    output = checkout.deploy_well()
    assert result_of(output, "Publish the release") == ["1", "-", "-", "1"]
    assert result_of(output, "Activate the release") == ["1", "1", "-", "-"]
    assert _ask("http://a.edu.example/x").status == 200


def test_a_configuration_that_nginx_refuses_leaves_the_host_as_it_was_and_fails_again(bare_host, checkout):
    checkout.write_sites(SLB)
    checkout.deploy_well()
    before = on_host(f"readlink {HOME}/current; cat {HOME}/activated")
    template = checkout.path / "templates" / "nginx" / "site-slb.conf.j2"
    good = template.read_text()
    template.write_text(good + "\nnonsense on;\n")
    for _ in range(2):
        done = checkout.deploy()
        assert done.returncode == 1
        assert "nginx refuses the new release" in done.stderr
        assert 'unknown directive "nonsense"' in done.stderr
        assert "sites/wanxiao_prod-slb.conf" in done.stderr
        assert "Traceback" not in done.stderr
        assert on_host(f"readlink {HOME}/current; cat {HOME}/activated") == before
        assert _ask("http://a.edu.example/x").status == 200
    template.write_text(good)
    assert no_changes(checkout.deploy_well())


def test_a_bad_inventory_leaves_the_host_as_it_was(bare_host, checkout):
    checkout.write_sites(SLB)
    checkout.deploy_well()
    before = on_host(f"ls -laR --time-style=full-iso {HOME}; journalctl -u ssh | grep -c Accepted")
    checkout.write_sites(SLB, {**SLB, "domain": "A.edu.example", "edge": "x"}, {**TLS, "domain": "d.edu.example"})
    done = checkout.deploy()
    assert done.returncode == 1
    for text in ("A.edu.example: domain:", "A.edu.example: edge:", "d.edu.example: cert:"):
        assert text in done.stderr
    assert on_host(f"ls -laR --time-style=full-iso {HOME}; journalctl -u ssh | grep -c Accepted") == before


@pytest.mark.parametrize("wrong", ["expired", "other's key", "no key"])
def test_certificates_that_would_not_work_are_refused(bare_host, checkout, wrong):
    checkout.certificate("b.edu.example")
    checkout.write_sites(TLS)
    folder = checkout.path / "files" / "certs"
    if wrong == "no key":
        (folder / "b.edu.example" / "privkey.pem").unlink()
    elif wrong == "other's key":
        other = checkout.certificate("other.edu.example")
        (folder / "b.edu.example" / "privkey.pem").write_bytes(other)
    else:
        chain, key = make_pair("b.edu.example", end=timedelta(hours=-1))
        (folder / "b.edu.example" / "fullchain.pem").write_bytes(chain)
        (folder / "b.edu.example" / "privkey.pem").write_bytes(key)
    done = checkout.deploy()
    assert done.returncode == 1
    assert f"{HOST}: b.edu.example: cert: " in done.stderr
    assert "Connecting" not in done.stderr


def test_no_output_and_no_file_shows_a_key(bare_host, checkout):
    key = checkout.certificate("b.edu.example").decode()
    secret = key.splitlines()[1]
    checkout.write_sites(TLS)
    shown = checkout.deploy_well("-vvv", "--diff", "--debug")
    checkout.certificate("b2.edu.example")
    checkout.write_sites({**TLS, "domain": "b2.edu.example"}, TLS)
    for options in (
        ["--dry", "--diff", "-vvv"],
        ["--dry", "--json", "--diff", "-vvv"],
        ["--debug-operations"],
        ["--debug-facts"],
        ["-y", "--json", "-vvv", "--diff"],
    ):
        done = checkout.run("pyinfra", *options, "inventory/own.py", "deploy.py")
        assert done.returncode == 0, done.stderr
        shown += done.stdout + done.stderr
    done = checkout.run("pyinfra", "inventory/own.py", "debug-inventory")
    shown += done.stdout + done.stderr
    assert shown.count("+ certs/b2.edu.example/privkey.pem") == 3  # every diff names it
    assert secret not in shown
    assert "PRIVATE KEY" not in shown
    found = on_host(f"grep -rlF '{secret}' /etc /var /run /tmp /root /home 2>/dev/null || true").split()
    assert found
    assert all(path.startswith(f"{HOME}/releases/") and path.endswith("/privkey.pem") for path in found), found


def test_no_process_on_the_host_shows_a_key_while_a_deploy_runs(bare_host, checkout):
    """Argument lists and environments are readable by everybody on a host, temporary files by many."""
    key = checkout.certificate("b.edu.example").decode().splitlines()[1]
    spy = (
        "end=$((SECONDS + 60)); while [ $SECONDS -lt $end ] && [ ! -e /run/spy.stop ]; do"
        " cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' >>/run/spy.log;"
        " find /tmp /var/tmp /dev/shm /home -type f -exec cat {} + 2>/dev/null >>/run/spy.log;"
        " find /etc/nginx/wecom-gateway -name privkey.pem -perm /077 >>/run/spy.open; done"
    )
    on_host(f"rm -f /run/spy.*; systemd-run --quiet --unit spy bash -c {shlex.quote(spy)}")
    checkout.write_sites(TLS, {**SLB, "domain": "spied.edu.example", "platform": "wanxiao_test"})
    checkout.deploy_well()
    on_host("touch /run/spy.stop; systemctl stop spy || true")
    # where nginx is only being installed, files of apt's are among it
    seen = on_host("LC_ALL=C tr -cd '[:print:]\\n' </run/spy.log")
    # it did look while the deploy was at work
    assert "take_lock" in seen
    assert key not in seen
    assert on_host("cat /run/spy.open") == ""
    # and on the operator's side nothing of it is left in a temporary file
    found = subprocess.run(
        ["grep", "-rlF", "--exclude-dir=pytest-of-*", key, tempfile.gettempdir()], capture_output=True, text=True
    )
    assert found.stdout == ""


def test_an_upload_that_breaks_off_changes_nothing(bare_host, checkout):
    checkout.write_sites(SLB)
    checkout.deploy_well()
    script = scripts.text("publish")
    before = on_host(f"find {HOME}/current/ {HOME}/current ! -name releases -printf '%p %m %T@ %l\\n'")
    for half in ("H4sIAAAAAAAAA", "no base64 at all!", ""):
        done = subprocess.run(
            ["docker", "exec", "-i", topology.container(HOST), "bash", "-c", script, "x", "0" * 16, "1" * 64],
            input=half,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1
        assert "nothing was changed" in done.stderr
    assert on_host(f"ls -laR {HOME}/releases | grep -c incoming || true").strip() == "0"
    now = on_host(f"find {HOME}/current/ {HOME}/current ! -name releases -printf '%p %m %T@ %l\\n'")
    assert now == before
