"""A host that serves other people's sites already: they stay as they are, byte for byte."""

from __future__ import annotations

import pytest

import lab
from lab import hosts, topology

from . import checkout as own
from .checkout import HOME, SLB, Checkout
from .load import Load

HOST = "t02"
# Of a range for documentation.
APART = "198.51.100.9"
THEIRS = """
server {
    listen 80 %(default)s;
    server_name theirs.example _;
    location / { default_type text/plain; return 200 "theirs on $host\\n"; }
}
server {
    listen 8088;
    server_name _ twice.example;
    location / { default_type text/plain; return 200 "theirs on 8088\\n"; }
}
# Of two names alike the first counts, which is their own affair.
server {
    listen 8088;
    server_name _ twice.example;
    return 404;
}
"""


# But for the one number in nginx.conf that a gateway raises.
_THEIR_FILES = """
find /etc/nginx -path '*wecom-gateway*' -prune -o -type f ! -name nginx.conf -print0 | xargs -0 md5sum | sort
sed 's/worker_connections.*/worker_connections/' /etc/nginx/nginx.conf
"""


def on_host(script: str) -> str:
    return own.on_host(HOST, script)


@pytest.fixture(scope="module", params=["default_server", ""], ids=["by their word", "by being alone"])
def taken_host(request):
    lab.up()
    hosts.remove([HOST])
    lab.up([HOST], basis="packaged")
    text = THEIRS % {"default": request.param}
    on_host(
        "rm /etc/nginx/sites-enabled/default\n"
        f"cat >/etc/nginx/sites-enabled/theirs <<'X'\n{text}\nX\nsystemctl reload nginx"
    )
    yield request.param
    hosts.remove([HOST])


@pytest.fixture
def mine(tmp_path):
    return Checkout.make(tmp_path, HOST)


def test_their_sites_answer_throughout_and_their_files_are_untouched(taken_host, mine):
    mine.write_sites(SLB)
    before = on_host(_THEIR_FILES)
    with Load("http://theirs.example/", topology.address(HOST)):
        mine.deploy_well()
        mine.write_sites(SLB, {**SLB, "domain": "second.edu.example"})
        mine.deploy_well()
        assert mine.roll_back().returncode == 0
    assert own.ask(HOST, "http://theirs.example/").body == b"theirs on theirs.example\n"
    assert own.ask(HOST, "http://theirs.example:8088/").body == b"theirs on 8088\n"
    assert own.ask(HOST, "http://a.edu.example/x").status == 200
    after = on_host(_THEIR_FILES)
    assert after == before


def test_who_was_the_default_stays_it(taken_host, mine):
    """Unknown names go where they went, whether the host's owner said so or nginx took the only site there was."""
    mine.write_sites(SLB)
    mine.deploy_well()
    assert own.ask(HOST, "http://unknown.example/").body == b"theirs on unknown.example\n"


def test_a_name_that_they_serve_on_the_same_port_is_refused_before_anything_changes(taken_host, mine):
    mine.write_sites(SLB)
    mine.deploy_well()
    before = on_host(f"readlink {HOME}/current; cat {HOME}/activated")
    mine.write_sites(SLB, {**SLB, "domain": "theirs.example"})
    for _ in range(2):
        done = mine.deploy()
        assert done.returncode == 1
        assert "another site of this host has theirs.example on port 80 as well" in done.stderr
        assert on_host(f"readlink {HOME}/current; cat {HOME}/activated") == before
    assert own.ask(HOST, "http://theirs.example/").body == b"theirs on theirs.example\n"


@pytest.fixture
def apart(taken_host):
    """A site of theirs that has an address to itself."""
    path = "/etc/nginx/conf.d/apart.conf"
    site = f"server {{ listen {APART}:80; server_name apart.example; return 200 'apart'; }}"
    on_host(f'ip address add {APART}/32 dev lo && echo "{site}" >{path} && systemctl reload nginx')
    yield
    on_host(f"rm {path}; ip address delete {APART}/32 dev lo; systemctl reload nginx")


def test_an_address_that_they_have_to_themselves_is_told(apart, mine):
    """What comes to it is theirs alone, whatever name it asks for."""
    mine.write_sites(SLB, {**SLB, "domain": "fifth.edu.example"})
    assert f"{APART}:80 is an address that another site of this host has to itself" in mine.deploy_well()
    assert own.ask(HOST, "http://fifth.edu.example/x").status == 200
    before = on_host(f"readlink {HOME}/current; cat {HOME}/activated")
    mine.write_sites(SLB, {**SLB, "domain": "apart.example"})
    for _ in range(2):
        done = mine.deploy()
        assert done.returncode == 1
        assert f"another site of this host has apart.example on {APART}:80" in done.stderr
        assert on_host(f"readlink {HOME}/current; cat {HOME}/activated") == before
    code, report = mine.status()
    assert code == 2
    assert report["hosts"][0]["apart"] == [f"{APART}:80"]


def test_a_stock_welcome_page_that_was_edited_is_theirs(taken_host, mine):
    on_host(
        "ln -sf ../sites-available/default /etc/nginx/sites-enabled/default"
        " && sed -i 's/listen 80 default_server/listen 8089/; s/listen .::.:80 default_server/listen [::]:8089/'"
        " /etc/nginx/sites-available/default && systemctl reload nginx"
    )
    mine.write_sites(SLB, {**SLB, "domain": "fourth.edu.example"})
    mine.deploy_well()
    assert own.ask(HOST, "http://edited.example:8089/").status == 200
