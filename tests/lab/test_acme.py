"""Certificates by ACME on a real host, from a server that visits it: issue, renewal, and everything that goes wrong."""

from __future__ import annotations

import re
import ssl
import time

import pytest

from lab import acme, client, layer4, topology

from . import checkout as own
from . import disk
from .acme_host import (
    CODE,
    FILES,
    HOST,
    KNOWN,
    RENEW,
    a_alone_not_renewed,
    ask,
    authority,
    deactivate,
    has_no_tls,
    is_replaced,
    journal,
    mine,
    now,
    on_host,
    root,
    serial,
    site,
)
from .checkout import HOME, no_changes
from .load import Load

__all__ = ["authority", "mine", "root"]


def test_several_sites_get_certificates_in_their_first_deploy_and_a_second_changes_nothing(mine, root):
    mine.write_sites(site("a"), site("b"), FILES)
    output = mine.deploy_well("-vvv")
    for name in ("a", "b"):
        assert ask(f"{name}.acme.example", root).header("X-Lab-Arrived") == "https://hub.17wanxiao.com/x"
    assert ask("files.edu.example", topology.CA).status == 200
    for scheme in ("http", "https"):
        assert own.ask(HOST, f"{scheme}://a.acme.example/WW_verify_{CODE}.txt", ca=root).body == CODE.encode()
    assert own.ask(HOST, "http://a.acme.example/y?q").header("Location") == "https://a.acme.example/y?q"
    before = on_host("find /etc/nginx -printf '%p %m %T@ %s\\n' | sort")
    second = mine.deploy_well()
    assert no_changes(second)
    assert on_host("find /etc/nginx -printf '%p %m %T@ %s\\n' | sort") == before
    code, report = mine.status()
    assert code == 0
    assert report["hosts"][0]["certificate_days"]["a.acme.example"] == 19
    for shown in (output, second, str(report)):
        assert "PRIVATE KEY" not in shown
    # Keys lie where root alone gets to.
    reader = f"find {HOME}/ -name 'privkey*.pem' 2>/dev/null | xargs -r head -c1 | wc -c"
    assert on_host(f'su ops -s /bin/sh -c "{reader}"').strip() == "0"


def test_behind_a_load_balancer_of_layer_4_the_host_sees_what_it_serves(mine, root):
    """It looks at the certificate that nginx shows, by a connection of its own, which knows of no load balancer."""
    layer4.ensure(HOST)
    networks = [f"{topology.address(layer4.NAME)}/32"]
    try:
        mine.write_hosts({HOST: [site("e"), FILES]}, proxy_protocol=networks)
        mine.deploy_well()
        answer = ask("e.acme.example", root, topology.address(layer4.NAME))
        assert answer.header("X-Lab-Arrived") == "https://hub.17wanxiao.com/x"
        assert no_changes(mine.deploy_well())
        code, report = mine.status()
        assert code == 0, report
        with pytest.raises((ssl.SSLError, ConnectionError)):
            client.request("https://e.acme.example/x", connect=topology.address(HOST), ca=root)
    finally:
        layer4.remove()


def test_with_the_server_down_a_new_site_waits_and_the_others_do_not(mine, root):
    mine.write_sites(site("a"), FILES)
    mine.deploy_well()
    mine.write_sites(site("a"), site("c"), site("d"), {**FILES, "hsts": 7})
    with acme.unreachable():
        done = mine.deploy()
        assert done.returncode == 1
        assert "c.acme.example has no certificate yet" in done.stderr
        # what a resolver says of a name that is gone depends on those it asks
        reason = r"(Name or service not known|Temporary failure in name resolution)"
        assert re.search(rf"acme\.authority\.example:14000 cannot be reached: {reason}", done.stderr), done.stderr
        assert ask("files.edu.example", topology.CA).header("Strict-Transport-Security") == "max-age=7"
        assert ask("a.acme.example", root).status == 200
        assert own.ask(HOST, f"http://c.acme.example/WW_verify_{CODE}.txt").body == CODE.encode()
        assert has_no_tls("c.acme.example")
        code, report = mine.status()
        assert code == 2
        assert "certificate not issued yet: c.acme.example (" in report["hosts"][0]["problem"]
        on_host("nginx -t && systemctl restart nginx")
    mine.deploy_well()
    assert ask("c.acme.example", root).status == ask("d.acme.example", root).status == 200
    assert no_changes(mine.deploy_well())
    assert mine.status()[0] == 0


