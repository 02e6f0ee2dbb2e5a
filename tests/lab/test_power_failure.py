"""What a host finds on its disk when the power goes at the worst moment.

A journaling file system keeps names in order but not what is in new files: those stay empty for up to half a minute
after a name leads to them. Then nginx would start with nothing, or not at all. Asked of the file system itself
at the moment when nginx is told to reload: which files have no place on the disk yet.
"""

from __future__ import annotations

import pytest

from . import checkout as own
from . import disk
from .checkout import HOME, SLB, TLS

HOST = "t01"

_FILES = f"{HOME}/current/ {HOME}/upstreams/ /etc/nginx/nginx.conf"


def on_host(script: str) -> str:
    return own.on_host(HOST, script)


@pytest.fixture
def served(packaged_host, checkout):
    checkout.write_sites(SLB)
    checkout.deploy_well()
    return checkout


@pytest.fixture
def lost(served):
    with disk.asked_at_reloads(HOST, _FILES) as told:
        yield told


def test_a_new_release_is_on_the_disk_before_nginx_hears_of_it(served, lost):
    served.certificate(TLS["domain"])
    on_host("sed -i 's/worker_connections .*/worker_connections 700;/' /etc/nginx/nginx.conf")
    served.write_sites(SLB, TLS)
    served.deploy_well()
    assert lost() == ""


def test_so_is_what_was_put_back_after_changes_by_hand(served, lost):
    on_host(f"for file in {HOME}/current/*.conf; do echo '# x' >>$file; done")
    served.deploy_well()
    assert lost() == ""


def test_so_are_new_addresses(lost):
    on_host(f"sed -i 's/server .*/server 192.0.2.1:443;/' {HOME}/upstreams/*.conf")
    on_host("systemctl start wecom-gateway-resolve.service")
    assert lost() == ""
