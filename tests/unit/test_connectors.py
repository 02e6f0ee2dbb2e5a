"""Containers and Vagrant machines as hosts, with commands in place of docker and vagrant that answer as these do."""

from __future__ import annotations

import json
import socket
import sys

import pytest
from click.testing import CliRunner
from pyinfra.connectors.vagrant import get_vagrant_config

from gateway.cli.main import main
from gateway.fleet import containers, machine_error, vagrant
from gateway.fleet.loading import InventoryError, load
from gateway.fleet.machine_error import MachineError
from gateway.outside import places

SITE = {"domain": "a.edu.cn", "edge": "slb", "platform": "wanxiao_prod"}
OTHER = {**SITE, "domain": "b.edu.cn"}


@pytest.fixture(autouse=True)
def _nothing_remembered():
    """pyinfra remembers for the length of a process what Vagrant said."""
    get_vagrant_config.cache.clear()


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Has a command print what it is given, or fail with it; with what it was called is in the list."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    log = tmp_path / "called"
    log.touch()

    def install(name: str, answers: dict[str, str], code: int = 0, error: str = "") -> None:
        """`answers` are outputs by the last argument, or "" for any."""
        script = (
            f"#!{sys.executable}\nimport json, sys\n"
            f"open({str(log)!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\n"
            f"answers = {answers!r}\n"
            f"print(answers.get(sys.argv[-1], answers.get('', '')))\n"
            f"sys.stderr.write({error!r})\nsys.exit({code})\n"
        )
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(script)
        path.chmod(0o755)

    install.called = lambda: log.read_text().splitlines()
    return install


@pytest.fixture
def fleet_of(inventory):
    def write(**hosts):
        return inventory("\n".join(f"g{number} = [{entry!r}]" for number, entry in enumerate(hosts.items())))

    return write


def _container(mode: str = "lab", networks: dict[str, dict[str, str]] | None = None, **state: object) -> str:
    return json.dumps(
        [
            {
                "State": {"Running": True, "Paused": False, "Status": "running", **state},
                "HostConfig": {"NetworkMode": mode},
                "NetworkSettings": {"Networks": {"lab": {"IPAddress": "172.30.1.2"}} if networks is None else networks},
            }
        ]
    )


def test_what_a_program_says_may_be_in_any_encoding():
    """In Chinese by an older locale, for one."""
    assert machine_error.asked("printf", r"\264\363", seconds=9).stdout == "\ufffd\ufffd"


@pytest.mark.parametrize(
    ("answer", "address"),
    [
        (_container(), "172.30.1.2"),
        (_container(networks={"a": {"IPAddress": ""}, "b": {"IPAddress": "172.30.1.3"}}), "172.30.1.3"),
        (_container(networks={"six": {"IPAddress": "", "GlobalIPv6Address": "fd00::2"}}), "fd00::2"),
        (_container(mode="host", networks={"host": {"IPAddress": ""}}), "127.0.0.1"),
    ],
)
def test_a_container_is_asked_at_an_address_that_it_has(command, answer, address):
    command("docker", {"": answer})
    assert containers.address("docker", "gw") == address


def test_a_container_in_another_s_network_is_asked_at_that_one_s_address(command):
    command("podman", {"gw": _container(mode="container:other", networks={}), "other": _container()})
    assert containers.address("podman", "gw") == "172.30.1.2"


@pytest.mark.parametrize(
    ("state", "networks", "said"),
    [
        ({"Running": False, "Status": "exited"}, None, r"does not run \(exited\); start it: docker start gw"),
        ({"Paused": True}, None, "is paused; let it go on: docker unpause gw"),
        ({}, {}, "is in no network; add it to one: docker network connect bridge gw"),
    ],
)
def test_a_container_that_cannot_be_asked_is_told_with_what_to_do(command, state, networks, said):
    command("docker", {"": _container(networks=networks, **state)})
    with pytest.raises(MachineError, match=said):
        containers.address("docker", "gw")
    assert all(one.startswith("container inspect") for one in command.called())


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("Error: No such container: gw", 'there is no container "gw" on this machine; docker ps --all'),
        ("Got permission denied while trying to connect to the Docker daemon socket", "this user may not use docker"),
        ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock.", "start it: systemctl start docker"),
        ("something\nnew", 'docker cannot tell of it: "something new"'),
    ],
)
def test_what_an_engine_says_is_told_with_what_to_do(command, error, said):
    command("docker", {"": "[]"}, code=1, error=error)
    with pytest.raises(MachineError) as raised:
        containers.running("docker", "gw")
    assert said in str(raised.value)


def test_a_missing_engine_is_told_by_every_command_but_check(command, fleet_of):
    path = fleet_of(**{"@docker/gw": {"sites": [SITE]}})
    said = "there is no docker command on this machine"
    assert CliRunner().invoke(main, ["check", path]).exit_code == 0
    done = CliRunner().invoke(main, ["status", path, "--no-outside", "--json"])
    assert done.exit_code == 2
    assert f"unreachable: {said}" in json.loads(done.stdout)["hosts"][0]["findings"][0]
    done = CliRunner().invoke(main, ["verify", path])
    assert done.exit_code == 1
    assert f"error: @docker/gw: {said}" in done.stderr


