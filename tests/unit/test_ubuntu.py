"""Ubuntu, by what its packages say of themselves: it is as good as Debian. No host of it is in the lab."""

from __future__ import annotations

import pytest

from gateway.deploys import state
from gateway.deploys.host_report import reported
from gateway.deploys.objections import objections
from gateway.deploys.state import HostState, missing_packages
from gateway.nginx import release
from gateway.nginx.tree import tree

SITE = {"domain": "b.edu.cn", "edge": "tls", "platform": "wanxiao_prod", "allow": ["10.0.0.0/8"]}
# Of the package nginx-core, which the package nginx brings: `nginx -V` of Ubuntu 22.04.
_BUILT = (
    "--with-http_ssl_module --with-http_stub_status_module --with-http_realip_module --with-http_auth_request_module "
    "--with-http_v2_module --with-http_dav_module --with-http_slice_module --with-http_addition_module "
    "--with-http_gunzip_module --with-http_gzip_static_module --with-http_sub_module --with-stream=dynamic "
    "--with-stream_ssl_module --with-mail=dynamic --with-mail_ssl_module"
)
# System, nginx and OpenSSL of each release.
RELEASES = {
    "20.04": ("1.18.0-0ubuntu1.7", "1.18.0", "1.1.1f"),
    "22.04": ("1.18.0-6ubuntu14.7", "1.18.0", "3.0.2"),
    "24.04": ("1.24.0-2ubuntu7.5", "1.24.0", "3.0.13"),
    "26.04": ("1.28.0-6ubuntu1", "1.28.0", "3.5.3"),
}
releases = pytest.mark.parametrize("number", RELEASES)


def _bare(number: str) -> HostState:
    package, _, _ = RELEASES[number]
    return state.read([f"system Ubuntu {number} LTS", f"candidate {package}", "missing nginx certbot", "ipv6 yes"])


def _installed(number: str) -> HostState:
    package, version, openssl = RELEASES[number]
    return state.read(
        [
            f"system Ubuntu {number} LTS",
            f"version nginx/{version}",
            f"openssl {openssl}",
            f"built {_BUILT}",
            f"package nginx-core {package} Ubuntu Developers <ubuntu-devel-discuss@lists.ubuntu.com>",
            "missing",
            "main_pid 700",
        ]
    )


@pytest.fixture
def host(parse, store_pair):
    store_pair("b.edu.cn")
    made, problems = parse(SITE)
    assert not problems
    return made


@releases
def test_nginx_is_installed_from_the_system(host, number):
    known = _bare(number)
    assert objections(host, known) == []
    assert missing_packages(host, known) == ["nginx"]
    assert str(known.build.version) == RELEASES[number][1]
    assert reported(host, known).would_install == RELEASES[number][1]


@releases
def test_nothing_is_in_the_way_and_a_release_is_rendered_for_that_nginx(host, number):
    known = _installed(number)
    assert objections(host, known) == []
    told = reported(host, known)
    assert told.system == f"Ubuntu {number} LTS"
    assert told.nginx.source == f"package nginx-core {RELEASES[number][0]} (Ubuntu Developers)"
    files = release.build(tree(host, known.build)).files
    tls = "".join(file.body.decode() for path, file in files.items() if path.startswith("sites/"))
    # the directive from 1.25.1 on, the flag before
    assert ("http2 on;" in tls) == (known.build.version.number >= (1, 25, 1))
    # hybrid key exchange from OpenSSL 3.5 on
    assert ("X25519MLKEM768" in files["snippets/tls.conf"].body.decode()) == (number == "26.04")
