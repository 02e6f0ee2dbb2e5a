"""The tools that are compared: each deploys the same schools to a host by its own command line."""

from __future__ import annotations

import json
import pprint
import shutil
from pathlib import Path
from typing import Protocol

from bench import ansible, commands
from bench.hosts import BenchHost
from bench.schools import HOME, Edge, Fleet
from bench.tree import ENTRY, Tree
from lab import pki, topology

_ROOT = Path(__file__).resolve().parent.parent
_PEERS = Path(__file__).resolve().parent / "peers"
# Fleets of other sizes come after one another on the same host.
_MEANT = ("--data", "allow_site_removal=1")
_CHECKOUT = ("deploy.py", "config.py", "gateway", "templates", "group_data")


class Tool(Protocol):
    """Deploys a fleet to its host."""

    name: str
    host: BenchHost
    edge: Edge

    def deploy(self, fleet: Fleet) -> float:
        """Deploys and returns the wall seconds of the command alone: its input is written before."""


class Gateway:
    """This project, from a copy of the checkout."""

    def __init__(self, name: str, host: BenchHost, folder: Path, edge: Edge, **more: object) -> None:
        """`more` are further keys of the host's entry."""
        self.name = name
        self.host = host
        self.edge = edge
        self._more = more
        self._folder = folder / f"checkout-{edge}"
        self._trees = folder / f"trees-{edge}"
        copied_checkout(self._folder)

    def deploy(self, fleet: Fleet) -> float:
        for school in fleet.schools:
            verify = self._folder / "files" / "verify" / school.domain
            verify.mkdir(parents=True, exist_ok=True)
            (verify / school.verify_name).write_text(school.verify_body)
            if school.edge == "tls":
                pki.issue(school.domain, [school.domain], self._folder / "files" / "certs" / school.domain)
        data = {**pyinfra_data(self.host), **self._more, "sites": [school.entry() for school in fleet.schools]}
        _write_inventory(self._folder / "inventory" / "bench.py", "wanxiao_prod", self.host, data)
        return commands.run(
            [commands.beside_python("pyinfra"), "-y", *_MEANT, "inventory/bench.py", "deploy.py"], self._folder
        )

    def tree(self, count: int) -> Tree:
        """The files that it puts on a host for so many schools."""
        folder = self._trees / str(count)
        if not folder.exists():
            self.deploy(Fleet.of(count, self.edge))
            folder.mkdir(parents=True)
            return Tree.fetched(self.host, folder)
        return Tree(folder)


class _FileByFile:
    """The common part of tools that upload this project's tree file by file."""

    def __init__(self, name: str, host: BenchHost, folder: Path, gateway: Gateway) -> None:
        self.name = name
        self.host = host
        self.edge = gateway.edge
        self._folder = folder / name.replace(" ", "-")
        self._folder.mkdir()
        self._gateway = gateway

    def _tree(self, fleet: Fleet) -> Tree:
        folder = self._folder / f"tree-{len(fleet.schools)}"
        tree = Tree(folder)
        if not folder.exists():
            tree = self._gateway.tree(len(fleet.schools)).copied(folder)
        tree.become(fleet)
        return tree


class StockPyinfra(_FileByFile):
    """pyinfra's own file operations: peers/stock.py."""

    def deploy(self, fleet: Fleet) -> float:
        data = {
            **pyinfra_data(self.host),
            "tree": str(self._tree(fleet).folder),
            "home": HOME,
            "entry": ENTRY,
        }
        _write_inventory(self._folder / "inventory.py", "hosts", self.host, data)
        return commands.run(
            [commands.beside_python("pyinfra"), "-y", "inventory.py", _PEERS / "stock.py"], self._folder
        )


class Ansible(_FileByFile):
    """ansible-playbook with pipelining, or with Mitogen's strategy: peers/playbook.yml."""

    def __init__(self, name: str, host: BenchHost, folder: Path, gateway: Gateway, mitogen: bool = False) -> None:
        super().__init__(name, host, folder, gateway)
        self._mitogen = mitogen

    def deploy(self, fleet: Fleet) -> float:
        tree = self._tree(fleet)
        values = {
            "tree": str(tree.folder),
            "home": HOME,
            "entry": ENTRY,
            "folders": ["", *tree.folders()],
            "files": tree.files(),
        }
        (self._folder / "tree.json").write_text(json.dumps(values))
        inventory = {"all": {"hosts": {self.host.name: ansible.host_variables(self.host.address)}}}
        (self._folder / "inventory.json").write_text(json.dumps(inventory))
        playbook = ansible.command("ansible-playbook")
        return commands.run(
            [playbook, "-i", "inventory.json", "-e", "@tree.json", _PEERS / "playbook.yml"],
            self._folder,
            ansible.environment(self._folder, self._mitogen),
        )


def copied_checkout(folder: Path) -> None:
    """Copies what a deploy needs of this checkout into a new folder."""
    folder.mkdir()
    for name in _CHECKOUT:
        source = _ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    (folder / "inventory").mkdir()


def pyinfra_data(host: BenchHost) -> dict[str, object]:
    """How pyinfra reaches a lab host."""
    return {
        "ssh_hostname": host.address,
        "ssh_user": topology.SSH_USER,
        "ssh_key": str(topology.SSH_KEY),
        "ssh_known_hosts_file": str(topology.KNOWN_HOSTS),
        "_sudo": True,
    }


def _write_inventory(path: Path, group: str, host: BenchHost, data: dict[str, object]) -> None:
    path.write_text(f"{group} = [\n{pprint.pformat((host.name, data), sort_dicts=False)},\n]\n")
