"""Upgrade without fear: what the first version has deployed is shown, replaced and gone back to, with a real nginx.

Other versions: tests/scripts/test_earlier_versions.py, where one takes seconds.
"""

from __future__ import annotations

import base64

import pytest

from gateway import product
from lab import hosts

from ..earlier import CODE, SITES, archive
from . import checkout as own
from .checkout import HOME

HOST = "t01"
VERSION = "0.1.0"
# What a deploy leaves beside the gateway's folder.
UNITS = "/etc/systemd/system/{,*.wants/}wecom-gateway-*"


def on_host(script: str) -> str:
    return own.on_host(HOST, script)


def _leave_as_deployed() -> None:
    """Makes the host one that the earlier version has deployed to, and that knows where its upstreams are here."""
    on_host(
        f"systemctl stop 'wecom-gateway-*' || true; rm -rf {HOME} {UNITS} /etc/dpkg/dpkg.cfg.d/wecom-gateway "
        "/etc/nginx/conf.d/*; systemctl daemon-reload"
    )
    packed = base64.b64encode(archive(VERSION).read_bytes()).decode()
    on_host(
        f"base64 -d <<<{packed} | tar -xz -C / && systemctl daemon-reload && systemctl restart nginx && "
        "systemctl start wecom-gateway-resolve.timer wecom-gateway-expiry.timer wecom-gateway-resolve.service"
    )


def _serves() -> bool:
    return all(
        own.ask(HOST, f"http://{domain}/{path}").status == 200
        for domain, path in (
            ("a.edu.example", f"WW_verify_{CODE}.txt"),
            ("a.edu.example", "x"),
            ("b.edu.example", "bserver/x"),
        )
    )


@pytest.fixture(scope="module")
def with_nginx(packaged_host, tmp_path_factory) -> str:
    """The host after a deploy, which has installed nginx and what belongs to it."""
    made = own.Checkout.make(tmp_path_factory.mktemp("first"), HOST)
    made.write_sites(*SITES)
    made.deploy_well()
    return HOST


def test_an_upgrade_is_shown_made_and_taken_back(with_nginx, checkout):
    _leave_as_deployed()
    before = on_host(f"cat {HOME}/activated").strip()
    hosts.wait_until(_serves, f"{HOST}: release {before} does not serve", seconds=40)
    checkout.write_sites(*SITES)
    checkout.verification("a.edu.example", CODE)
    # the version of the checkout, which is a copy, is that of the next release
    (checkout.path / "pyproject.toml").write_text('[project]\nname = "wecom-gateway"\nversion = "0.9.0"\n')
    (checkout.path / "CHANGELOG.md").write_text(product.changelog())

    shown = checkout.run("pyinfra", "--dry", "inventory/own.py", "deploy.py").stderr
    assert "made by wecom-gateway before 0.2.0, this is 0.9.0; CHANGELOG.md says:" in shown
    assert "  0.2.0: Hosts that are not bare" in shown
    assert "  ~ gateway.conf" in shown
    assert on_host(f"cat {HOME}/activated").strip() == before

    done = checkout.deploy_guarded()
    assert done.returncode == 0, done.stdout + done.stderr
    assert _serves()
    code, report = checkout.status()
    assert (code, report["hosts"][0]["version"]) == (0, "0.9.0")

    # who has the earlier version still is refused, before anything changes
    (checkout.path / "pyproject.toml").write_text('[project]\nname = "wecom-gateway"\nversion = "0.2.0"\n')
    checkout.write_sites({**SITES[0], "hsts": 60}, SITES[1])
    done = checkout.deploy_guarded()
    assert done.returncode == 1
    assert "was made by wecom-gateway 0.9.0, and this is the older 0.2.0" in done.stderr

    assert checkout.roll_back().returncode == 0
    assert on_host(f"cat {HOME}/activated").strip() == before
    assert _serves()
    # and then it is not
    assert checkout.deploy_guarded().returncode == 0
    assert _serves()
