"""What the host's own timer writes into the journal about certificates, by the script that a host runs."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.conftest import make_pair

from .host_scripts import relocated


@pytest.fixture
def home(tmp_path) -> Path:
    """The gateway's folder on a host, with a release in force."""
    (tmp_path / "wecom-gateway" / "current" / "certs").mkdir(parents=True)
    (tmp_path / "wecom-gateway" / "current" / "orders").touch()
    return tmp_path / "wecom-gateway"


def _run(home: Path) -> list[str]:
    text = relocated("expiry", home.parent)
    done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=False, timeout=10)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def _brought(home: Path, domain: str, **validity: timedelta) -> Path:
    """A certificate that came with the release."""
    return _put(home / "current" / "certs" / domain / "fullchain.pem", domain, validity)


def _issued(home: Path, domain: str, **validity: timedelta) -> Path:
    """A certificate that an ACME server issued for the release's order."""
    _order(home, domain)
    return _put(home / "acme" / "issued" / domain / "live" / "fullchain.pem", domain, validity)


def _order(home: Path, domain: str) -> None:
    with (home / "current" / "orders").open("a") as file:
        file.write(f"{domain} 1234\n")


def _put(path: Path, domain: str, validity: dict[str, timedelta]) -> Path:
    path.parent.mkdir(parents=True)
    path.write_bytes(make_pair(domain, **validity)[0])
    return path


EXPIRED = {"start": timedelta(days=-90), "end": timedelta(hours=-1)}


@pytest.mark.parametrize("put", [_brought, _issued])
def test_each_certificate_is_judged_wherever_it_came_from(home, put):
    put(home, "good.edu.cn", end=timedelta(days=21, hours=1))
    put(home, "soon.edu.cn", end=timedelta(days=20, hours=1))
    put(home, "today.edu.cn", end=timedelta(hours=1))
    put(home, "late.edu.cn", **EXPIRED)
    put(home, "odd.edu.cn").write_text("no certificate")
    told = {line.partition(": ")[0]: line.partition(": ")[2] for line in _run(home)}
    assert told.keys() == {"<4>soon.edu.cn", "<4>today.edu.cn", "<3>late.edu.cn", "<3>odd.edu.cn"}
    assert told["<4>soon.edu.cn"].startswith("the certificate expires in 20 days, on ")
    assert told["<4>today.edu.cn"].startswith("the certificate expires in 0 days, on ")
    assert told["<3>late.edu.cn"].startswith("the certificate expired on ")
    assert told["<3>odd.edu.cn"] == "the certificate cannot be read"
    assert all(line.endswith(" GMT") for name, line in told.items() if "odd" not in name)


def test_an_order_without_a_certificate_is_told(home):
    _brought(home, "a.edu.cn")
    _issued(home, "b.edu.cn")
    _order(home, "c.edu.cn")
    assert _run(home) == ["<3>c.edu.cn: no certificate was issued yet; deploy"]


def test_a_host_without_a_release_says_nothing(home):
    (home / "current").rename(home / "gone")
    assert _run(home) == []
