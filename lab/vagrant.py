"""A host of the lab as a machine of Vagrant's: made from the lab's image by Vagrant's Docker provider."""

import os
import shutil
import subprocess
from pathlib import Path

from lab import engine, hosts
from lab.errors import LabError
from lab.images import host_image
from lab.progress import Say, silent
from lab.topology import DEFAULT_SUITE, LABEL, NETWORK, SSH_KEY, SSH_USER, address, container

# Without it packages start their services when they are installed.
_POLICY = Path("/usr/sbin/policy-rc.d")

_VAGRANTFILE = """\
Vagrant.configure("2") do |config|
  config.vm.synced_folder ".", "/vagrant", disabled: true
  config.ssh.username = "{user}"
  config.ssh.private_key_path = "{key}"
  config.ssh.insert_key = false
  config.vm.define "{name}" do |machine|
    machine.vm.provider "docker" do |docker|
      docker.image = "{image}"
      docker.name = "{container}"
      docker.has_ssh = true
      docker.create_args = %w[{options}]
    end
  end
end
"""


def ensure_installed(say: Say = silent) -> None:
    """Sees that there is a vagrant command. Raises LabError where it cannot be installed."""
    if shutil.which("vagrant"):
        return
    own_policy = os.geteuid() == 0 and not _POLICY.exists()
    if own_policy:
        _POLICY.write_text("#!/bin/sh\nexit 101\n")
        _POLICY.chmod(0o755)
    try:
        engine.install(("vagrant",), say)
    finally:
        if own_policy:
            _POLICY.unlink()


def write_vagrantfile(folder: Path, name: str) -> None:
    """A Vagrantfile with one machine, the host `name` of a lab that is up. SSH reaches it by a port of this machine."""
    options = (
        *("--hostname", name, "--label", LABEL, "--network", NETWORK, "--ip", address(name)),
        *hosts.options(name, DEFAULT_SUITE),
    )
    text = _VAGRANTFILE.format(
        user=SSH_USER,
        key=SSH_KEY,
        name=name,
        image=host_image(DEFAULT_SUITE),
        container=container(name),
        options=" ".join(options),
    )
    (folder / "Vagrantfile").write_text(text)


def up(folder: Path, name: str) -> None:
    """Has Vagrant make and boot the machine of the folder's Vagrantfile, in place of a former one."""
    hosts.remove([name])
    done = subprocess.run(
        ["vagrant", "up", "--provider=docker"], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        raise LabError(f"vagrant up: {done.stderr.strip() or done.stdout.strip()}")
    hosts.wait_until_ready(name)