def test_domains_that_the_server_does_not_reach_are_named_with_its_reason_and_stop_nobody(mine, root):
    # Asked for in this order: none that fails may keep the last from its turn.
    mine.write_sites(site("a"), site("absent"), site("away"), site("e"))
    done = mine.deploy()
    assert done.returncode == 1
    for name, reason in (("absent", "lookup absent.acme.example"), ("away", "connection: ")):
        (line,) = [line for line in done.stderr.splitlines() if f"{name}.acme.example has no certificate yet" in line]
        assert reason in line
    assert "Traceback" not in done.stderr + done.stdout
    assert ask("e.acme.example", root).status == 200
    mine.write_sites(site("a"), site("e"))
    mine.deploy_well()
    assert mine.status()[0] == 0


def test_a_renewal_through_debians_own_timer_loses_no_request(mine, root):
    mine.write_sites(site("a"), site("b"), FILES)
    mine.deploy_well()
    before = serial("a.acme.example"), serial("b.acme.example")
    assert on_host("systemctl is-enabled certbot.timer").strip() == "enabled"
    with Load("https://a.acme.example/x", topology.address(HOST), ca=root):
        on_host("systemctl start certbot.service")
        until = time.monotonic() + 60
        while serial("a.acme.example") == before[0] or serial("b.acme.example") == before[1]:
            assert time.monotonic() < until, "nothing was renewed within a minute"
            time.sleep(0.5)
        time.sleep(1)
    assert no_changes(mine.deploy_well())


def test_a_renewal_without_the_server_keeps_the_certificate_and_says_so(mine, root):
    mine.write_sites(site("a"), FILES)
    mine.deploy_well()
    before, began = serial("a.acme.example"), now()
    with acme.unreachable():
        on_host(f"! {RENEW}")
        assert serial("a.acme.example") == before
        assert "a.acme.example: the certificate was not renewed" in journal("wecom-gateway-renew -p err", began)
        code, report = mine.status()
        assert code == 0
        assert "cannot be reached" in report["hosts"][0]["renewal_failed"]["a.acme.example"]
    on_host(RENEW)
    is_replaced("a.acme.example", before)
    assert mine.status()[1]["hosts"][0]["renewal_failed"] == {}


def test_one_domain_that_is_not_renewed_keeps_no_other_from_it(mine):
    mine.write_sites(site("a"), site("b"))
    mine.deploy_well()
    with a_alone_not_renewed() as serial_of_a:
        failed = mine.status()[1]["hosts"][0]["renewal_failed"]
        assert list(failed) == ["a.acme.example"]
        # b failed once as well, and that is over.
        on_host(f"echo then >{HOME}/acme/failed/b.acme.example; ! {RENEW}")
        assert list(mine.status()[1]["hosts"][0]["renewal_failed"]) == ["a.acme.example"]
        assert "lookup a.acme.example" in failed["a.acme.example"]
    mine.deploy_well()
    is_replaced("a.acme.example", serial_of_a)
    assert mine.status()[1]["hosts"][0]["renewal_failed"] == {}


def test_nginx_that_cannot_reload_keeps_the_old_certificate_until_it_can(mine, root):
    mine.write_sites(site("a"), FILES)
    mine.deploy_well()
    before, began = serial("a.acme.example"), now()
    on_host("echo 'nonsense;' >/etc/nginx/conf.d/theirs.conf")
    try:
        on_host(f"! {RENEW}")
        assert serial("a.acme.example") == before
        assert 'unknown directive "nonsense"' in journal("wecom-gateway-renew -p err", began)
    finally:
        on_host("rm /etc/nginx/conf.d/theirs.conf")
    on_host(RENEW)
    is_replaced("a.acme.example", before)
    assert ask("a.acme.example", root).status == 200


def test_a_server_that_forgot_the_account_gets_a_new_one(mine, tmp_path):
    mine.write_sites(site("a"), site("b"))
    mine.deploy_well()
    acme.forget()
    on_host(RENEW)
    root = acme.write_root(tmp_path / "new-root.pem")
    assert ask("a.acme.example", root).status == ask("b.acme.example", root).status == 200


def test_a_deactivated_account_is_replaced_by_renewal_and_deploy_alike(mine, tmp_path):
    mine.write_sites(site("a"))
    mine.deploy_well()
    root = acme.write_root(tmp_path / "root.pem")
    for heal in (lambda: on_host(RENEW), lambda: mine.deploy_well()):
        deactivate("a.acme.example")
        before = serial("a.acme.example")
        mine.write_sites(site("a"), site("b"))
        heal()
        mine.deploy_well()
        assert ask("a.acme.example", root).status == ask("b.acme.example", root).status == 200
        on_host(RENEW)
        is_replaced("a.acme.example", before)
        mine.write_sites(site("a"))


