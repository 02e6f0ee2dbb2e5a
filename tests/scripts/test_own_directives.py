"""Directives of the operator's own in a real nginx: they count for their domain alone, what nginx refuses of them is
named as the operator has it, and nothing in them leaves the server block."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from gateway.checkout import own_directives
from gateway.checkout.own_directives import CannotStandError, OwnDirectives
from gateway.deploys.neighbours import ENTRIES
from gateway.fleet.directive_rules import RULES
from gateway.fleet.host import Host
from gateway.nginx.release import Release
from gateway.nginx.servers import YIELDING
from gateway.onhost.constants import HOME

from .test_real_nginx import SITES, Room, _release, _state, _why_not

pytestmark = pytest.mark.skipif(bool(_why_not()), reason=_why_not())

A, T = (site["domain"] for site in SITES)
ACME = {"acme": {"email": "ops@school.example", "directory": "https://acme.example/directory"}}
MINE = """gzip on;
add_header X-Own yes always;
location = /own { return 200 "mine on $server_port\\n"; }
"""


@pytest.fixture
def host(parse, store_pair) -> Host:
    store_pair(T)
    parsed, problems = parse(*SITES, {"domain": "b.edu.cn", "edge": "slb", "platform": "bkitsm", "bk": SITES[0]["bk"]})
    assert not problems
    return parsed


def _with(host: Host, **texts: str) -> Host:
    """The host whose site's own file has that text, by the first letter of its domain; nothing in it was looked at."""
    domains = {site.domain[0]: site.domain for site in host.sites}
    own = {domains[one]: _unread(domains[one], text) for one, text in texts.items()}
    return replace(host, directives=own)


def _unread(domain: str, text: str) -> OwnDirectives:
    path = f"files/nginx/{domain}.conf"
    try:
        return own_directives.parse(path, text.encode())
    except CannotStandError:
        return OwnDirectives(path, text.encode(), ())


def _deploy(room: Room, release: Release, fails: str = "") -> None:
    room.publish(release)
    room.then("activate", release.id, "deploy", ENTRIES[0], fails=fails)


def test_they_count_on_every_listener_of_their_domain_and_for_no_other(host, tmp_path):
    room = Room(tmp_path / "room")
    _deploy(room, _release(_with(host, a=MINE, t=MINE)))
    room.visit(
        ("a", 80, A, "/own", False),
        ("b", 80, "b.edu.cn", "/own", False),
        ("t", 443, T, "/own", True),
        ("t's other listener", 9001, T, "/own", True),
        ("t's redirect", 80, T, "/own", False),
        ("wall", 80, A, "/o/bk_itsm/weixin/%252e%252e/", False),
        into="answers",
    )
    room.run()
    seen = {name: (answer[0], answer[1]) for name, answer in room.answers("answers").items()}
    assert seen["a"] == (200, "mine on 80\n")
    assert seen["b"][0] == 404
    assert seen["t"] == (200, "mine on 443\n")
    assert seen["t's other listener"] == (200, "mine on 9001\n")
    assert seen["t's redirect"][0] == 301
    assert seen["wall"][0] == 404


# What stands in the file, the line that nginx names, and its words.
_REFUSED = (
    ("# mine\ngzip on;\nno_such_directive on;\n", 3, "unknown directive"),
    ("client_max_body_size 1m;\n", 1, "is duplicate"),
    ("location / { return 204; }\n", 1, 'duplicate location "/"'),
    # out of the server block, and into another one
    ("}\nserver { listen 80; server_name b.edu.cn; return 200 hole;\n", 1, 'unexpected "}"'),
    ("location /x {\n", 2, 'unexpected end of file, expecting "}"'),
    ('add_header X "\n', 2, "unexpected end of file"),
    ("gzip on\n", 2, "unexpected end of file"),
)


def test_what_nginx_refuses_is_named_as_the_checkout_has_it_and_the_old_release_goes_on(host, tmp_path):
    room, first = Room(tmp_path / "room"), _release(_with(host, a=MINE))
    _deploy(room, first)
    for number, (text, _, _) in enumerate(_REFUSED):
        _deploy(room, _release(_with(host, a=text)), fails=f"said{number}")
    room.visit(("a", 80, A, "/own", False), ("b", 80, "b.edu.cn", "/", False), into="answers")
    room.then("state", into="state")
    room.run()
    for number, (_, line, words) in enumerate(_REFUSED):
        said = "\n".join(room.lines(f"said{number}"))
        assert f"files/nginx/{A}.conf:{line}" in said
        assert words in said
        assert f"/files/nginx/{A}.conf" not in said
    assert room.answers("answers")["a"][1] == "mine on 80\n"
    assert room.answers("answers")["b"][0] == 404
    assert _state(room, "state").in_force(first.id)


