"""What tests of adopt share: a folder of its own, and ways to have something adopted there."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.adopt import adopting, reading, source
from gateway.adopt.adopting import Adoption
from gateway.cli.main import main

from .importing import LEAF, enter_checkout
from .pki import assert_no_key

SITE = "server { listen 80; server_name wx.a.edu.cn; location / { proxy_pass https://hub.17wanxiao.com; } }\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder as the current one, on a machine that trusts the tests' own authority."""
    enter_checkout(tmp_path / "files", monkeypatch)
    monkeypatch.setattr("pyinfra_cli.util.PYTHON_CODES", {})  # it remembers files by a name without a folder


def run(*arguments: str) -> Result:
    """The command; no key shows in what it says."""
    done = CliRunner().invoke(main, ["adopt", *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert_no_key(done.output, LEAF)
    return done


def put(name: str, text: str | bytes) -> str:
    """Writes a file, and returns its name."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return name


def adopted(text: str, *domains: str) -> Adoption:
    """What becomes of a configuration."""
    files = source.read(Path(put("old/nginx.conf", text)))
    return adopting.adopt(reading.read(files), files, domains)


def told(adoption: Adoption) -> str:
    """Everything that is told of its server blocks."""
    return "\n".join(finding.text for block in adoption.blocks for finding in block.findings)


def site(*directives: str, listen: str = "80", name: str = "wx.a.edu.cn") -> str:
    """A server block."""
    return f"server {{ listen {listen}; server_name {name}; {' '.join(directives)} }}\n"


PASS = "location / { proxy_pass http://10.0.0.8:8080; }"
