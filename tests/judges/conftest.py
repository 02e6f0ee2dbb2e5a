"""The judges: tools that are not ours, in an environment of their own, and a gateway for them to look at."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import lab
from lab import hosts, topology

from ..lab.checkout import Checkout, on_host

HERE = Path(__file__).parent
LOCK = HERE / "requirements.lock"
VENV = HERE / ".venv"

GATEWAY = "t57"
# testssl.sh comes from Debian; trixie's knows more than bookworm's.
SCANNER, SCANNER_SUITE = "t59", "trixie"
DOMAIN = "card.tls.demo.example"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def tool() -> Run:
    """tool("gixy", ...): runs a locked tool, at most two minutes; the first use installs them all."""
    stamp = VENV / ".complete"
    wanted = f"{sys.version} {hashlib.sha256(LOCK.read_bytes()).hexdigest()}"
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(VENV, ignore_errors=True)
        venv.create(VENV, with_pip=True)
        pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "-r", str(LOCK)], check=True, timeout=600)
        stamp.write_text(wanted)

    def run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(VENV / "bin" / name), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    return run


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a gateway with the demo's sites at edge tls; DOMAIN is one of them."""
    from inventory.demo import gateways

    sites = gateways[1][1]["sites"]
    path = tmp_path_factory.mktemp("judged") / "checkout"
    path.mkdir()
    hosts.remove([GATEWAY])
    try:
        lab.up([GATEWAY], basis="packaged")
        checkout = Checkout.make(path, GATEWAY)
        checkout.write_sites(*sites)
        for site in sites:
            checkout.certificate(site["domain"])
        checkout.deploy_well()
        yield topology.address(GATEWAY)
    finally:
        hosts.remove([GATEWAY])


@pytest.fixture(scope="session")
def scanner() -> Iterator[str]:
    """A host with testssl.sh on it."""
    hosts.remove([SCANNER])
    try:
        lab.up([SCANNER], SCANNER_SUITE)
        on_host(
            SCANNER,
            "apt-get update -q && DEBIAN_FRONTEND=noninteractive"
            " apt-get install -y -q --no-install-recommends testssl.sh",
        )
        yield SCANNER
    finally:
        hosts.remove([SCANNER])
