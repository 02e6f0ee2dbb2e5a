"""Egress: application servers without internet access reach WeCom's API through a gateway, and nobody reaches more."""

from __future__ import annotations

import json
import socket
import ssl

import pytest

import lab
from lab import client, containers, hosts, topology
from lab.images import infra_image
from lab.platforms import _CERTIFICATES
from lab.topology import LAB, PLATFORM_NAMES

from . import checkout as own
from .checkout import HOME, SLB, Checkout, no_changes

HOST, APP, SECOND_PLATFORM = "t80", "t81", "t84"
NAMES = ("qyapi.weixin.qq.com", "api.weixin.qq.com")
EGRESS = {"listen": f"{topology.address(HOST)}:443", "allow": [f"{topology.address(APP)}/32"]}
LISTENING = f"ss -Hltn src {topology.address(HOST)}:443"


def on_host(script: str) -> str:
    return own.on_host(HOST, script)


def curl(*arguments: str) -> tuple[int, str]:
    """curl on the application server: its exit code and what it printed."""
    out = own.on_host(APP, f"curl -sS -i -m 10 {' '.join(arguments)} 2>&1; code=$?; echo; echo $code")
    text, _, code = out.strip().rpartition("\n")
    return int(code), text


@pytest.fixture(scope="module")
def machines():
    """A bare Debian, and an application server that takes it for WeCom."""
    hosts.remove([HOST, APP])
    lab.up([HOST, APP])
    own.on_host(APP, f"echo '{topology.address(HOST)} {' '.join(NAMES)} hub.17wanxiao.com' >>/etc/hosts")
    yield
    hosts.remove([HOST, APP])


@pytest.fixture
def checkout(machines, tmp_path):
    made = Checkout.make(tmp_path, HOST)
    made.write_hosts({HOST: [SLB]}, egress=EGRESS)
    return made


@pytest.fixture
def deployed(checkout):
    checkout.deploy_well()
    return checkout


@pytest.fixture
def second_platform():
    """WeCom at another address, with the same certificates."""
    containers.ensure(
        containers.Spec(
            name=SECOND_PLATFORM,
            image=infra_image(),
            options=("--workdir", "/srv", "--stop-signal", "SIGKILL"),
            command=("python3", "-m", "standin", "/srv/certs", PLATFORM_NAMES[0]),
            files={LAB / "standin": "/srv/standin", _CERTIFICATES: "/srv/certs"},
        )
    )
    hosts.wait_for_port(SECOND_PLATFORM, 443)
    yield topology.address(SECOND_PLATFORM)
    containers.remove(SECOND_PLATFORM)


def _platform_log(name: str = "platform") -> str:
    log = client.request(f"http://{name}/__lab__/log", connect=topology.address(name))
    return log.body.decode()


@pytest.mark.parametrize("name", NAMES)
def test_an_application_server_reaches_wecom_end_to_end(deployed, name):
    """With WeCom's own certificate checked by the application server: the gateway cannot read or forge anything."""
    code, answer = curl(f"https://{name}/cgi-bin/gettoken")
    assert code == 0, answer
    assert f"X-Lab-Arrived: https://{name}/cgi-bin/gettoken" in answer
    # the name that the platform was asked for in the handshake
    assert json.loads(answer.splitlines()[-1])["platform"] == name


def test_the_log_says_who_asked_for_which_name_and_nothing_else(deployed):
    """An access_token stands in the query of every call."""
    assert curl("https://qyapi.weixin.qq.com/cgi-bin/user?access_token=verysecret")[0] == 0
    log = on_host(
        "tail -n 3 /var/log/nginx/wecom-gateway.egress.log; stat -c %a:%U:%G /var/log/nginx/wecom-gateway.egress.log"
    )
    assert f"{topology.address(APP)} [" in log
    assert '"qyapi.weixin.qq.com" 200' in log
    assert "640:www-data:adm" in log
    assert "verysecret" not in on_host("cat /var/log/nginx/*.log")


