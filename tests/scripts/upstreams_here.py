"""What visitors get of a site whose upstreams are of any kind: rendered, on the nginx of this machine."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.fleet.host import Host
from gateway.nginx import release as releases
from gateway.nginx.build import Build
from gateway.nginx.tls_profile import Version
from gateway.nginx.tree import tree
from gateway.onhost.constants import HOME

_NAMESPACES = ("unshare", "--net", "--pid", "--fork", "--mount-proc", "--kill-child")
_MAIN = """
user root;
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    {theirs}
    include {current}/gateway.conf;
}}
"""


@dataclass(frozen=True)
class Question:
    """A request of a visitor."""

    host: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    method: str = "GET"
    port: int = 80
    tls: bool = False


@dataclass(frozen=True)
class Answer:
    """What came back, and what arrived at the upstreams meanwhile: "ADDRESS:PORT METHOD TARGET"."""

    status: int
    headers: list[tuple[str, str]]
    body: str
    seconds: float
    arrived: list[str] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """What the upstream says that arrived."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    def sent(self, name: str) -> list[str]:
        """The values of a request header that arrived."""
        return [value for key, value in self.told()["headers"] if key.lower() == name.lower()]

    def all(self, name: str) -> list[str]:
        """The values of a header of the answer."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


def version() -> Version:
    """The version of nginx on this machine."""
    said = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
    return Version.parse(said)


def answers(
    host: Host,
    folder: Path,
    upstreams: list[dict[str, Any]],
    questions: list[Question],
    addresses: dict[str, str],
    theirs: str = "",
) -> list[Answer]:
    """One answer for each question, asked one after the other. `addresses` has, by "NAME_PORT", what DNS would say;
    `theirs` is what others have at http level."""
    current = folder / "current"
    here = {f"{HOME}/releases/": f"{folder}/releases/", HOME: str(folder), "/var/log/nginx": str(folder)}
    release = releases.build(tree(host, Build(version(), ipv6=False)))
    for path, file in release.files.items():
        target = folder / "releases" / release.id / path
        target.parent.mkdir(parents=True, exist_ok=True)
        body = file.body
        if path.endswith(".conf"):
            for old, new in here.items():
                body = body.replace(old.encode(), new.encode())
        target.write_bytes(body)
    current.symlink_to(folder / "releases" / release.id)
    (folder / "upstreams").mkdir()
    for line in (current / "upstreams").read_text().splitlines():
        name, port = line.split()
        address = addresses.get(f"{name}_{port}")
        text = f"server {address};" if address else "server 127.0.0.1:9 down;"
        (folder / "upstreams" / f"{name}_{port}.conf").write_text(f"{text}\n")
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder, current=current, theirs=theirs))
    (folder / "plan.json").write_text(
        json.dumps({"upstreams": upstreams, "questions": [vars(one) for one in questions]})
    )
    program = Path(__file__).with_name("network.py")
    done = subprocess.run(
        [*_NAMESPACES, sys.executable, str(program), str(folder)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (folder / "answers.json").is_file(), done.stderr + done.stdout
    assert "[warn]" not in done.stderr, done.stderr
    return [Answer(**one) for one in json.loads((folder / "answers.json").read_text())]