def test_status_only_asks_about_a_stopped_container(command, fleet_of):
    """pyinfra by itself starts it, makes an image of it and removes it."""
    command("docker", {"": _container(Running=False, Status="exited")})
    path = fleet_of(**{"@docker/gw": {"sites": [SITE]}})
    done = CliRunner().invoke(main, ["status", path, "--no-outside"])
    assert done.exit_code == 2
    assert "the container does not run (exited)" in done.stdout
    assert command.called() == ["container inspect -- gw"]


def test_sites_of_containers_alone_are_asked_there_and_others_by_dns(command, fleet_of):
    command("docker", {"one": _container(), "two": _container(networks={"lab": {"IPAddress": "172.30.1.3"}})})
    path = fleet_of(
        **{
            "@docker/one": {"sites": [SITE, OTHER]},
            "@docker/two": {"sites": [SITE]},
            "203.0.113.1": {"sites": [OTHER]},
        }
    )
    fleet, own, problems = places.with_own_addresses(load(path), {})
    assert (own, problems) == ({"@docker/one", "@docker/two"}, [])
    asked = [(one.site.domain, one.address, one.straight) for one in places.targets(fleet.hosts, {}, own)]
    assert asked == [
        ("a.edu.cn", "172.30.1.2", True),
        ("a.edu.cn", "172.30.1.3", True),
        ("b.edu.cn", None, False),
    ]
    given = {"a.edu.cn": "203.0.113.9"}
    assert [(one.address, one.straight) for one in places.targets(fleet.hosts, given, own)][:1] == [
        ("203.0.113.9", False)
    ]


def test_a_host_without_an_address_is_an_error_unless_all_its_sites_are_asked_elsewhere(command, fleet_of):
    fleet = load(fleet_of(**{"@docker/gw": {"sites": [SITE, OTHER]}}))
    left, _, problems = places.with_own_addresses(fleet, {"a.edu.cn": "203.0.113.9"})
    assert left.hosts == ()
    assert [one.host for one in problems] == ["@docker/gw"]
    left, own, problems = places.with_own_addresses(fleet, dict.fromkeys(["a.edu.cn", "b.edu.cn"], "203.0.113.9"))
    assert (len(left.hosts), own, problems) == (1, set(), [])


def test_a_machine_that_ssh_reaches_at_its_own_address_is_asked_there(command):
    assert vagrant.address("default", "192.168.121.7") == "192.168.121.7"


@pytest.fixture
def sshd(monkeypatch):
    """Something that takes connections at every address of this machine, in place of sshd."""
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104
        monkeypatch.setattr(vagrant, "_SSH", server.getsockname()[1])
        yield


def test_a_machine_behind_a_forwarded_port_is_asked_at_the_address_that_is_reached(command, sshd):
    """127.0.0.2 stands for the machine's: connections to it come from another address."""
    command("vagrant", {"": "127.0.0.1 127.0.0.2"})
    assert vagrant.address("default", "127.0.0.1") == "127.0.0.2"


@pytest.mark.parametrize("addresses", ["127.0.0.1", "fe80::1 127.0.0.1", ""])
def test_a_machine_behind_a_forwarded_port_alone_is_told(command, sshd, addresses):
    """127.0.0.1 stands for an address that this machine has too, as 10.0.2.15 may be."""
    command("vagrant", {"": addresses})
    with pytest.raises(MachineError, match=r"by a forwarded port alone.*: vagrant reload default"):
        vagrant.address("default", "127.0.0.1")


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        ("1,default,state,poweroff", 0, r"the machine does not run \(poweroff\); start it: vagrant up default"),
        ("1,default,state,not_created", 0, "the machine is not created; create it: vagrant up default"),
        ("1,defaults,state,running", 0, 'the Vagrantfile has no machine of that name; did you mean "defaults"?'),
        ("1,,error-exit,Vagrant::Errors::NoEnvironmentError,A Vagrant", 1, "there is no Vagrantfile in this folder"),
        ("1,,error-exit,Vagrant::Errors::X,Bad\\nnews%!(VAGRANT_COMMA) all", 1, 'vagrant status: "Bad news, all"'),
    ],
)
def test_a_machine_that_does_not_run_is_told(command, fleet_of, status, code, said):
    command("vagrant", {"": status}, code=code)
    path = fleet_of(**{"@vagrant/default": {"sites": [SITE]}})
    with pytest.raises(InventoryError, match=f"@vagrant/default: {said}"):
        load(path)


def test_a_missing_vagrant_is_told(command, fleet_of):
    with pytest.raises(InventoryError, match="@vagrant/default: there is no vagrant command on this machine"):
        load(fleet_of(**{"@vagrant/default": {"sites": [SITE]}}))