@pytest.mark.parametrize(
    "arguments",
    [
        ("-k", "https://hub.17wanxiao.com/refused-marker"),
        ("-k", f"https://{topology.address(HOST)}/refused-marker"),
        ("-k", "--connect-to", "::qyapi.weixin.qq.com:", "https://qyapi.weixin.qq.com.evil.example/refused-marker"),
        ("http://qyapi.weixin.qq.com:443/refused-marker",),
    ],
    ids=["another name", "no name", "a longer name", "plain http"],
)
def test_everything_else_is_refused(deployed, arguments):
    """An open relay in a school's network would be found within days."""
    code, answer = curl(*arguments)
    assert code in (35, 52, 56), answer
    assert "HTTP/" not in answer
    assert "refused-marker" not in _platform_log()


def test_other_networks_are_refused(deployed):
    """This machine is not in `allow`, whatever name it asks for."""
    context = ssl.create_default_context(cafile=str(topology.CA))
    with (
        socket.create_connection((topology.address(HOST), 443), timeout=5) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(plain, server_hostname=NAMES[0])


def test_a_second_deploy_changes_nothing_and_status_covers_it(deployed):
    assert no_changes(deployed.deploy_well())
    code, report = deployed.status()
    assert code == 0, report
    on_host(f"sed -i 's/deny all/allow all/' {HOME}/current/egress.conf")
    code, report = deployed.status()
    assert code == 2
    assert "differs: egress.conf" in report["hosts"][0]["differences"]
    deployed.deploy_well()
    assert deployed.status()[0] == 0
    # without the link nginx would come up without egress after the next restart
    on_host("rm /etc/nginx/modules-enabled/90-wecom-gateway.conf")
    assert deployed.status()[0] == 2
    deployed.deploy_well()


def test_verify_says_what_can_be_seen_from_where_it_runs(deployed):
    """From outside `allow` that it refuses; from inside that WeCom is reached, and nothing else."""

    def egress() -> list[str]:
        done = deployed.run("python", "-m", "gateway", "verify", "inventory/own.py", "--json", "--ca", str(topology.CA))
        (result,) = [one for one in json.loads(done.stdout)["results"] if one["name"] == f"egress of {HOST}"]
        return [finding["outcome"] for finding in result["findings"]]

    deployed.write_hosts({HOST: []}, egress=EGRESS)
    deployed.deploy_well()
    assert egress() == ["passed"]
    deployed.write_hosts({HOST: []}, egress={**EGRESS, "allow": [str(topology.subnet())]})
    deployed.deploy_well()
    assert egress() == ["passed"] * 3


def test_it_survives_a_restart_beside_the_sites(deployed):
    on_host("systemctl restart nginx")
    assert curl(f"https://{NAMES[0]}/x")[0] == 0
    assert own.ask(HOST, "http://a.edu.example/x").status == 200


def test_calls_follow_an_address_that_changes(deployed, second_platform):
    """Docker mounts /etc/hosts: it can be written, not replaced."""
    on_host(f"cp /etc/hosts /root/hosts; echo '{second_platform} {NAMES[0]}' >>/etc/hosts")
    try:
        hosts.wait_until(
            lambda: curl(f"https://{NAMES[0]}/moved")[0] == 0 and "/moved" in _platform_log(SECOND_PLATFORM),
            "calls did not follow the address",
            seconds=60,
        )
        # the other name stays where it was
        assert curl(f"https://{NAMES[1]}/stays")[0] == 0
        assert "/stays" not in _platform_log(SECOND_PLATFORM)
    finally:
        on_host("cat /root/hosts >/etc/hosts; systemctl start wecom-gateway-resolve.service")


def test_an_address_that_the_host_has_not_is_refused_with_the_reason(deployed):
    before = on_host(f"cat {HOME}/activated")
    deployed.write_hosts({HOST: [SLB]}, egress={**EGRESS, "listen": "10.255.255.1:443"})
    done = deployed.deploy()
    assert done.returncode == 1
    assert "the address of egress's \"listen\" is not one of this host's" in done.stderr
    assert on_host(f"cat {HOME}/activated") == before
    assert curl(f"https://{NAMES[0]}/x")[0] == 0


def test_a_held_address_is_named_before_anything_changes(checkout):
    checkout.write_hosts({HOST: [SLB]})
    checkout.deploy_well()
    holder = f"import socket,time; s=socket.create_server(('{topology.address(HOST)}', 443)); time.sleep(600)"
    on_host(f'systemd-run -q --unit holder python3 -c "{holder}"; sleep 1')
    try:
        checkout.write_hosts({HOST: [SLB]}, egress=EGRESS)
        done = checkout.deploy()
        assert done.returncode == 1
        assert "port 443 is held by python3" in done.stderr
    finally:
        on_host("systemctl stop holder")
    checkout.deploy_well()


def test_egress_on_its_own_needs_no_site(checkout):
    checkout.write_hosts({HOST: []}, egress=EGRESS)
    checkout.deploy_well()
    assert curl(f"https://{NAMES[0]}/x")[0] == 0
    assert no_changes(checkout.deploy_well())


def test_removing_it_removes_the_listener(deployed):
    assert on_host(LISTENING)
    deployed.write_hosts({HOST: [SLB]})
    deployed.deploy_well()
    assert not on_host(LISTENING)
    assert own.ask(HOST, "http://a.edu.example/x").status == 200
    assert no_changes(deployed.deploy_well())
    deployed.write_hosts({HOST: [SLB]}, egress=EGRESS)
    deployed.deploy_well()
    assert deployed.roll_back().returncode == 0
    assert not on_host(LISTENING)


def test_one_port_goes_from_every_address_to_one_in_two_steps(checkout):
    """A reload opens the new listener before it closes the old: it would fail after half a minute and say little."""
    tls = {**SLB, "domain": "tls.edu.example", "edge": "tls"}
    checkout.certificate("tls.edu.example")
    checkout.write_hosts({HOST: [tls]})
    checkout.deploy_well()
    checkout.write_hosts({HOST: []}, egress=EGRESS)
    done = checkout.deploy()
    assert done.returncode == 1
    assert "port 443 is nginx's own at present, on every address" in done.stderr
    assert own.ask(HOST, "https://tls.edu.example/x").status == 200
    checkout.write_hosts({HOST: []})
    checkout.deploy_well()
    checkout.write_hosts({HOST: []}, egress=EGRESS)
    checkout.deploy_well()
    assert curl(f"https://{NAMES[0]}/x")[0] == 0
    checkout.write_hosts({HOST: [tls]})
    done = checkout.deploy()
    assert done.returncode == 1
    assert "port 443 is nginx's own at present, on one address" in done.stderr
    assert curl(f"https://{NAMES[0]}/x")[0] == 0


def test_a_stream_block_of_somebody_elses_is_left_alone(deployed):
    """There can be only one; theirs was there first."""
    deployed.write_hosts({HOST: []})
    deployed.deploy_well()
    on_host("printf 'stream {\\n}\\n' >>/etc/nginx/nginx.conf && nginx -t -q && systemctl reload nginx")
    try:
        before = on_host(f"cat {HOME}/activated; md5sum /etc/nginx/nginx.conf")
        deployed.write_hosts({HOST: []}, egress=EGRESS)
        done = deployed.deploy()
        assert done.returncode == 1
        assert "this host's nginx has a stream block of its own" in done.stderr
        assert "/etc/nginx/nginx.conf:" in done.stderr
        assert on_host(f"cat {HOME}/activated; md5sum /etc/nginx/nginx.conf") == before
    finally:
        on_host("sed -i '/^stream {$/,$d' /etc/nginx/nginx.conf")
    deployed.deploy_well()
