"""What a host finds on its disk when the power goes at the worst moment.

A journaling file system keeps names in order but not what is in new files: those stay empty for up to half a minute
after a name leads to them. Then nginx would start with nothing, or not at all. Asked of the file system itself
at the moment when nginx is told to reload: which files have no place on the disk yet.
"""

from __future__ import annotations

import pytest

from . import checkout as own
from . import disk, moments
from .checkout import HOME, SLB, TLS

HOST = "t01"

_FILES = f"{HOME}/current/ {HOME}/upstreams/ /etc/nginx/nginx.conf"


def on_host(script: str) -> str:
    return own.on_host(HOST, script)


@pytest.fixture
def watched(bare_host, checkout):
    """A host in service that looks at its files whenever nginx is told to reload."""
    disk.must_tell(HOST)
    checkout.write_sites(SLB)
    checkout.deploy_well()
    on_host("rm -f /run/unwritten")
    moments.before(HOST, "systemctl", f'if [ "$1" = kill ]; then {disk.unwritten(_FILES)} >>/run/unwritten; fi')
    yield checkout
    moments.let_be(HOST)


def _lost() -> str:
    return on_host("cat /run/unwritten")


def test_a_new_release_is_on_the_disk_before_nginx_hears_of_it(watched):
    watched.certificate(TLS["domain"])
    on_host("sed -i 's/worker_connections .*/worker_connections 700;/' /etc/nginx/nginx.conf")
    watched.write_sites(SLB, TLS)
    watched.deploy_well()
    assert _lost() == ""


def test_so_is_what_was_put_back_after_changes_by_hand(watched):
    on_host(f"for file in {HOME}/current/*.conf; do echo '# x' >>$file; done")
    watched.deploy_well()
    assert _lost() == ""


def test_so_are_new_addresses(watched):
    on_host(f"sed -i 's/server .*/server 192.0.2.1:443;/' {HOME}/upstreams/*.conf")
    on_host("systemctl start wecom-gateway-resolve.service")
    assert _lost() == ""
