"""Moving in under requests of which none is lost: a gateway that somebody wrote by hand is adopted and replaced, on its
own host or by another one; a school goes from one gateway to another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import lab
from lab import hosts, topology

from ..conftest import REPO
from . import checkout as own
from .checkout import HOME, SLB, Checkout, run_product
from .load import Load

HOST, OTHER = "t02", "t03"
PAGE = "http://a.edu.example/x"
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
    hosts.remove([HOST, OTHER])
    lab.up([HOST, OTHER], basis="packaged")
    on_host(
        "rm /etc/nginx/sites-enabled/default\n"
        f"cat >/etc/nginx/sites-available/school <<'X'\n{BY_HAND}\nX\nln -s ../sites-available/school {SCHOOL}\n"
        f"cat >/etc/nginx/conf.d/theirs.conf <<'X'\n{THEIRS}\nX\nnginx -t -q && systemctl reload nginx"
    )
    yield on_host(_SUM)
    hosts.remove([HOST, OTHER])


@pytest.fixture
def mine(tmp_path):
    made = Checkout.make(tmp_path, HOST)
    made.verification(SLB["domain"], "AbCdEfGhIjKlMnOp")
    return made


def _running() -> str:
    return on_host("curl -s http://127.0.0.1:19001/release || true").strip()


def fill_in(folder: Path) -> None:
    """How the lab's hosts are logged in to."""
    with (folder / "group_data/all.py").open("a") as file:
        file.write(
            f"\nssh_user = {topology.SSH_USER!r}\nssh_key = {str(topology.SSH_KEY)!r}\n_sudo = True\n"
            f"ssh_known_hosts_file = {str(topology.KNOWN_HOSTS)!r}\n"
        )


def _adopted(mine: Checkout, folder: Path, host: str, *options: str) -> Path:
    """A folder to deploy to the host from, made of what the first one has, with the way to log in filled in."""
    mine.write_hosts({HOST: []})
    source = ("--from", HOST, str(mine.path / "inventory/own.py"))
    done = run_product(REPO, "adopt", *source, "--out", str(folder), "--host", topology.address(host), *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "theirs.example [80]: left alone" in done.stdout
    fill_in(folder)
    assert run_product(folder, "check", "inventory/prod.py").returncode == 0
    return folder


def test_a_gateway_on_another_host_is_compared_and_takes_over(by_hand, mine, tmp_path):
    old, new = topology.address(HOST), topology.address(OTHER)
    with Load(PAGE, old) as load:
        school = _adopted(mine, tmp_path / "school", OTHER)
        done = run_product(school, "pyinfra", "-y", "inventory/prod.py", "deploy.py")
        assert done.returncode == 0, done.stderr
        seen = run_product(school, "verify", "inventory/prod.py", "--resolve", new, "--compare", old, "--json")
        (told,) = json.loads(seen.stdout)["comparisons"]
        # theirs.conf, the first of the old server, answers whoever asks by a name that nobody has
        assert {one["right"] for one in told["differences"]} == {"gateway"}, told
        load.connect = new
        assert run_product(school, "verify", "inventory/prod.py", "--resolve", new).returncode == 0


def test_it_is_adopted_and_replaced_on_its_own_host_and_is_back_after_one_rollback(by_hand, mine, tmp_path):
    with Load(PAGE, topology.address(HOST)):
        school = _adopted(mine, tmp_path / "school", HOST, "--in-place")
        done = run_product(school, "pyinfra", "-y", "inventory/prod.py", "deploy.py")
        assert done.returncode == 0, done.stderr
        assert f"put aside: {SCHOOL}" in done.stderr + done.stdout
        assert _running()
        assert run_product(school, "status", "inventory/prod.py", "--no-outside").returncode == 0
        back = run_product(school, "pyinfra", "-y", "inventory/prod.py", "rollback.py")
        assert back.returncode == 0, back.stderr
        assert (on_host(_SUM), _running()) == (by_hand, "")


def test_it_is_replaced_by_one_deploy_and_is_back_after_one_rollback(by_hand, mine):
    address = topology.address(HOST)
    with Load(PAGE, address), Load("http://theirs.example/", address, threads=1):
        mine.write_sites(SLB)
        refused = mine.deploy_guarded()
        assert refused.returncode == 1
        assert f"another site of this host has a.edu.example on port 80 as well, in {SCHOOL}" in refused.stderr

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
    for url in (PAGE, "http://theirs.example/", "http://a.edu.example/WW_verify_AbCdEfGhIjKlMnOp.txt"):
        hosts.wait_until(lambda url=url: own.answers(HOST, url), f"{url} does not answer after a reboot", seconds=20)
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


def test_a_school_goes_from_one_gateway_to_another(by_hand, mine):
    stays = {**SLB, "domain": "stays.edu.example"}
    mine.write_hosts({HOST: [SLB, stays], OTHER: [SLB]}, replaces=[SCHOOL])
    inventory = mine.path / "inventory/own.py"
    # only the first has what is replaced
    text = inventory.read_text()
    place = text.rindex(f"'replaces': ['{SCHOOL}'], ")
    inventory.write_text(text[:place] + text[place:].replace(f"'replaces': ['{SCHOOL}'], ", ""))
    with Load(PAGE, topology.address(HOST)) as load:
        mine.deploy_well()
        load.connect = topology.address(OTHER)
        mine.write_hosts({HOST: [stays]}, replaces=[SCHOOL])
        # the name of the old file, which nobody serves there any more
        assert mine.deploy_guarded().returncode == 1
        mine.deploy_well()
    # somebody else's default answers there now
    assert own.ask(HOST, PAGE).header("X-Lab-Arrived") is None
    mine.write_hosts({HOST: [SLB]}, replaces=[SCHOOL])
    mine.deploy_well()


def test_with_the_last_site_gone_it_is_what_it_was(by_hand, mine):
    mine.write_hosts({HOST: [SLB]}, replaces=[SCHOOL])
    assert mine.deploy_guarded().returncode == 0
    mine.write_hosts({HOST: []}, replaces=[SCHOOL])
    with Load("http://a.edu.example/x", topology.address(HOST)):
        done = mine.deploy()
        assert done.returncode == 0, done.stderr
    assert (on_host(_SUM), _running()) == (by_hand, "")