def test_a_neighbours_name_is_not_taken_from_it(host, tmp_path):
    room, first = Room(tmp_path / "room"), _release(host)
    room.command("echo 'server { listen 80; server_name zz.example; return 200 theirs; }' >/etc/nginx/conf.d/zz.conf")
    _deploy(room, first)
    _deploy(room, _release(_with(host, a="server_name zz.example;\n")), fails="said")
    room.visit(("neighbour", 80, "zz.example", "/", False), into="answers")
    room.run()
    said = "\n".join(room.lines("said"))
    assert "another site of this host has a name of this release on the same port" in said
    assert '"zz.example"' in said
    assert room.answers("answers")["neighbour"][1] == "theirs"


def test_those_of_a_site_that_waits_for_its_certificate_are_tested_too(parse, tmp_path):
    site = {"domain": "w.edu.cn", "edge": "tls", "platform": "wanxiao_prod", "cert": ACME}
    waiting, problems = parse(site, SITES[0])
    assert not problems
    room, good = Room(tmp_path / "room"), _release(_with(waiting, w=MINE))
    _deploy(room, good)
    _deploy(room, _release(_with(waiting, w="gzip on;\nno_such_directive on;\n")), fails="said")
    room.then("state", into="state")
    room.run()
    assert any("files/nginx/w.edu.cn.conf:2" in line and "unknown directive" in line for line in room.lines("said"))
    assert _state(room, "state").in_force(good.id)


# A directive of each rule whose `twice` or `refused` says that it cannot work.
_VALUES = {
    "proxy_redirect": "off",
    "proxy_cookie_domain": "off",
    "proxy_cookie_path": "off",
    "proxy_headers_hash_max_size": "512",
    "proxy_headers_hash_bucket_size": "128",
    "ssl_ciphers": "HIGH",
    "ssl_ecdh_curve": "auto",
    "ssl_session_timeout": "1h",
    "proxy_ssl_verify_depth": "1",
    "proxy_ssl_trusted_certificate": "/etc/ssl/certs/ca-certificates.crt",
    "proxy_http_version": "1.0",
    "proxy_connect_timeout": "9s",
    "proxy_next_upstream_tries": "3",
    "proxy_buffer_size": "8k",
    "proxy_buffers": "8 8k",
    "proxy_read_timeout": "9s",
    "proxy_send_timeout": "9s",
    "client_header_timeout": "9s",
    "client_body_timeout": "9s",
    "keepalive_requests": "9",
    "large_client_header_buffers": "4 8k",
    "client_max_body_size": "1m",
    # a zone that is nowhere, and one of the two at most
    "proxy_cache": "off",
    "proxy_store": "off",
}


def test_what_is_said_to_be_taken_once_is_and_what_yields_is_not(host, tmp_path):
    """The gateway says these in the server block as well; nginx itself is asked."""
    room = Room(tmp_path / "room")
    once = {name for rule in RULES if rule.twice or rule.refused for name in rule.names}
    texts = {name: f"{name} {_VALUES.get(name, 'on')};\n" for name in sorted(once | YIELDING)}
    release = _release(_with(host, t="add_header X-Own yes;\n"))
    _deploy(room, release)
    place = f"{HOME}/releases/{release.id}/files/nginx/{T}.conf"
    for name, text in texts.items():
        room.command(f"printf %s {shlex.quote(text)} >{place}; nginx -t -q >{tmp_path}/room/{name} 2>&1 || true")
    yielding = _release(_with(host, a="".join(texts[one] for one in sorted(YIELDING)), t=texts["gzip"]))
    _deploy(room, yielding)
    room.then("state", into="state")
    room.run()
    assert [name for name in texts if "is duplicate" not in (tmp_path / "room" / name).read_text()] == []
    assert _state(room, "state").in_force(yielding.id)
