"""Going back, going back further, and going forward again; what is kept and what is not."""

from __future__ import annotations

import shutil

import pytest

from gateway import product
from lab import client

from ..conftest import REPO
from . import checkout as own
from .checkout import HOME, SLB, TLS, no_changes, result_of

HOST = "t01"


def on_host(script: str) -> str:
    return own.on_host(HOST, script)


def _sites(*numbers: int) -> list[dict[str, object]]:
    return [{**SLB, "domain": f"s{number}.edu.example"} for number in numbers]


def _answers(number: int) -> bool:
    try:
        return own.ask(HOST, f"http://s{number}.edu.example/x").status == 200
    except client.ConnectionClosed:
        return False


def _history() -> list[str]:
    return on_host(f"cat {HOME}/history").split()


def _deploy(checkout: own.Checkout, *numbers: int) -> str:
    checkout.write_sites(*_sites(*numbers))
    checkout.deploy_well()
    return _history()[-1]


def test_back_and_back_again_and_forward(packaged_host, checkout):
    first, second, third = (_deploy(checkout, *range(1, count + 1)) for count in (1, 2, 3))
    assert _history() == [first, second, third]
    assert checkout.roll_back().returncode == 0
    assert (_answers(2), _answers(3)) == (True, False)
    code, report = checkout.status()
    assert code == 2
    assert "rolled back" in report["hosts"][0]["problem"]
    assert checkout.roll_back().returncode == 0
    assert (_answers(1), _answers(2)) == (True, False)
    # nowhere further to go: said, and nothing changes
    done = checkout.roll_back()
    assert done.returncode == 1
    assert "there is no release before" in done.stderr
    assert "Traceback" not in done.stderr
    assert _answers(1)
    # the inventory still wants the third; its release is still there
    output = checkout.deploy_well()
    assert result_of(output, "Activate the release")[:2] == ["1", "1"]
    assert _answers(3)
    assert checkout.status()[0] == 0


def test_what_was_rolled_back_from_is_not_gone_back_to(packaged_host, checkout):
    good = _deploy(checkout, 1, 5)
    bad = _deploy(checkout, 1, 5, 6)
    assert checkout.roll_back().returncode == 0
    mended = _deploy(checkout, 1, 5, 7)
    assert _history()[-2:] == [good, mended]
    assert checkout.roll_back().returncode == 0
    assert _history()[-2:] == [good, mended]
    assert not _answers(6)
    assert bad not in on_host(f"ls {HOME}/releases").split()


def test_five_releases_are_kept_and_keys_of_removed_sites_go_with_the_others(packaged_host, checkout):
    """So do the versions that they came from and their origins; a release of before these were kept has none."""
    shutil.copy(REPO / "pyproject.toml", checkout.path)
    checkout.certificate("b.edu.example")
    checkout.write_sites(TLS)
    checkout.deploy_well()
    keys = f"grep -rl 'PRIVATE KEY' {HOME} | wc -l"
    assert on_host(keys).strip() == "1"
    for number in range(10, 14):
        release = _deploy(checkout, number)
        assert on_host(keys).strip() == "1"
        assert on_host(f"cat {HOME}/versions/{release}").strip() == product.version()
    last = _deploy(checkout, 14)
    assert on_host(keys).strip() == "0"
    releases = on_host(f"ls -A {HOME}/releases").split()
    assert len(releases) == 5
    assert last in releases
    assert "paas.inner.example" not in on_host(f"ls {HOME}/upstreams")
    assert set(on_host(f"ls {HOME}/versions").split()) <= set(releases)
    assert on_host(f"wc -w <{HOME}/origins/{last}").strip() == "6"
    on_host(f"rm -r {HOME}/versions")
    assert no_changes(checkout.deploy_well())
    code, report = checkout.status()
    assert (code, report["hosts"][0]["version"]) == (0, None)


def test_a_rollback_is_verified_like_a_deploy(packaged_host, checkout):
    earlier, later = _deploy(checkout, 20), _deploy(checkout, 20, 21)
    on_host(f"echo 'nonsense on;' >>{HOME}/releases/{earlier}/gateway.conf")
    done = checkout.roll_back()
    assert done.returncode == 1
    assert "nginx refuses the new release" in done.stderr
    assert _answers(21)
    assert on_host("curl -s http://127.0.0.1:19001/release").strip() == later


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_verification_file_is_not_removed_by_accident(packaged_host, checkout, confirmed):
    domain = f"v{int(confirmed)}.edu.example"
    code = f"VvvvVvvvVvvv000{int(confirmed)}"
    checkout.write_sites({**SLB, "domain": domain})
    checkout.verification(domain, code)
    checkout.deploy_well()
    (checkout.path / "files" / "verify" / domain / f"WW_verify_{code}.txt").unlink()
    if confirmed:
        checkout.deploy_well("--data", "allow_verify_removal=1")
        return
    done = checkout.deploy()
    assert done.returncode == 1
    assert f"{domain}/WW_verify_{code}.txt" in done.stderr
    assert own.ask(HOST, f"http://{domain}/WW_verify_{code}.txt").body == code.encode()
    # with its site it goes unasked
    checkout.write_sites({**SLB, "domain": "w.edu.example"})
    checkout.deploy_well()
