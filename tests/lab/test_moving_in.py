"""A gateway that somebody wrote by hand is replaced on its own host, under requests of which none is lost."""

from __future__ import annotations

import pytest

import lab
from lab import hosts, topology

from . import checkout as own
from .checkout import HOME, SLB, Checkout
from .load import Load

HOST = "t02"
SCHOOL = "/etc/nginx/sites-enabled/school"
# As people write it: on every port, without verification, and another site beside it in a file of its own.
BY_HAND = """
server {
    listen 80;
    server_name a.edu.example;
    location = /WW_verify_AbCdEfGhIjKlMnOp.txt { return 200 'AbCdEfGhIjKlMnOp'; }
    location / {
        proxy_pass https://hub.17wanxiao.com/;
        proxy_set_header Host hub.17wanxiao.com;
        proxy_ssl_server_name on;
    }
}
server {
    listen 9001;
    server_name a.edu.example;
    location / {
        proxy_pass https://open.17wanxiao.com/;
        proxy_set_header Host open.17wanxiao.com;
        proxy_ssl_server_name on;
    }
}
"""
THEIRS = 'server { listen 80; server_name theirs.example; location / { return 200 "theirs"; } }'
_SUM = f"readlink {SCHOOL}; md5sum {SCHOOL}"


def on_host(script: str) -> str:
    return own.on_host(HOST, script)


@pytest.fixture(scope="module")
def by_hand():
    """The host, with what its nginx has of the school."""
    lab.up()
    hosts.remove([HOST])
    lab.up([HOST])
    on_host(
        "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q nginx\n"
        "rm /etc/nginx/sites-enabled/default\n"
        f"cat >/etc/nginx/sites-available/school <<'X'\n{BY_HAND}\nX\nln -s ../sites-available/school {SCHOOL}\n"
        f"cat >/etc/nginx/conf.d/theirs.conf <<'X'\n{THEIRS}\nX\nnginx -t -q && systemctl reload nginx"
    )
    yield on_host(_SUM)
    hosts.remove([HOST])


@pytest.fixture
def mine(tmp_path):
    made = Checkout.make(tmp_path, HOST)
    made.verification(SLB["domain"], "AbCdEfGhIjKlMnOp")
    return made


def _running() -> str:
    return on_host("curl -s http://127.0.0.1:19001/release || true").strip()


def _answers(url: str) -> bool:
    try:
        return own.ask(HOST, url).status == 200
    except OSError:
        return False


def test_it_is_replaced_by_one_deploy_and_is_back_after_one_rollback(by_hand, mine):
    page = "http://a.edu.example/x"
    address = topology.address(HOST)
    with Load(page, address), Load("http://theirs.example/", address, threads=1):
        mine.write_sites(SLB)
        refused = mine.deploy_guarded()
        assert refused.returncode == 1
        assert "another site of this host has a name of this release on the same port" in refused.stderr

        mine.write_hosts({HOST: [SLB]}, replaces=["/etc/nginx/conf.d/school.conf"])
        refused = mine.deploy_guarded()
        assert refused.returncode == 1
        assert (
            f"reads no server; it reads servers of others in /etc/nginx/conf.d/theirs.conf, {SCHOOL}" in refused.stderr
        )
        assert (on_host(_SUM), _running()) == (by_hand, "")

        # a file whose other names nobody would answer any more
        mine.write_hosts({HOST: [SLB]}, replaces=[SCHOOL, "/etc/nginx/conf.d/theirs.conf"])
        refused = mine.deploy_guarded()
        assert refused.returncode == 1
        assert "nobody would any more: theirs.example (/etc/nginx/conf.d/theirs.conf)" in refused.stderr

        mine.write_hosts({HOST: [SLB]}, replaces=[SCHOOL])
        seen = mine.run("pyinfra", "--dry", "inventory/own.py", "deploy.py")
        assert f"put aside: {SCHOOL}" in seen.stderr + seen.stdout
        assert on_host(_SUM) == by_hand

        done = mine.deploy_guarded()
        assert done.returncode == 0, done.stderr
        assert _running()
        assert on_host(f"ls {SCHOOL} {HOME}/aside{SCHOOL} 2>&1 || true").count("No such file") == 1
        assert mine.status()[0] == 0
        assert own.no_changes(mine.deploy_well())

        back = mine.roll_back()
        assert back.returncode == 0, back.stderr
        assert f"put back: {SCHOOL}" in back.stderr + back.stdout
        assert (on_host(_SUM), _running()) == (by_hand, "")

        assert mine.deploy_guarded().returncode == 0
    hosts.restart(HOST)
    for url in (page, "http://theirs.example/", "http://a.edu.example/WW_verify_AbCdEfGhIjKlMnOp.txt"):
        hosts.wait_until(lambda url=url: _answers(url), f"{url} does not answer after a reboot", seconds=20)
    assert mine.status()[0] == 0


def test_a_file_that_is_there_again_is_told_and_goes_with_the_next_deploy(by_hand, mine):
    mine.write_hosts({HOST: [SLB]}, replaces=[SCHOOL])
    assert mine.deploy_guarded().returncode == 0
    on_host(f"ln -s ../sites-available/school {SCHOOL} && nginx -t -q && systemctl reload nginx")
    code, report = mine.status()
    assert code == 2
    assert f"nginx reads files again that the release replaces: {SCHOOL}" in report["hosts"][0]["problem"]
    assert mine.deploy_guarded().returncode == 0
    assert mine.status()[0] == 0


def test_with_the_last_site_gone_it_is_what_it_was(by_hand, mine):
    mine.write_hosts({HOST: [SLB]}, replaces=[SCHOOL])
    assert mine.deploy_guarded().returncode == 0
    mine.write_hosts({HOST: []}, replaces=[SCHOOL])
    with Load("http://a.edu.example/x", topology.address(HOST)):
        done = mine.deploy()
        assert done.returncode == 0, done.stderr
    assert (on_host(_SUM), _running()) == (by_hand, "")
