"""Hosts whose names begin with "@": a container of this machine, and a machine of Vagrant's, which SSH reaches by a
forwarded port."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import lab
from lab import hosts, topology, vagrant
from lab.engine import docker, inspect
from lab.images import host_image

from ..conftest import REPO
from .checkout import SLB, TLS, Checkout, no_changes

MACHINE = "t46"
CONTAINERS = {"stopped": "con-stopped", "plain": "con-plain"}
BY_VAGRANT = {"_sudo": True}


def _write(checkout: Checkout, name: str, *sites: dict[str, Any], **data: Any) -> None:
    entry = (name, {**data, "sites": list(sites)})
    (checkout.path / "inventory" / "own.py").write_text(f"hosts = [{entry!r}]\n")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Iterator[Path]:
    """A checkout's folder, with a Vagrantfile whose machine is not made yet. Vagrant keeps nothing elsewhere."""
    if not shutil.which("vagrant") and (os.geteuid() or not shutil.which("apt-get")):
        pytest.skip("no vagrant command, and only root on Debian can let the lab install it")
    vagrant.ensure_installed()
    lab.up([])
    path: Path = tmp_path_factory.mktemp("vagrant")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAGRANT_HOME", str(tmp_path_factory.mktemp("vagrant-home")))
        patch.setenv("VAGRANT_DEFAULT_PROVIDER", "docker")
        vagrant.write_vagrantfile(path, MACHINE)
        yield path


@pytest.fixture(scope="module")
def machine(folder) -> Iterator[Path]:
    """The folder, with its machine up."""
    try:
        vagrant.up(folder, MACHINE)
        yield folder
    finally:
        subprocess.run(["vagrant", "destroy", "--force"], cwd=folder, capture_output=True, check=False)
        hosts.remove([MACHINE])


@pytest.fixture(scope="module", params=["docker", "vagrant"])
def gateway(request, tmp_path_factory) -> tuple[Checkout, str]:
    """A site of each edge, in force on a host of the connector; and the host's own address."""
    if request.param == "docker":
        own, data = request.getfixturevalue("bare_host"), {}
        path, name = tmp_path_factory.mktemp("docker"), f"@docker/{topology.container(own)}"
    else:
        own, data = MACHINE, BY_VAGRANT
        path, name = request.getfixturevalue("machine"), f"@vagrant/{MACHINE}"
    made = Checkout.make(path, own)
    made.verification(SLB["domain"], "Abcd0123Efgh4567")
    made.certificate(TLS["domain"])
    _write(made, name, SLB, TLS, **data)
    made.deploy_well()
    return made, topology.address(own)


def test_a_second_deploy_finds_nothing_to_do(gateway):
    assert no_changes(gateway[0].deploy_well())


def test_status_is_in_sync(gateway):
    code, report = gateway[0].status()
    assert code == 0, report


def test_verify_asks_the_host_s_own_address(gateway):
    """No DNS leads to a container or to a machine behind a forwarded port."""
    checkout, address = gateway
    done = checkout.run("python", "-m", "gateway", "verify", "inventory/own.py", "--ca", str(topology.CA))
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()[1:3]] == [
        [SLB["domain"], address],
        [TLS["domain"], address],
    ]


def test_the_acceptance_tests_pass(gateway):
    gateway[0].accept()


def test_a_rollback_puts_the_release_before_back(gateway):
    checkout, _ = gateway
    text = (checkout.path / "inventory" / "own.py").read_text()
    (checkout.path / "inventory" / "own.py").write_text(text.replace("'edge': 'tls'", "'edge': 'tls', 'hsts': 300"))
    checkout.deploy_well()
    done = checkout.roll_back()
    assert done.returncode == 0, done.stdout + done.stderr
    (checkout.path / "inventory" / "own.py").write_text(text)
    code, report = checkout.status()
    assert code == 0, report


@pytest.fixture(scope="module")
def containers() -> Iterator[dict[str, str]]:
    """Names of containers that are no gateways: one that was stopped, and one without systemd."""
    lab.up([])
    names = {kind: topology.container(name) for kind, name in CONTAINERS.items()}
    docker("rm", "--force", *names.values())
    image = host_image(topology.DEFAULT_SUITE)
    docker("create", "--label", topology.LABEL, "--name", names["stopped"], image, "sleep", "600")
    docker("run", "--detach", "--label", topology.LABEL, "--name", names["plain"], image, "sleep", "600")
    yield {**names, "missing": topology.container("con-missing")}
    docker("rm", "--force", *names.values())


def _unnamed_images() -> set[str]:
    """What a container becomes that is kept as an image. Another lab may make images meanwhile, which have names."""
    return set(docker("images", "--quiet", "--filter", "dangling=true").split())


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("missing", 'there is no container "{}" on this machine; docker ps --all shows what there is'),
        ("stopped", "the container does not run (created); start it: docker start {}"),
        ("plain", "this host is not run by systemd (its process 1 is sleep)"),
    ],
)
def test_a_container_that_is_no_host_is_told_and_left_as_it_is(checkout, containers, kind, said):
    """pyinfra by itself would start the stopped one, make an image of it, and remove it; even for `status`."""
    name = containers[kind]
    before = inspect("container", name, "{{.Id}} {{.State.Status}}"), _unnamed_images()
    _write(checkout, f"@docker/{name}", SLB)
    done = checkout.deploy()
    assert done.returncode == 1
    assert said.format(name) in done.stderr
    code, report = checkout.status()
    (told,) = report["hosts"][0]["findings"]
    assert code == 2
    assert said.format(name) in told
    done_verifying = checkout.run("python", "-m", "gateway", "verify", "inventory/own.py")
    assert done_verifying.returncode == 1
    assert kind == "plain" or f"error: @docker/{name}: {said.format(name)}" in done_verifying.stderr
    assert "Traceback" not in done.stderr + done_verifying.stderr
    assert (inspect("container", name, "{{.Id}} {{.State.Status}}"), _unnamed_images()) == before


@pytest.mark.parametrize("command", ["status", "deploy"])
def test_a_machine_that_is_not_made_is_told(folder, tmp_path, command):
    other = Checkout.make(tmp_path, MACHINE)
    shutil.copy(folder / "Vagrantfile", tmp_path)
    _write(other, f"@vagrant/{MACHINE}", SLB, **BY_VAGRANT)
    done = other.deploy() if command == "deploy" else other.run("python", "-m", "gateway", command, "inventory/own.py")
    assert done.returncode in (1, 2)
    assert f"inventory/own.py: @vagrant/{MACHINE}: the machine is not created; create it: vagrant up" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_vagrantfile_of_the_checkout_is_valid(folder, tmp_path):
    shutil.copy(REPO / "Vagrantfile", tmp_path)
    command = ["vagrant", "validate", "--ignore-provider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("vagrantfile", "said"),
    [
        (None, "there is no Vagrantfile in this folder"),
        ("nonsense(", 'vagrant status: "'),
        ('Vagrant.configure("2") { |c| c.vm.define "t47" }', 'no machine of that name; did you mean "t47"?'),
    ],
)
def test_a_vagrantfile_that_does_not_have_the_machine_is_told(folder, tmp_path, vagrantfile, said):
    other = Checkout.make(tmp_path, MACHINE)
    if vagrantfile:
        (tmp_path / "Vagrantfile").write_text(vagrantfile)
    _write(other, f"@vagrant/{MACHINE}", SLB, **BY_VAGRANT)
    done = other.run("python", "-m", "gateway", "check", "inventory/own.py")
    assert done.returncode == 1
    assert f"inventory/own.py: @vagrant/{MACHINE}: " in done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