@pytest.fixture
def in_another_language(mine):
    """certbot as it is, but for its every word: what the host decides must not hang on one."""
    mine.write_sites(site("a"), site("b"))
    mine.deploy_well()
    on_host(
        "cat >/usr/local/sbin/certbot <<'E'\n"
        "#!/bin/bash\n"
        "set -o pipefail\n"
        '/usr/bin/certbot "$@" 2>&1 | tr A-Za-z N-ZA-Mn-za-m\n'
        "E\nchmod 755 /usr/local/sbin/certbot"
    )
    yield
    on_host("rm /usr/local/sbin/certbot")


def test_no_decision_hangs_on_the_words_of_certbot(mine, in_another_language, tmp_path):
    # A server that knows neither the account nor where one of the two is.
    with a_alone_not_renewed():
        assert list(mine.status()[1]["hosts"][0]["renewal_failed"]) == ["a.acme.example"]
        with acme.unreachable():
            accounts = on_host(f"find {HOME}/acme/accounts -name private_key.json")
            on_host(f"! {RENEW}")
            assert on_host(f"find {HOME}/acme/accounts -name private_key.json") == accounts
    kept = on_host(f"find {HOME}/acme/aside -name private_key.json | wc -l")
    mine.deploy_well()
    assert mine.status()[1]["hosts"][0]["renewal_failed"] == {}
    assert ask("a.acme.example", acme.write_root(tmp_path / "root.pem")).status == 200
    # That server was another one again, so one more key was put aside.
    assert int(on_host(f"find {HOME}/acme/aside -name private_key.json | wc -l")) == int(kept) + 1
    assert on_host(f"stat -c %a {HOME}/acme/aside {HOME}/acme/aside/*").split()[0] == "700"


def test_renewals_deploys_and_pruning_at_once_lose_no_file_and_no_request(mine, root):
    mine.write_sites(site("a"), site("b"), FILES)
    mine.deploy_well()
    before = serial("a.acme.example")
    # certbot in every moment of its work, and now and then killed in it.
    on_host(
        f"(for n in 1 2 3 4; do {RENEW} & sleep 2.$n; [ $((n % 3)) -gt 0 ] || systemctl kill -s KILL "
        "wecom-gateway-renew.service; wait; done; touch /run/renewed) >/dev/null 2>&1 &"
    )
    on_host(
        "touch /run/refused\n"
        "(until [ -e /run/renewed ]; do nginx -t -q 2>>/run/refused; sleep 0.2; done) >/dev/null 2>&1 &"
    )
    with Load("https://a.acme.example/x", topology.address(HOST), ca=root):
        age = 0
        while age < 4 or "renewed" not in on_host("ls /run"):
            age += 1
            mine.write_sites({**site("a"), "hsts": age}, *([site("b")] if age % 2 else []), FILES)
            mine.deploy_well()
    assert on_host("cat /run/refused; rm /run/refused /run/renewed") == ""
    is_replaced("a.acme.example", before)
    mine.write_sites(site("a"), site("b"), FILES)
    mine.deploy_well()
    on_host(RENEW)
    assert ask("a.acme.example", root).status == ask("b.acme.example", root).status == 200
    on_host("systemctl restart nginx")
    assert mine.status()[0] == 0


def test_first_certificates_show_how_far_they_are(mine):
    mine.write_sites(site("a"), site("b"), site("c"), site("d"), site("e"))
    on_host(f"rm -rf {HOME}/acme")
    process = mine.start("pyinfra", "-y", "--data", "allow_site_removal=1", "inventory/own.py", "deploy.py")
    lines = list(process.stderr)
    assert process.wait() == 0
    assert "5 of 5 certificates issued" in "".join(lines)


def test_another_account_in_the_inventory_gets_another_certificate(mine, tmp_path):
    mine.write_sites(site("a"), site("b"))
    mine.deploy_well()
    before = serial("a.acme.example"), serial("b.acme.example")
    mine.write_sites(site("a", email="it@school.edu.cn"), site("b"))
    mine.deploy_well()
    after = serial("a.acme.example"), serial("b.acme.example")
    assert before[0] != after[0]
    assert before[1] == after[1]
    assert on_host(f"ls -d {HOME}/acme/accounts/*/renewal/a.acme.example.conf | wc -l").strip() == "1"
    assert no_changes(mine.deploy_well())


