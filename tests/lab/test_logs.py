"""`logs` as an operator runs it on the demo's hosts: a visitor's error is found, with its reason, wherever it was."""

from __future__ import annotations

import json
import time
from typing import Any

from lab import client, hosts, topology
from lab.demo import INVENTORY

from . import checkout as own

HOSTS = {"slb": "gw-slb", "tls": "gw-tls"}
LOG = "/var/log/nginx/wecom-gateway.access.log"
CLOSED = {"headers": {"X-Lab-Close": "1"}, "method": "POST", "body": b"x"}


def _logs(*options: str) -> tuple[int, dict[str, Any]]:
    done = own.run_product(own.REPO, "logs", INVENTORY, "--json", *options)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def _found(request_id: str) -> dict[str, Any]:
    # It is written once a second.
    time.sleep(1.2)
    code, data = _logs("--id", request_id)
    assert code == 0, data
    (line,) = data["lines"]
    return line


def test_the_id_of_an_error_page_finds_its_request_and_why_it_failed(ask, edge):
    answer = ask("card", "/page?code=S3cret", **CLOSED)
    assert answer.status == 502
    line = _found(answer.header("X-Request-Id"))
    assert answer.header("X-Request-Id") in answer.body.decode()
    known = ("host", "site", "method", "path", "status", "upstream", "upstream_status")
    platform = f"{topology.address('platform')}:443"
    site = f"card.{edge}.demo.example"
    assert tuple(line[name] for name in known) == (HOSTS[edge], site, "POST", "/page", 502, platform, "502")
    assert line["tls"] == ("" if edge == "slb" else "TLSv1.3")
    (said,) = line["said"]
    assert "upstream prematurely closed connection" in said
    assert "S3cret" not in str(line)


def test_the_platform_gets_the_id_that_the_visitor_gets_and_nobody_elses(ask):
    forged = "f" * 32
    answer = ask("card", "/x", headers={"X-Request-Id": forged, "x_request_id": forged})
    sent = [value for name, value in answer.json()["headers"] if name.lower() == "x-request-id"]
    assert sent == [answer.header("X-Request-Id")]
    assert forged not in str(answer.json()["headers"])
    assert _found(sent[0])["status"] == 200


def test_it_is_found_after_the_log_was_rotated_and_packed_and_old_lines_are_told(ask, edge):
    request_id = ask("card", "/rotated").header("X-Request-Id")
    time.sleep(1.2)
    old = '10.0.0.9 - [2026-11-27T01:00:00+08:00] a.edu.cn:80 "GET /x" 200 1 0.001s upstream=-:- -s "x"'
    own.on_host(
        HOSTS[edge], f"echo '{old}' >>{LOG}; for _ in 1 2; do logrotate -f /etc/logrotate.d/nginx; echo >>{LOG}; done"
    )
    # The second rotation packs what the first one has put aside; an empty log it would leave.
    hosts.wait_until(lambda: "gz" in own.on_host(HOSTS[edge], f"ls {LOG}*"), "nothing was packed")
    assert _found(request_id)["path"] == "/rotated"
    _, data = _logs("--limit", HOSTS[edge], "--lines", "1")
    assert [one["older"] for one in data["hosts"]] == [1]
    own.on_host(HOSTS[edge], f"rm -f {LOG}.*")


def test_status_and_site_choose_and_nothing_found_is_1(ask, edge):
    ask("card", "/chosen", **CLOSED)
    time.sleep(1.2)
    site = f"card.{edge}.demo.example"
    code, data = _logs("--site", site, "--status", "5xx", "--since", "1m")
    assert code == 0
    assert "/chosen" in {one["path"] for one in data["lines"]}
    assert {(one["host"], one["site"], one["status"] // 100) for one in data["lines"]} == {(HOSTS[edge], site, 5)}
    assert _logs("--id", "0" * 32)[0] == 1


def test_whatever_a_client_sends_the_log_stays_json(demo_lab):
    head = b"HTTP/1.1\r\nHost: card.slb.demo.example\r\nConnection: close\r\nUser-Agent: "
    texts = (b"GARBAGE\r\n\r\n", b"GET /\xff%ff?\xfe " + head + b'"\\\xff\r\n\r\n')
    for text in texts:
        client.raw(topology.address("gw-slb"), 80, text)
    time.sleep(1.2)
    lines = own.on_host("gw-slb", f"cat -v {LOG}").splitlines()
    assert any("M-^?" in one for one in lines)
    _, data = _logs("--limit", "gw-slb", "--since", "1m", "--lines", "5000")
    assert data["hosts"][0]["unread"] == data["hosts"][0]["older"] == 0
    assert "\ufffd" in str(data["lines"])


def test_a_log_too_large_for_its_disk_goes_aside_and_is_still_found(ask, edge):
    host = HOSTS[edge]
    request_id = ask("card", "/aside").header("X-Request-Id")
    time.sleep(1.2)
    assert own.on_host(host, "systemctl is-active wecom-gateway-logs.timer").strip() == "active"
    small = "df() { printf 'head\\nx 1 1 1\\n'; }; export -f df"
    own.on_host(host, f"{small}; bash /etc/nginx/wecom-gateway/current/logsize.sh")
    # On a busy machine workers open the new file a moment later, and lines of that moment go to the old one.
    still_open = f"ls -l /proc/[0-9]*/fd 2>&1 | grep -qF {LOG}.full"
    own.on_host(host, f"timeout 60 bash -c 'while {still_open}; do sleep 0.1; done'")
    after = ask("card", "/anew").header("X-Request-Id")
    assert _found(after)["path"] == "/anew"
    assert "/anew" in own.on_host(host, f"cat {LOG}")
    assert _found(request_id)["path"] == "/aside"
    own.on_host(host, f"rm {LOG}.full; systemctl start wecom-gateway-logs.service")