def test_a_certificate_that_somebody_took_away_is_issued_again_and_stops_nobody(mine, tmp_path):
    mine.write_sites(site("a"), FILES)
    mine.deploy_well()
    on_host(f"rm -r {HOME}/acme/accounts")
    mine.write_sites(site("a"), {**FILES, "hsts": 9})
    mine.deploy_well()
    assert ask("files.edu.example", topology.CA).header("Strict-Transport-Security") == "max-age=9"
    assert ask("a.acme.example", acme.write_root(tmp_path / "root.pem")).status == 200


def test_a_new_certificate_is_on_the_disk_before_nginx_hears_of_it(mine):
    """Left empty by a power failure it would keep nginx from starting, and every site with it."""
    mine.write_sites(site("a"), FILES)
    mine.deploy_well()
    with disk.asked_at_reloads(HOST, f"{HOME}/acme/issued/*/") as lost:
        mine.write_sites(site("a", email="power@school.edu.cn"), FILES)
        mine.deploy_well()
        assert lost() == ""


def test_a_site_that_leaves_is_not_renewed_comes_back_by_rollback_and_is_forgotten_in_time(mine, tmp_path):
    mine.write_sites(site("a"), site("b"))
    mine.deploy_well()
    mine.write_sites(site("a"))
    mine.deploy_well()
    assert on_host(f"ls {HOME}/acme/accounts/*/renewal/").split().count("b.acme.example.conf") == 0
    on_host(RENEW)
    assert mine.roll_back().returncode == 0
    root = acme.write_root(tmp_path / "root.pem")
    before = serial("b.acme.example")
    assert ask("b.acme.example", root).status == 200
    on_host(RENEW)
    is_replaced("b.acme.example", before)
    for age in range(1, 6):
        mine.write_sites({**site("a"), "hsts": age})
        mine.deploy_well()
    assert on_host(f"find {HOME}/acme -name 'b.acme.example*'") == ""
    assert ask("a.acme.example", root).status == 200


def test_what_expires_soon_stands_in_the_journal(mine):
    mine.write_sites(site("a"), FILES)
    mine.deploy_well()
    assert on_host("systemctl is-active wecom-gateway-expiry.timer").strip() == "active"
    began = now()
    on_host("systemctl start wecom-gateway-expiry.service")
    said = journal("wecom-gateway-expiry -p warning", began)
    assert "a.acme.example: the certificate expires in 19 days" in said
    assert "files.edu.example" not in said


def test_an_external_account_binding_is_asked_for_and_its_secret_stays_secret(mine, monkeypatch, tmp_path):
    acme.ensure(KNOWN, binding=True)
    mine.write_sites(site("bound", eab={"kid": acme.KID, "hmac_key_env": "LAB_EAB"}), FILES)
    done = mine.deploy()
    assert done.returncode == 1
    assert f"the secret of key identifier {acme.KID} is not at hand" in done.stderr
    assert ask("files.edu.example", topology.CA).status == 200

    monkeypatch.setenv("LAB_EAB", "not base64url!")
    done = mine.deploy()
    assert done.returncode == 1
    assert "LAB_EAB holds no base64url text" in done.stderr
    assert "not base64url!" not in done.stderr + done.stdout

    monkeypatch.setenv("LAB_EAB", acme.HMAC_KEY)
    # Every command line on the host, while it happens; the pattern must not find itself.
    pattern = f"[{acme.HMAC_KEY[0]}]{acme.HMAC_KEY[1:]}"
    on_host(
        f"(for _ in $(seq 150); do grep -lasE '{pattern}' /proc/[0-9]*/cmdline >>/run/seen\n"
        "grep -lasE 'certbo[t].register' /proc/[0-9]*/cmdline >>/run/looked; sleep 0.1; done)"
        " >/dev/null 2>&1 & touch /run/seen"
    )
    output = mine.deploy_well("-vvv", "--debug")
    assert ask("bound.acme.example", acme.write_root(tmp_path / "root.pem")).status == 200
    assert acme.HMAC_KEY not in output
    assert on_host("cat /run/looked"), "nobody looked while certbot registered the account"
    assert on_host("cat /run/seen") == ""
    assert on_host(f"grep -rlE '{pattern}' /etc /run /tmp /var/log /var/lib/wecom-gateway /root || true") == ""
    # Known to the server by now: the secret is needed no more.
    monkeypatch.delenv("LAB_EAB")
    before = serial("bound.acme.example")
    on_host(RENEW)
    is_replaced("bound.acme.example", before)
    assert no_changes(mine.deploy_well())
